using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Strongroom.Api.Tests.RecoveryServices.Support;
using Strongroom.Backup.Lifecycle;
using Strongroom.Backup.Vaults;
using Strongroom.Store;
using Strongroom.Testing;

namespace Strongroom.Api.Tests.RecoveryServices;

/// <summary>The room that an item took on the disk comes back with its purge.</summary>
public sealed class PurgedSpaceTests
{
    [Fact]
    public async Task A_purged_item_gives_its_room_back_and_leaves_the_store_sound()
    {
        await using BackupHost host = await BackupHost.StartAsync();
        ProtectedMachine gone = await ProtectedMachine.ProtectAsync(host);
        // Two disks of 1 MiB, half of them random; the other machine's are others.
        var kept = new ProtectedMachine(host, host.Fabric.Add("database"));
        Assert.Equal(202, (await host.PutAsync(kept.Item, kept.EnableBody())).Status);
        await kept.BackUpAsync();
        // No backup of it is to begin by itself.
        Assert.Equal(202, (await host.PutAsync(kept.Item, """{"properties":{"protectedItemType":"Microsoft.Compute/virtualMachines","protectionState":"ProtectionStopped","policyId":""}}""")).Status);
        long alone = BytesOf(host);
        await gone.BackUpAsync();
        long both = BytesOf(host);
        Assert.InRange(both - alone, 1 << 20, 2 << 20);

        Assert.Equal(202, (await host.DeleteAsync(gone.Item)).Status);
        host.Time.Advance(TimeSpan.FromDays(14) - TimeSpan.FromSeconds(1));
        string deletion = Assert.Single(await DeletionsAsync(host));
        Assert.InRange(BytesOf(host), both, long.MaxValue);
        host.Time.Advance(TimeSpan.FromSeconds(1));
        string purge = Assert.Single(await DeletionsAsync(host), job => job != deletion);
        Assert.Equal("Completed", (string?)(await host.WaitAsync(gone.Vault, purge))["properties"]!["status"]);

        Assert.Equal(404, (await host.GetAsync(gone.Item)).Status);
        // But for the log's entries and what tells of packs, all of it.
        Assert.InRange(BytesOf(host), 0, alone + (64 << 10));
        Guid vault = (await host.Services.GetRequiredService<IVaultRepository>().FindAsync(ArmHost.Subscription, "lab", "v1", TestContext.Current.CancellationToken))!.Key;
        VaultStore store = await host.Services.GetRequiredService<IVaultStores>().OpenAsync(vault, TestContext.Current.CancellationToken);
        Assert.True((await store.VerifyAsync(readData: true, null, TestContext.Current.CancellationToken)).IsHealthy);
        Assert.Single(store.Snapshots);
        Assert.Single((await host.GetAsync(kept.Item + "/recoveryPoints")).Value);
    }

    /// <summary>Lets time do its work once, and answers the jobs that have deleted or are deleting data.</summary>
    private static async Task<List<string>> DeletionsAsync(BackupHost host)
    {
        using ItemLifecycle life = ActivatorUtilities.CreateInstance<ItemLifecycle>(host.Services, new LifecycleOptions(), ActivatorUtilities.CreateInstance<PointPruning>(host.Services));
        await life.RunOnceAsync(TestContext.Current.CancellationToken);
        return [.. (await host.GetAsync(BackupHost.Vault + "/backupJobs?$filter=operation eq 'DeleteBackupData'")).Value.Select(static (JsonNode? job) => (string)job!["name"]!)];
    }

    private static long BytesOf(BackupHost host) =>
        new DirectoryInfo(Path.Combine(Path.GetDirectoryName(host.DatabaseFile)!, "vaults")).EnumerateFiles("*", SearchOption.AllDirectories).Sum(static file => file.Length);
}
