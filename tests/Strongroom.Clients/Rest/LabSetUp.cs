using System.Text.Json.Nodes;

namespace Strongroom.Clients.Rest;

/// <summary>Brings a new server, over the plain API, to where a machine is protected and can be backed up.</summary>
internal static class LabSetUp
{
    /// <summary>Group, host, storage account, vault (soft delete off) and protection of the lab's machine.</summary>
    public static async Task ProtectAsync(ArmClient client, Lab lab, string hostFolder, string account, CancellationToken cancellationToken)
    {
        await client.ChangeAsync(HttpMethod.Put, lab.GroupUrl, new JsonObject { ["location"] = lab.Location }, cancellationToken);
        await client.ChangeAsync(HttpMethod.Put, lab.HostUrl, lab.HostBody(hostFolder), cancellationToken);
        await client.ChangeAsync(HttpMethod.Put, $"{lab.StorageAccountId(account)}?api-version={Lab.StorageVersion}", Lab.StorageAccountBody(lab.Location), cancellationToken);
        await client.ChangeAsync(HttpMethod.Put, $"{lab.VaultPath}?api-version={Lab.BackupVersion}", Lab.VaultBody(lab.Location), cancellationToken);
        await client.ChangeAsync(HttpMethod.Patch, lab.VaultUrl("backupconfig/vaultconfig"), Lab.SoftDeleteOffBody(), cancellationToken);
        await client.ChangeAsync(HttpMethod.Post, lab.VaultUrl("backupFabrics/Azure/refreshContainers"), null, cancellationToken);
        var operation = await client.ChangeAsync(HttpMethod.Put, lab.ItemUrl(), lab.ProtectBody(), cancellationToken);
        await Jobs.CompletedAsync(client, lab, operation, cancellationToken);
    }

    /// <summary>Backs the lab's machine up and returns the name of the one recovery point that came of it.</summary>
    public static Task<string> BackUpAsync(ArmClient client, Lab lab, CancellationToken cancellationToken) =>
        BackUpAsync(client, lab, TimeProvider.System, cancellationToken);

    /// <summary>As <see cref="BackUpAsync(ArmClient, Lab, CancellationToken)"/>, by the server's own clock.</summary>
    public static async Task<string> BackUpAsync(ArmClient client, Lab lab, TimeProvider time, CancellationToken cancellationToken)
    {
        var before = await RecoveryPointsAsync(client, lab, cancellationToken);
        var operation = await client.ChangeAsync(HttpMethod.Post, lab.ItemUrl("backup"), Lab.BackupBody(time), cancellationToken);
        await Jobs.CompletedAsync(client, lab, operation, cancellationToken);
        return Assert.Single((await RecoveryPointsAsync(client, lab, cancellationToken)).Except(before));
    }

    /// <summary>Restores the disks of a recovery point and returns the completed job.</summary>
    public static async Task<JsonNode> RestoreAsync(
        ArmClient client, Lab lab, string recoveryPoint, string account, CancellationToken cancellationToken)
    {
        var operation = await client.ChangeAsync(
            HttpMethod.Post, lab.ItemUrl($"recoveryPoints/{recoveryPoint}/restore"), lab.RestoreBody(recoveryPoint, account), cancellationToken);
        return await Jobs.CompletedAsync(client, lab, operation, cancellationToken);
    }

    /// <summary>The names of the recovery points of the lab's machine that are in the vault.</summary>
    public static async Task<IReadOnlyList<string>> RecoveryPointsAsync(ArmClient client, Lab lab, CancellationToken cancellationToken) =>
        [.. (await client.ListAsync(lab.ItemUrl("recoveryPoints"), cancellationToken)).Where(point => Tiers(point).Contains("HardenedRP")).Select(point => point["name"]!.GetValue<string>())];

    /// <summary>The tiers that a recovery point is in.</summary>
    public static IReadOnlyList<string> Tiers(JsonNode point) =>
        [.. point["properties"]!["recoveryPointTierDetails"]!.AsArray().Where(t => (string?)t!["status"] == "Valid").Select(t => (string)t!["type"]!)];
}
