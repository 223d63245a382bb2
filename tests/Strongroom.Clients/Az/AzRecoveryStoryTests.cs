using System.Text.Json.Nodes;
using Strongroom.Clients.Disks;
using Strongroom.Clients.Rest;

namespace Strongroom.Clients.Az;

/// <summary>`az backup job`, `recoverypoint` and `restore`.</summary>
public sealed class AzRecoveryStoryTests
{
    private const string Account = "restores1";

    [Theory(Timeout = 600_000)]
    [InlineData(AzEdition.Debian12)]
    [InlineData(AzEdition.Debian13)]
    public async Task Jobs_and_recovery_points_are_found_and_every_kind_of_restore_is_made(AzEdition edition)
    {
        var token = TestContext.Current.CancellationToken;
        await using var lab = await AzLab.StartAsync(edition, token);
        await lab.MakeVaultAsync(token);
        var (az, vault, item) = (lab.Az, lab.Vault, lab.Item);
        await lab.ProtectAsync(token);

        var content = lab.Machine.Content();
        var backup = await lab.EndedAsync(await az.RunAsync($"backup protection backup-now {item}", token), token);
        Assert.Equal("Completed", Jobs.Status(backup));
        var job = backup.Text("name")!;
        await FindJobsAsync(lab, job, token);

        var point = await FindPointsAsync(lab, token);
        await lab.Client.ChangeAsync(HttpMethod.Put, $"{lab.Lab.StorageAccountId(Account)}?api-version={Lab.StorageVersion}", Lab.StorageAccountBody("home"), token);
        var restore = $"backup restore restore-disks {vault} -c web1 -i web1 -r {point} --storage-account {Account}";
        await RestoredDisks.AssertEqualAsync(lab.Client, await RestoreAsync(lab, $"{restore} --restore-only-osdisk true", token), [content[0]], token);
        var data = await RestoredDisks.UrisAsync(lab.Client, await RestoreAsync(lab, $"{restore} --diskslist 0", token), token);
        Assert.Contains(content[1].Sha256, await Task.WhenAll(data.Select(uri => RestoredDisks.Sha256Async(lab.Client, uri, content[1].LengthBytes, token))));
        await RestoreMachineAsync(lab, restore, content, token);
        await MountAsync(lab, point, token);
        await RefuseOthersAsync(lab, point, token);
    }

    /// <summary>az writes a script that asks for its password, and ends the mount; what the script does on a machine is told by the recovery story.</summary>
    private static async Task MountAsync(AzLab lab, string point, CancellationToken token)
    {
        var (az, files) = (lab.Az, $"{lab.Vault} -c web1 -i web1 -r {point}");
        // Nothing is mounted: az looks at the recovery point, sends no more and is content.
        await az.RunAsync($"backup restore files unmount-rp {files}", token);
        await az.RunAsync($"backup restore files mount-rp {files}", token);
        var script = Assert.Single(Directory.GetFiles(lab.AzFolder, "web1_*.py"));
        var text = await File.ReadAllTextAsync(script, token);
        Assert.Contains("\nTargetPassword=\"UserInput012345\"\n", text, StringComparison.Ordinal);
        Assert.True(await IsMountedAsync());
        await az.RunAsync($"backup restore files unmount-rp {files}", token);
        Assert.False(await IsMountedAsync());

        async Task<bool> IsMountedAsync() =>
            (bool)(await az.RunAsync($"backup recoverypoint show {lab.Item} --workload-type VM -n {point}", token))!["properties"]!["isInstantIlrSessionActive"]!;
    }

    private static async Task<JsonNode> RestoreAsync(AzLab lab, string command, CancellationToken token)
    {
        var job = await lab.EndedAsync(await lab.Az.RunAsync(command, token), token);
        Assert.True(Jobs.Status(job) == "Completed", job.ToJsonString());
        return job;
    }

