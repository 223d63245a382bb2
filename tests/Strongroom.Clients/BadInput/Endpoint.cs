using Strongroom.Clients.Rest;

namespace Strongroom.Clients.BadInput;

/// <summary>One operation of the API: its method, its path with names in braces, and a good body where it takes one.</summary>
internal sealed record Endpoint(HttpMethod Method, string Path, string? Body = null)
{
    private const string Group = "/subscriptions/{subscription}/resourceGroups/{group}";
    private const string Vault = Group + "/providers/Microsoft.RecoveryServices/vaults/{vault}";
    private const string Container = Vault + "/backupFabrics/Azure/protectionContainers/{container}";
    private const string Item = Container + "/protectedItems/{item}";
    private const string Verification = "/providers/Strongroom.RecoveryServices/restoreVerifications/default";
    private const string Host = Group + "/providers/Strongroom.Fabric/hosts/{host}";
    private const string Account = Group + "/providers/Microsoft.Storage/storageAccounts/{account}";

    /// <summary>Everything a hostile client can reach with a name, a body or a token of its own making.</summary>
    public static IReadOnlyList<Endpoint> All(Lab lab, string hostFolder) =>
    [
        new(HttpMethod.Get, "/subscriptions"),
        new(HttpMethod.Get, "/subscriptions/{subscription}"),
        new(HttpMethod.Get, "/subscriptions/{subscription}/locations"),
        new(HttpMethod.Get, "/subscriptions/{subscription}/resources"),
        new(HttpMethod.Get, "/subscriptions/{subscription}/providers"),
        new(HttpMethod.Get, "/subscriptions/{subscription}/resourceGroups"),
        new(HttpMethod.Get, Group),
        new(HttpMethod.Put, Group, """{"location":"home"}"""),
        new(HttpMethod.Patch, Group, """{"tags":{"a":"b"}}"""),
        new(HttpMethod.Delete, Group),
        new(HttpMethod.Get, Host),
        new(HttpMethod.Put, Host, lab.HostBody(hostFolder).ToJsonString()),
        new(HttpMethod.Delete, Host),
        new(HttpMethod.Get, Group + "/providers/Microsoft.Compute/virtualMachines/{machine}"),
        new(HttpMethod.Get, Group + "/providers/Microsoft.Compute/disks/{disk}"),
        new(HttpMethod.Get, Group + "/providers/Microsoft.Network/networkInterfaces/{nic}"),
        new(HttpMethod.Get, Account),
        new(HttpMethod.Put, Account, Lab.StorageAccountBody("home").ToJsonString()),
        new(HttpMethod.Delete, Account),
        new(HttpMethod.Get, "/providers/Microsoft.RecoveryServices/operations"),
        new(HttpMethod.Get, "/subscriptions/{subscription}/providers/Microsoft.RecoveryServices/vaults"),
        new(HttpMethod.Get, Group + "/providers/Microsoft.RecoveryServices/vaults"),
        new(HttpMethod.Get, Vault),
        new(HttpMethod.Put, Vault, Lab.VaultBody("home").ToJsonString()),
        new(HttpMethod.Patch, Vault, """{"tags":{"a":"b"}}"""),
        new(HttpMethod.Delete, Vault),
        new(HttpMethod.Get, Vault + "/backupconfig/vaultconfig"),
        new(HttpMethod.Patch, Vault + "/backupconfig/vaultconfig", Lab.SoftDeleteOffBody().ToJsonString()),
        new(HttpMethod.Get, Vault + "/backupstorageconfig/vaultstorageconfig"),
        new(HttpMethod.Get, Vault + "/backupPolicies"),
        new(HttpMethod.Get, Vault + "/backupPolicies/{policy}"),
        new(HttpMethod.Get, Vault + "/backupPolicies/{policy}" + Verification),
        new(HttpMethod.Put, Vault + "/backupPolicies/{policy}" + Verification, """{"properties":{"isEnabled":false,"after":"Daily","timeoutSeconds":60,"consolePattern":"login:"}}"""),
        new(HttpMethod.Delete, Vault + "/backupPolicies/{policy}" + Verification),
        new(HttpMethod.Get, Vault + "/backupProtectableItems"),
        new(HttpMethod.Get, Vault + "/backupProtectedItems"),
        new(HttpMethod.Get, Vault + "/backupProtectionContainers"),
        new(HttpMethod.Get, Vault + "/backupJobs"),
        new(HttpMethod.Get, Vault + "/backupJobs/{job}"),
        new(HttpMethod.Get, Vault + "/backupOperations/{operation}"),
        new(HttpMethod.Get, Vault + "/backupFabrics/Azure/operationResults/{operation}"),
        new(HttpMethod.Post, Vault + "/backupFabrics/Azure/refreshContainers"),
        new(HttpMethod.Get, Item),
        new(HttpMethod.Put, Item, lab.ProtectBody().ToJsonString()),
        new(HttpMethod.Delete, Item),
        new(HttpMethod.Post, Item + "/backup", Lab.BackupBody(TimeProvider.System).ToJsonString()),
        new(HttpMethod.Get, Item + "/recoveryPoints"),
        new(HttpMethod.Get, Item + "/recoveryPoints/{point}"),
        new(HttpMethod.Post, Item + "/recoveryPoints/{point}/restore", lab.RestoreBody("1", "restores1").ToJsonString()),
    ];

    /// <summary>The names in braces, in the order of the path.</summary>
    public IEnumerable<string> Names => Path.Split('/').Where(part => part.StartsWith('{')).Select(part => part[1..^1]);

    /// <summary>
    /// Whether the operation makes the thing that <paramref name="name"/> names: a good name that is not yet known is no
    /// mistake there.
    /// </summary>
    public bool Makes(string name) => Method == HttpMethod.Put && Path.EndsWith($"{{{name}}}", StringComparison.Ordinal);

    /// <summary>The path with the lab's own names, one of them replaced.</summary>
    public string PathWith(Lab lab, string? name = null, string? replacement = null) =>
        string.Join('/', Path.Split('/').Select(part => part.StartsWith('{') ? part == $"{{{name}}}" ? replacement : GoodName(lab, part) : part));

    public override string ToString() => $"{Method} {Path}";

    private static string GoodName(Lab lab, string part) => part switch
    {
        "{subscription}" => lab.SubscriptionId,
        "{group}" => lab.Group,
        "{vault}" => lab.Vault,
        "{container}" => lab.ContainerName,
        "{item}" => lab.ItemName,
        "{host}" => "rack1",
        "{account}" => "restores1",
        "{machine}" => lab.Machine,
        "{policy}" => "DefaultPolicy",
        "{job}" or "{operation}" => "00000000-0000-0000-0000-00000000abcd",
        "{point}" => "1",
        "{disk}" => "nothing",
        "{nic}" => "web1-nic0",
        _ => throw new ArgumentOutOfRangeException(nameof(part), part, "No good name is known for it."),
    };
}
