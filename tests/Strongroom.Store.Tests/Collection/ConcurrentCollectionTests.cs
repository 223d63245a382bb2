using Strongroom.Store.Tests.Fakes;

namespace Strongroom.Store.Tests.Collection;

/// <summary>Collections beside backups, in the same process and in others.</summary>
public sealed class ConcurrentCollectionTests
{
    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task A_writer_that_slept_through_a_sweep_gets_a_conflict_and_succeeds_when_it_runs_again()
    {
        var backend = new MemoryBackend();
        await using var one = await TestVault.CreateAsync(backend);
        var disk = new SparseDisk(4 << 20);
        disk.Write(0, TestVault.Noise(1, 3 << 20));
        var first = await one.BackUpAsync(disk);
        await using var sleeper = await one.OpenSessionAsync(None);
        var image = await sleeper.WriteImageAsync(disk, null, null, None);
        await using (var two = await TestVault.OpenAsync(backend))
        {
            await two.DeleteSnapshotAsync(first.Id, None);
            Assert.True((await two.CollectAsync([], TestVault.AtOnce, None)).PacksDeleted > 0);
        }

        var failure = await Assert.ThrowsAsync<StoreException>(() => sleeper.CommitAsync(TestVault.Draft(image), None));
        Assert.Equal(StoreErrorKind.Conflict, failure.Kind);
        var again = await one.BackUpAsync(disk);
        await one.AssertRestoresAsync(again.Images[0].Image, disk);
    }

    [Fact]
    public async Task A_parent_that_goes_while_a_session_shares_with_it_ends_the_session()
    {
        var backend = new MemoryBackend();
        await using var vault = await TestVault.CreateAsync(backend);
        var disk = new SparseDisk(4 << 20);
        disk.Write(0, TestVault.Noise(1, 3 << 20));
        var parent = await vault.BackUpAsync(disk);
        await using var session = await vault.OpenSessionAsync(None);
        disk.Write(0, TestVault.Noise(2, 1000));
        var image = await session.WriteImageAsync(disk, parent.Images[0].Image, null, None);
        await vault.DeleteSnapshotAsync(parent.Id, None);
        var failure = await Assert.ThrowsAsync<StoreException>(() => session.CommitAsync(TestVault.Draft(image), None));
        Assert.Equal(StoreErrorKind.Conflict, failure.Kind);
    }

    [Fact]
    public async Task What_a_session_of_the_same_process_writes_or_finds_is_spared()
    {
        await using var vault = await TestVault.CreateAsync(new MemoryBackend());
        var disk = new SparseDisk(6 << 20);
        disk.Write(0, TestVault.Noise(1, 3 << 20));
        var first = await vault.BackUpAsync(disk);
        await vault.DeleteSnapshotAsync(first.Id, None);
        disk.Write(3 << 20, TestVault.Noise(2, 3 << 20));
        await using var session = await vault.OpenSessionAsync(None);
        var image = await session.WriteImageAsync(disk, null, null, None);
        Assert.True(session.Statistics.BytesDeduplicated > 0);
        await vault.CollectAsync([], TestVault.AtOnce, None);
        await session.CommitAsync(TestVault.Draft(image), None);
        await vault.AssertRestoresAsync(image, disk);
    }

    [Fact]
    public async Task Condemned_packs_are_kept_for_their_grace_and_pardoned_when_somebody_needs_them_again()
    {
        var backend = new MemoryBackend();
        var clock = TestVault.Clock();
        await using var one = await VaultStore.CreateAsync(backend, TestVault.Key, TestVault.Small, clock, None);
        await using var two = await VaultStore.OpenAsync(backend, TestVault.Key, TestVault.Small, clock, None);
        var disk = new SparseDisk(4 << 20);
        disk.Write(0, TestVault.Noise(1, 3 << 20));
        var first = await one.BackUpAsync(disk);

        // This session finds the chunks before they are condemned, and commits after.
        await using var session = await two.OpenSessionAsync(None);
        var image = await session.WriteImageAsync(disk, null, null, None);
        Assert.Equal(0, session.Statistics.BytesNew);
        await one.DeleteSnapshotAsync(first.Id, None);
        var options = new CollectOptions();
        var report = await one.CollectAsync([], options, None);
        Assert.True(report.PacksCondemned > 0 && report.PacksDeleted == 0, $"{report}");
        var snapshot = await session.CommitAsync(TestVault.Draft(image), None);
        clock.Advance(TimeSpan.FromHours(23));
        Assert.Equal(0, (await one.CollectAsync([snapshot.Id], options, None)).PacksDeleted);
        clock.Advance(TimeSpan.FromHours(2));

        // The first manifest's pack goes; the data is needed again.
        Assert.Equal(1, (await one.CollectAsync([snapshot.Id], options, None)).PacksDeleted);
        await one.AssertRestoresAsync(image, disk);
        Assert.True((await two.VerifyAsync(readData: true, null, None)).IsHealthy);
    }

    [Fact]
    public async Task Deduplication_passes_over_condemned_packs()
    {
        var backend = new MemoryBackend();
        await using var one = await TestVault.CreateAsync(backend);
        var disk = new SparseDisk(4 << 20);
        disk.Write(0, TestVault.Noise(1, 3 << 20));
        var first = await one.BackUpAsync(disk);
        await using var two = await TestVault.OpenAsync(backend);
        await one.DeleteSnapshotAsync(first.Id, None);
        await one.CollectAsync([], new(), None);
        Assert.Equal(3 << 20, (await two.BackUpCountedAsync(disk)).Statistics.BytesNew);
    }

