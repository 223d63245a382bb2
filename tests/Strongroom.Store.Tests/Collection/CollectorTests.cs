using Strongroom.Store.Tests.Fakes;

namespace Strongroom.Store.Tests.Collection;

public sealed class CollectorTests
{
    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task Deleting_every_snapshot_gives_all_the_room_back()
    {
        var backend = new MemoryBackend();
        await using var vault = await TestVault.CreateAsync(backend);
        var disk = new SparseDisk(70L << 20);
        var snapshots = new List<Snapshot>();
        for (var i = 0; i < 3; i++)
        {
            disk.Write(i * 4L << 20, TestVault.Noise(i, 3 << 20));
            snapshots.Add(await vault.BackUpAsync(disk, snapshots.LastOrDefault()?.Images[0].Image));
        }

        foreach (var snapshot in snapshots)
            Assert.True(await vault.DeleteSnapshotAsync(snapshot.Id, None));
        var stored = vault.Statistics.BytesStored;
        var report = await vault.CollectAsync([], TestVault.AtOnce, None);
        Assert.Equal(stored, report.BytesDeleted);
        Assert.Empty(await backend.AllAsync("packs/"));
        Assert.Empty(await backend.AllAsync("meta/"));
        Assert.Equal(0, (await vault.CollectAsync([], TestVault.AtOnce, None)).PacksDeleted);
        var again = await vault.BackUpAsync(disk);
        await vault.AssertRestoresAsync(again.Images[0].Image, disk);
    }

    [Fact]
    public async Task What_a_live_snapshot_shares_with_a_deleted_one_stays()
    {
        await using var vault = await TestVault.CreateAsync(new MemoryBackend());
        var disk = new SparseDisk(70L << 20);
        disk.Write(0, TestVault.Noise(1, 6 << 20));
        var first = await vault.BackUpAsync(disk);
        disk.Write(0, TestVault.Noise(2, 3 << 20));
        var second = await vault.BackUpAsync(disk, first.Images[0].Image);
        await vault.DeleteSnapshotAsync(first.Id, None);
        await vault.CollectAsync([], TestVault.AtOnce, None);
        await vault.AssertRestoresAsync(second.Images[0].Image, disk);
        Assert.True((await vault.VerifyAsync(readData: true, null, None)).IsHealthy);
    }

    [Fact]
    public async Task Chunks_of_a_swept_pack_are_stored_anew()
    {
        var backend = new MemoryBackend();
        var disk = new SparseDisk(4 << 20);
        disk.Write(0, TestVault.Noise(1, 3 << 20));
        await using (var vault = await TestVault.CreateAsync(backend))
        {
            var first = await vault.BackUpAsync(disk);
            await vault.DeleteSnapshotAsync(first.Id, None);
            await vault.CollectAsync([], TestVault.AtOnce, None);
            var second = await vault.BackUpCountedAsync(disk);
            Assert.Equal(3 << 20, second.Statistics.BytesNew);
        }

        await using var again = await TestVault.OpenAsync(backend);
        await again.AssertRestoresAsync(again.Snapshots.Single().Images[0].Image, disk);
    }

    [Fact]
    public async Task Nothing_is_collected_when_the_log_has_lost_its_last_entry_and_somebody_knows_of_it()
    {
        var backend = new MemoryBackend();
        var disk = new SparseDisk(2 << 20);
        disk.Write(0, TestVault.Noise(1, 900_000));
        Snapshot kept, lost;
        await using (var vault = await TestVault.CreateAsync(backend))
        {
            kept = await vault.BackUpAsync(disk);
            disk.Write(0, TestVault.Noise(2, 900_000));
            lost = await vault.BackUpAsync(disk);
        }

        var complete = await backend.CopyAsync();
        await backend.DeleteAsync((await backend.AllAsync("log/"))[^1].Name, None);
        await using (var vault = await TestVault.OpenAsync(backend))
        {
            var packs = vault.Statistics.Packs;
            var failure = await Assert.ThrowsAsync<StoreException>(() => vault.CollectAsync([kept.Id, lost.Id], TestVault.AtOnce, None));
            Assert.Equal(StoreErrorKind.Corrupt, failure.Kind);
            Assert.Contains(lost.Id.ToString(), failure.Message, StringComparison.Ordinal);
            Assert.Equal(packs, vault.Statistics.Packs);
            failure = Assert.Throws<StoreException>(() => vault.Require(lost.Id));
            Assert.Equal(StoreErrorKind.Corrupt, failure.Kind);
            Assert.Contains("has lost the entry", failure.Message, StringComparison.Ordinal);

            // Once nobody counts on it any more, its room comes back.
            Assert.True((await vault.CollectAsync([kept.Id], TestVault.AtOnce, None)).PacksDeleted > 0);
        }

        await using var copy = await TestVault.OpenAsync(complete);
        await copy.AssertRestoresAsync(copy.Require(lost.Id).Images[0].Image, disk);
    }

    [Fact]
    public async Task A_list_that_is_older_than_a_deletion_is_told_from_a_loss()
    {
        await using var vault = await TestVault.CreateAsync(new MemoryBackend());
        var disk = new SparseDisk(2 << 20);
        disk.Write(0, TestVault.Noise(1, 900_000));
        var snapshot = await vault.BackUpAsync(disk);
        await vault.DeleteSnapshotAsync(snapshot.Id, None);
        var failure = await Assert.ThrowsAsync<StoreException>(() => vault.CollectAsync([snapshot.Id], TestVault.AtOnce, None));
        Assert.Equal(StoreErrorKind.Conflict, failure.Kind);
        Assert.Equal(StoreErrorKind.NotFound, Assert.Throws<StoreException>(() => vault.Require(snapshot.Id)).Kind);
        Assert.True((await vault.CollectAsync([], TestVault.AtOnce, None)).PacksDeleted > 0);
    }
}
