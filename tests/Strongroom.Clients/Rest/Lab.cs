using System.Text.Json.Nodes;
using Strongroom.Clients.Servers;

namespace Strongroom.Clients.Rest;

/// <summary>The names that the stories use, and the paths that follow from them.</summary>
internal sealed record Lab(string SubscriptionId, string Group = "lab", string Vault = "vault1", string Machine = "web1", string Location = "home")
{
    public const string BackupVersion = "2024-04-01";
    public const string FabricVersion = "2026-11-01";
    public const string StorageVersion = "2022-09-01";
    public const string ComputeVersion = "2024-11-01";

    public static Lab Of(ServerProcess server) => new(server.Admin.SubscriptionId);

    public string GroupPath => $"/subscriptions/{SubscriptionId}/resourceGroups/{Group}";

    public string GroupUrl => $"{GroupPath}?api-version=2021-04-01";

    public string VaultPath => $"{GroupPath}/providers/Microsoft.RecoveryServices/vaults/{Vault}";

    public string MachineId => $"{GroupPath}/providers/Microsoft.Compute/virtualMachines/{Machine}";

    public string ContainerName => $"iaasvmcontainer;iaasvmcontainerv2;{Group};{Machine}";

    public string ItemName => $"vm;iaasvmcontainerv2;{Group};{Machine}";

    public string ItemPath => $"{VaultPath}/backupFabrics/Azure/protectionContainers/{ContainerName}/protectedItems/{ItemName}";

    public string PolicyId => $"{VaultPath}/backupPolicies/DefaultPolicy";

    public string StorageAccountId(string account) => $"{GroupPath}/providers/Microsoft.Storage/storageAccounts/{account}";

    public string HostUrl => $"{GroupPath}/providers/Strongroom.Fabric/hosts/rack1?api-version={FabricVersion}";

    /// <summary>A URL of the vault: <paramref name="path"/> below it, with the api-version.</summary>
    public string VaultUrl(string path, string query = "") => Url($"{VaultPath}/{path}", query);

    /// <summary>A URL of the protected item: <paramref name="path"/> below it, with the api-version.</summary>
    public string ItemUrl(string path = "", string query = "") => Url(path.Length == 0 ? ItemPath : $"{ItemPath}/{path}", query);

    public JsonObject HostBody(string folder) => new()
    {
        ["location"] = Location,
        ["properties"] = new JsonObject { ["kind"] = "Folder", ["path"] = folder },
    };

    /// <param name="uri">libvirt's, as clients connect; where its socket lies is the server's affair.</param>
    public JsonObject LibvirtHostBody(string uri, string scratchPath) => new()
    {
        ["location"] = Location,
        ["properties"] = new JsonObject { ["kind"] = "Libvirt", ["uri"] = uri.Split('?')[0], ["diskPool"] = "restores", ["scratchPath"] = scratchPath },
    };

    public static JsonObject VaultBody(string location) => new()
    {
        ["location"] = location,
        ["sku"] = new JsonObject { ["name"] = "Standard" },
        ["properties"] = new JsonObject { ["publicNetworkAccess"] = "Enabled" },
    };

    public static JsonObject SoftDeleteOffBody() => new()
    {
        ["properties"] = new JsonObject { ["softDeleteFeatureState"] = "Disabled" },
    };

    public static JsonObject StorageAccountBody(string location) => new()
    {
        ["location"] = location,
        ["kind"] = "StorageV2",
        ["sku"] = new JsonObject { ["name"] = "Standard_LRS" },
    };

    public JsonObject ProtectBody() => new()
    {
        ["properties"] = new JsonObject
        {
            ["protectedItemType"] = "Microsoft.Compute/virtualMachines",
            ["sourceResourceId"] = MachineId,
            ["policyId"] = PolicyId,
        },
    };

    public static JsonObject BackupBody(TimeProvider time) => new()
    {
        ["properties"] = new JsonObject
        {
            ["objectType"] = "IaasVMBackupRequest",
            ["recoveryPointExpiryTimeInUTC"] = time.GetUtcNow().AddDays(30).ToString("yyyy-MM-ddT00:00:00.000Z", null),
        },
    };

    public JsonObject RestoreBody(string recoveryPoint, string account) => new()
    {
        ["properties"] = new JsonObject
        {
            ["objectType"] = "IaasVMRestoreRequest",
            ["recoveryPointId"] = recoveryPoint,
            ["recoveryType"] = "RestoreDisks",
            ["sourceResourceId"] = MachineId,
            ["storageAccountId"] = StorageAccountId(account),
            ["region"] = Location,
            ["createNewCloudService"] = false,
            ["originalStorageAccountOption"] = false,
        },
    };

    private static string Url(string path, string query) =>
        $"{path}?api-version={BackupVersion}{(query.Length == 0 ? "" : "&" + query)}";
}