    /// <summary>In place, and as a new machine in a network, which then is among the machines of the group.</summary>
    private static async Task RestoreMachineAsync(AzLab lab, string restore, IReadOnlyList<DiskContent> content, CancellationToken token)
    {
        lab.Machine.Change(seed: 99);
        Assert.NotEqual(content, lab.Machine.Content());
        await RestoreAsync(lab, $"{restore} --restore-mode OriginalLocation", token);
        Assert.Equal(content, lab.Machine.Content());

        await lab.Az.RestAsync("put", $"{lab.Lab.GroupPath}/providers/Microsoft.Network/virtualNetworks/net1?api-version=2019-11-01", new JsonObject
        {
            ["location"] = "home",
            ["properties"] = new JsonObject
            {
                ["addressSpace"] = new JsonObject { ["addressPrefixes"] = new JsonArray("10.0.0.0/16") },
                ["subnets"] = new JsonArray(new JsonObject { ["name"] = "default", ["properties"] = new JsonObject { ["addressPrefix"] = "10.0.0.0/24" } }),
            },
        }, token);
        await RestoreAsync(lab, $"{restore} --target-resource-group lab --target-vm-name web9 --target-vnet-name net1 --target-vnet-resource-group lab --target-subnet-name default", token);
        var machines = await lab.Client.ListAsync($"{lab.Lab.GroupPath}/providers/Microsoft.Compute/virtualMachines?api-version={Lab.ComputeVersion}", token);
        Assert.Contains(machines, one => one.Text("name") == "web9");
    }

    private static async Task FindJobsAsync(AzLab lab, string job, CancellationToken token)
    {
        var (az, vault) = (lab.Az, lab.Vault);
        await az.RunAsync($"backup job wait {vault} -n {job} --timeout 60", token);
        Assert.Equal("Completed", (await az.RunAsync($"backup job show {vault} -n {job}", token)).Text("properties", "status"));
        Assert.Contains("BMSUserErrorJobNotCancellable", await az.FailAsync($"backup job stop {vault} -n {job}", token), StringComparison.Ordinal);
        var list = $"backup job list {vault}";
        var now = TimeProvider.System.GetUtcNow();
        Assert.Equal([job], await NamesAsync($"{list} --operation Backup --status Completed"));
        Assert.Equal([job], await NamesAsync($"{list} --operation Backup --start-date {now.AddDays(-1):dd-MM-yyyy} --end-date {now.AddDays(1):dd-MM-yyyy}"));
        Assert.Single(await NamesAsync($"{list} --operation ConfigureBackup --backup-management-type AzureIaasVM"));
        Assert.Empty(await NamesAsync($"{list} --operation Restore"));

        async Task<string[]> NamesAsync(string command) => [.. (await az.ListAsync(command, token)).Select(one => one.Text("name")!)];
    }

    private static async Task<string> FindPointsAsync(AzLab lab, CancellationToken token)
    {
        var (az, list) = (lab.Az, $"backup recoverypoint list {lab.Item} --workload-type VM");
        var listed = Assert.Single(await az.ListAsync(list, token));
        var point = listed.Text("name")!;
        // What az makes of InstantRP and HardenedRP.
        Assert.Equal("SnapshotAndVaultStandard", listed.Text("tierType"));
        var now = TimeProvider.System.GetUtcNow();
        Assert.Single(await az.ListAsync($"{list} --start-date {now.AddDays(-1):dd-MM-yyyy} --end-date {now.AddDays(1):dd-MM-yyyy}", token));
        Assert.Empty(await az.ListAsync($"{list} --start-date {now.AddDays(-9):dd-MM-yyyy} --end-date {now.AddDays(-2):dd-MM-yyyy}", token));
        Assert.Empty(await az.ListAsync($"{list} --is-ready-for-move true --target-tier VaultArchive", token));
        Assert.Equal(point, (await az.RunAsync($"backup recoverypoint show {lab.Item} --workload-type VM -n {point}", token)).Text("name"));
        return point;
    }

    /// <summary>What machines have no use for, and what cannot be: a message of az or of the server, and nothing happens.</summary>
    private static async Task RefuseOthersAsync(AzLab lab, string point, CancellationToken token)
    {
        var (az, vault) = (lab.Az, lab.Vault);
        Assert.Empty(await az.ListAsync($"backup recoverypoint list {lab.Item} --workload-type VM --recommended-for-archive", token));
        Assert.Contains("BMSUserErrorOperationNotSupported", await az.FailAsync($"backup recoverypoint move {lab.Item} -n {point} --source-tier VaultStandard --destination-tier VaultArchive", token), StringComparison.Ordinal);
        Assert.Contains("AzureWorkload", await az.FailAsync($"backup recoverypoint show-log-chain {lab.Item} --workload-type VM", token), StringComparison.Ordinal);
        Assert.Contains("Could not find", await az.FailAsync($"backup recoveryconfig show {vault} -c web1 -i web1 --restore-mode AlternateWorkloadRestore --rp-name {point}", token), StringComparison.Ordinal);
    }
}
