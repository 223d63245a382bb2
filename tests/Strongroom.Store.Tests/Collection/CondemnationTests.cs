using Strongroom.Store.Tests.Fakes;

namespace Strongroom.Store.Tests.Collection;

/// <summary>A condemnation ends, and so does the deletion of what was swept.</summary>
public sealed class CondemnationTests
{
    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task Packs_that_are_all_needed_again_are_found_by_deduplication_again()
    {
        var backend = new MemoryBackend();
        var clock = TestVault.Clock();
        await using var vault = await VaultStore.CreateAsync(backend, TestVault.Key, TestVault.Small, clock, None);
        var disk = new SparseDisk(4 << 20);
        disk.Write(0, TestVault.Noise(1, 3 << 20));
        await vault.Governance.SetPolicyAsync(new() { SoftDeleteDays = 0 }, None);
        var image = (await vault.BackUpAsync(disk)).Images[0].Image;

        // An orphan: written, and found before it was condemned by a session that commits after.
        disk.Write(0, TestVault.Noise(2, 3 << 20));
        await using var session = await vault.OpenSessionAsync(None);
        var other = await session.WriteImageAsync(disk, image, null, None);
        await using (var foreign = await VaultStore.OpenAsync(backend, TestVault.Key, TestVault.Small, clock, None))
        {
            clock.Advance(TimeSpan.FromHours(48));
            Assert.True((await foreign.CollectAsync([], new() { CompactBelow = 0 }, None)).PacksCondemned > 0);
        }

        await session.CommitAsync(TestVault.Draft(other), None);
        clock.Advance(TimeSpan.FromHours(25));
        var report = await vault.CollectAsync([], new() { CompactBelow = 0 }, None);
        Assert.Equal((0, 0), (report.PacksDeleted, report.PacksCondemned));
        Assert.True(vault.Log.State.Collection.Condemned is null or { Packs.IsEmpty: true });
        Assert.Equal(0, (await vault.BackUpCountedAsync(disk)).Statistics.BytesNew);
        await vault.AssertRestoresAsync(other, disk);
    }

    [Fact]
    public async Task While_a_condemnation_waits_nothing_is_listed_and_only_folders_of_swept_packs_are_synced()
    {
        var (clock, backend) = (TestVault.Clock(), new Asked(new MemoryBackend()));
        await using var vault = await VaultStore.CreateAsync(backend, TestVault.Key, TestVault.Small, clock, None);
        var disk = new SparseDisk(4 << 20);
        await vault.Governance.SetPolicyAsync(new() { SoftDeleteDays = 0 }, None);
        for (var run = 1; run <= 3; run++)
        {
            disk.Write(0, TestVault.Noise(run, 1 << 20));
            var snapshot = await vault.BackUpAsync(disk);
            foreach (var older in vault.Snapshots.Where(s => s.Id != snapshot.Id).ToList())
                await vault.DeleteSnapshotAsync(older.Id, None);
            clock.Advance(TimeSpan.FromHours(25));
            await vault.CollectAsync([], new(), None);
        }

        Assert.NotEmpty(vault.Log.State.Collection.Undeleted);
        var condemned = vault.Log.State.Collection.Condemned!;
        backend.Names.Clear();
        var report = await vault.CollectAsync([], new(), None);
        Assert.Equal(vault.PackSet.ToList().Count(pack => condemned.Packs.Contains(pack.PackSeq)), report.PacksCondemned);
        Assert.True(report.PacksCondemned > 0);
        Assert.DoesNotContain("list packs/", backend.Names);
        var swept = vault.Log.State.Collection.Undeleted.Values.SelectMany(packs => packs.Numbers).SelectMany(pack => new[] { $"sync packs/{pack & 255:x2}/", $"sync meta/{pack & 255:x2}/" });
        Assert.Equal(swept.Distinct().Order(StringComparer.Ordinal), backend.Names.Where(name => name.StartsWith("sync packs", StringComparison.Ordinal) || name.StartsWith("sync meta", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
    }

    private sealed class Asked(IBlobBackend inner) : PassThroughBackend(inner)
    {
        public List<string> Names { get; } = [];

        public override IAsyncEnumerable<BlobInfo> ListAsync(string prefix, CancellationToken cancellationToken)
        {
            Names.Add("list " + prefix);
            return base.ListAsync(prefix, cancellationToken);
        }

        public override ValueTask SyncAsync(string prefix, CancellationToken cancellationToken)
        {
            Names.Add("sync " + prefix);
            return base.SyncAsync(prefix, cancellationToken);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(24)]
    public async Task What_was_swept_is_deleted_once_more_and_then_the_log_rests(int graceHours)
    {
        var backend = new MemoryBackend();
        var clock = TestVault.Clock();
        await using var vault = await VaultStore.CreateAsync(backend, TestVault.Key, TestVault.Small, clock, None);
        var disk = new SparseDisk(4 << 20);
        disk.Write(0, TestVault.Noise(1, 3 << 20));
        var snapshot = await vault.BackUpAsync(disk);
        await vault.DeleteSnapshotAsync(snapshot.Id, None);
        var options = new CollectOptions { Grace = TimeSpan.FromHours(graceHours), CompactBelow = 0 };
        for (var run = 0; run < 4; run++)
        {
            await vault.CollectAsync([], options, None);
            clock.Advance(TimeSpan.FromHours(25));
        }

        Assert.Empty(vault.Log.State.Collection.Undeleted);
        var head = vault.Log.Head;
        await vault.CollectAsync([], options, None);
        Assert.Equal(head, vault.Log.Head);

        // And the next garbage does not wait longer for it.
        var next = await vault.BackUpAsync(disk);
        await vault.DeleteSnapshotAsync(next.Id, None);
        var report = await vault.CollectAsync([], options, None);
        Assert.True(report.PacksCondemned + report.PacksDeleted > 0, $"{report}");
    }
}
