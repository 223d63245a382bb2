using System.Text.Json.Nodes;
using Strongroom.Clients.Rest;

namespace Strongroom.Clients.Kill;

/// <summary>A protected share, `docs`, of a file server `files1` whose root is a folder of the test; and what is done with it over the API.</summary>
/// <param name="Lab">The names around it.</param>
/// <param name="Item">The item's path.</param>
internal sealed record ShareLab(Lab Lab, string Item)
{
    public const string Share = "docs";
    private const string FileServer = "files1";

    private string AccountId => Lab.StorageAccountId(FileServer);

    /// <summary>Makes a vault, a file server and a policy, and protects the share.</summary>
    /// <param name="sharesRoot">Has the share's folder in it.</param>
    public static async Task<ShareLab> ProtectAsync(ArmClient client, Lab lab, string sharesRoot, CancellationToken cancellationToken)
    {
        var account = lab.StorageAccountId(FileServer);
        await client.ChangeAsync(HttpMethod.Put, lab.GroupUrl, new JsonObject { ["location"] = lab.Location }, cancellationToken);
        await client.ChangeAsync(HttpMethod.Put, $"{lab.VaultPath}?api-version={Lab.BackupVersion}", Lab.VaultBody(lab.Location), cancellationToken);
        await client.ChangeAsync(HttpMethod.Put, $"{lab.GroupPath}/providers/Strongroom.Fabric/fileServers/{FileServer}?api-version={Lab.FabricVersion}", new JsonObject
        {
            ["location"] = lab.Location,
            ["properties"] = new JsonObject { ["kind"] = "Local", ["sharesRoot"] = sharesRoot },
        }, cancellationToken);
        await client.ChangeAsync(HttpMethod.Put, lab.VaultUrl("backupPolicies/daily"), JsonNode.Parse("""
            {"properties":{"backupManagementType":"AzureStorage","workLoadType":"AzureFileShare","timeZone":"UTC",
            "schedulePolicy":{"schedulePolicyType":"SimpleSchedulePolicy","scheduleRunFrequency":"Daily","scheduleRunTimes":["2026-01-01T02:00:00Z"]},
            "retentionPolicy":{"retentionPolicyType":"LongTermRetentionPolicy","dailySchedule":{"retentionTimes":["2026-01-01T02:00:00Z"],"retentionDuration":{"count":30,"durationType":"Days"}}}}}
            """), cancellationToken);
        var container = $"backupFabrics/Azure/protectionContainers/StorageContainer;Storage;{lab.Group};{FileServer}";
        await client.ChangeAsync(HttpMethod.Put, lab.VaultUrl(container), new JsonObject
        {
            ["properties"] = new JsonObject { ["containerType"] = "StorageContainer", ["backupManagementType"] = "AzureStorage", ["workloadType"] = "AzureFileShare", ["sourceResourceId"] = account },
        }, cancellationToken);
        var found = await client.ListAsync(lab.VaultUrl("backupProtectableItems", "$filter=backupManagementType eq 'AzureStorage'"), cancellationToken);
        var item = $"{lab.VaultPath}/{container}/protectedItems/{found.Single(share => share.Text("properties", "friendlyName") == Share).Text("name")}";
        await client.ChangeAsync(HttpMethod.Put, $"{item}?api-version={Lab.BackupVersion}", new JsonObject
        {
            ["properties"] = new JsonObject { ["protectedItemType"] = "AzureFileShareProtectedItem", ["policyId"] = $"{lab.VaultPath}/backupPolicies/daily", ["sourceResourceId"] = account },
        }, cancellationToken);
        return new(lab, item);
    }

    public string BackupUrl => $"{Item}/backup?api-version={Lab.BackupVersion}";

    public static JsonObject BackupBody() => new() { ["properties"] = new JsonObject { ["objectType"] = "AzureFileShareBackupRequest" } };

    public string RestoreUrl(string point) => $"{Item}/recoveryPoints/{point}/restore?api-version={Lab.BackupVersion}";

    /// <summary>A restore of the whole share.</summary>
    /// <param name="target">The share that it goes into; null: its own place.</param>
    /// <param name="copyOptions">What becomes of files that are there.</param>
    public JsonObject RestoreBody(string? target, string copyOptions = "Overwrite")
    {
        var properties = new JsonObject
        {
            ["objectType"] = "AzureFileShareRestoreRequest",
            ["recoveryType"] = target is null ? "OriginalLocation" : "AlternateLocation",
            ["restoreRequestType"] = "FullShareRestore",
            ["copyOptions"] = copyOptions,
            ["sourceResourceId"] = AccountId,
        };
        if (target is not null) properties["targetDetails"] = new JsonObject { ["name"] = target, ["targetResourceId"] = AccountId };
        return new() { ["properties"] = properties };
    }

    /// <summary>The names of the recovery points, the newest first.</summary>
    public async Task<IReadOnlyList<string>> PointsAsync(ArmClient client, CancellationToken cancellationToken) =>
        [.. (await client.ListAsync($"{Item}/recoveryPoints?api-version={Lab.BackupVersion}", cancellationToken)).Select(point => point.Text("name")!)];

    /// <summary>Backs the share up; returns the completed job.</summary>
    public async Task<JsonNode> BackUpAsync(ArmClient client, CancellationToken cancellationToken) =>
        await Jobs.CompletedAsync(client, Lab, await client.ChangeAsync(HttpMethod.Post, BackupUrl, BackupBody(), cancellationToken), cancellationToken);

    /// <summary>Restores the whole share; returns the completed job.</summary>
    public async Task<JsonNode> RestoreAsync(ArmClient client, string point, string? target, CancellationToken cancellationToken) =>
        await Jobs.CompletedAsync(client, Lab, await client.ChangeAsync(HttpMethod.Post, RestoreUrl(point), RestoreBody(target), cancellationToken), cancellationToken);
}