    [Fact]
    public async Task Packs_of_another_process_are_found_by_deduplication()
    {
        var backend = new MemoryBackend();
        await using var one = await TestVault.CreateAsync(backend);
        await using var two = await TestVault.OpenAsync(backend);
        var disk = new SparseDisk(4 << 20);
        disk.Write(0, TestVault.Noise(1, 3 << 20));
        await one.BackUpAsync(disk);
        Assert.Equal(0, (await two.BackUpCountedAsync(disk)).Statistics.BytesNew);
    }

    [Fact]
    public async Task Packs_of_a_session_under_way_elsewhere_are_left_alone_until_its_writer_was_silent_for_the_grace()
    {
        var backend = new MemoryBackend();
        var clock = TestVault.Clock();
        await using var one = await VaultStore.CreateAsync(backend, TestVault.Key, TestVault.Small, clock, None);
        await using var two = await VaultStore.OpenAsync(backend, TestVault.Key, TestVault.Small, clock, None);
        var disk = new SparseDisk(6 << 20);
        disk.Write(0, TestVault.Noise(1, 5 << 20));
        await using var session = await two.OpenSessionAsync(None);
        var image = await session.WriteImageAsync(disk, null, null, None);
        clock.Advance(TimeSpan.FromHours(23));
        Assert.Equal(0, (await one.CollectAsync([], new(), None)).PacksCondemned);
        await session.CommitAsync(TestVault.Draft(image), None);

        await using var lost = await two.OpenSessionAsync(None);
        disk.Write(0, TestVault.Noise(2, 5 << 20));
        await lost.WriteImageAsync(disk, null, null, None);
        clock.Advance(TimeSpan.FromHours(25));
        Assert.True((await one.CollectAsync([], new(), None)).PacksCondemned > 0);
        clock.Advance(TimeSpan.FromHours(25));
        Assert.True((await one.CollectAsync([], new(), None)).PacksDeleted > 0);
        await Assert.ThrowsAsync<StoreException>(() => lost.CommitAsync(TestVault.Draft(image), None));
    }

    [Fact]
    public async Task A_newer_condemnation_takes_over_from_an_older_one()
    {
        var backend = new MemoryBackend();
        await using var one = await TestVault.CreateAsync(backend);
        var disk = new SparseDisk(4 << 20);
        disk.Write(0, TestVault.Noise(1, 3 << 20));
        var first = await one.BackUpAsync(disk);
        await one.DeleteSnapshotAsync(first.Id, None);
        await one.CollectAsync([], new(), None);
        var older = one.Log.State.Collection.Condemned!.Sequence;
        await using var two = await TestVault.OpenAsync(backend);
        Assert.True((await two.CollectAsync([], TestVault.AtOnce, None)).PacksDeleted > 0);
        await one.Log.RefreshAsync(None);
        Assert.False(one.Log.State.Collection.MaySweep(older, one.Log.Head));
        Assert.Equal(0, (await one.CollectAsync([], new(), None)).PacksDeleted);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task Two_processes_that_back_up_delete_and_collect_at_random_lose_nothing(int seed)
    {
        var backend = new MemoryBackend();
        await using var one = await TestVault.CreateAsync(backend);
        await using var two = await TestVault.OpenAsync(backend);
        var promised = new System.Collections.Concurrent.ConcurrentDictionary<SnapshotId, SparseDisk>();
        await Task.WhenAll(Enumerable.Range(0, 4).Select(i => Task.Run(() => LiveAsync(i % 2 == 0 ? one : two, new Random((seed * 10) + i), promised))));
        await using var three = await TestVault.OpenAsync(backend);
        Assert.Equal(promised.Keys.ToHashSet(), three.Snapshots.Select(snapshot => snapshot.Id).ToHashSet());
        for (var run = 0; run < 2; run++)
        {
            foreach (var (id, disk) in promised)
                await three.AssertRestoresAsync(three.Require(id).Images[0].Image, disk);
            var report = await three.VerifyAsync(readData: true, null, None);
            Assert.True(report.IsHealthy, string.Join('\n', report.Problems));
            await three.CollectAsync([.. promised.Keys], TestVault.Compact, None);
        }
    }

    private static async Task LiveAsync(
        VaultStore vault, Random random, System.Collections.Concurrent.ConcurrentDictionary<SnapshotId, SparseDisk> promised)
    {
        Snapshot? parent = null;
        for (var step = 0; step < 25; step++)
        {
            try
            {
                switch (random.Next(5))
                {
                    case 0:
                        await vault.CollectAsync([], random.Next(2) == 0 ? TestVault.Compact : TestVault.AtOnce, None);
                        break;
                    case 1 when parent is not null:
                        var gone = parent;
                        parent = null;
                        promised.TryRemove(gone.Id, out _);
                        await vault.DeleteSnapshotAsync(gone.Id, None);
                        break;
                    case 2 when parent is not null && promised.TryGetValue(parent.Id, out var held):
                        await vault.AssertRestoresAsync(parent.Images[0].Image, held);
                        break;
                    default:
                        var disk = (parent is not null && promised.TryGetValue(parent.Id, out var before) ? before : new SparseDisk(3 << 20)).Resize(3 << 20);
                        for (var i = 0; i < 4; i++)
                            disk.Write(random.Next(11) << 18, TestVault.Noise(random.Next(30), 1 << 18));
                        var snapshot = await vault.BackUpAsync(disk, parent?.Images[0].Image);
                        promised[snapshot.Id] = disk;
                        parent = snapshot;
                        break;
                }
            }
            catch (StoreException failure) when (failure.Kind == StoreErrorKind.Conflict)
            {
                // The work is to be run again, and nothing was promised.
            }
        }
    }
}
