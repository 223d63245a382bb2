using Strongroom.Store.Tests.Fakes;

namespace Strongroom.Store.Tests.Scrub;

public sealed class AcceptedLossTests
{
    private static CancellationToken None => CancellationToken.None;

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public async Task After_a_loss_was_accepted_the_vault_is_collected_again_and_keeps_all_else(bool isDeleted, bool isLast)
    {
        var (storage, disks) = await MakeAsync();
        var (lost, entry) = await LoseCommitAsync(storage, disks, isDeleted, isLast);
        await using (var vault = await TestVault.OpenAsync(storage))
        {
            var counted = disks.Keys.ToList();
            await Assert.ThrowsAsync<StoreException>(() => vault.CollectAsync(counted, TestVault.AtOnce, None));
            Assert.Equal(isLast && isDeleted ? 0 : 1, vault.LogLosses.Count);
            await vault.AcceptLossAsync(vault.LogLosses, [lost], None);
            Assert.Empty(vault.LogLosses);
        }

        await using var opened = await TestVault.OpenAsync(storage);
        Assert.Empty(opened.LogLosses);
        disks.Remove(lost);
        Assert.True((await opened.CollectAsync([.. disks.Keys], TestVault.AtOnce, None)).PacksDeleted > 0);
        var failure = Assert.Throws<StoreException>(() => opened.Require(lost));
        Assert.Equal(StoreErrorKind.NotFound, failure.Kind);
        foreach (var (id, disk) in disks)
            await opened.AssertRestoresAsync(opened.Require(id).Images[0].Image, disk);
        Assert.True((await opened.VerifyAsync(readData: true, null, None)).IsHealthy);
        Assert.NotNull(entry);
    }

    [Fact]
    public async Task A_commit_that_was_given_up_stays_dead_when_its_entry_comes_back()
    {
        var (storage, disks) = await MakeAsync();
        var whole = await storage.CopyAsync();
        var (lost, entry) = await LoseCommitAsync(storage, disks, isDeleted: false, isLast: false);
        await using (var vault = await TestVault.OpenAsync(storage))
            await vault.AcceptLossAsync(vault.LogLosses, [], None);
        await storage.ReplaceAsync(entry, await whole.ContentAsync(entry));
        await using var opened = await TestVault.OpenAsync(storage);
        Assert.Null(opened.Find(lost));
        Assert.Equal(disks.Count - 1, opened.Snapshots.Count);
    }

    [Fact]
    public async Task What_is_not_lost_cannot_be_given_up()
    {
        var (storage, disks) = await MakeAsync();
        await using var vault = await TestVault.OpenAsync(storage);
        var entry = await Assert.ThrowsAsync<StoreException>(() => vault.AcceptLossAsync([new LogLoss(3, 3, "")], [], None));
        Assert.Equal(StoreErrorKind.InvalidRequest, entry.Kind);
        var snapshot = await Assert.ThrowsAsync<StoreException>(() => vault.AcceptLossAsync([], [disks.Keys.First()], None));
        Assert.Equal(StoreErrorKind.InvalidRequest, snapshot.Kind);
        Assert.Equal(disks.Count, vault.Snapshots.Count);
    }

    [Fact]
    public async Task Numbers_that_a_lost_entry_may_have_reserved_are_not_used_even_after_a_checkpoint()
    {
        var storage = new MemoryBackend();
        await using var first = await TestVault.CreateAsync(storage);
        await using var second = await TestVault.OpenAsync(storage);
        var disk = new SparseDisk(1 << 20);
        disk.Write(0, TestVault.Noise(1, 300_000));
        await storage.ReplaceAsync("log/00000000000000000001", await storage.ContentAsync("log/00000000000000000001"));
        await second.BackUpAsync(disk);
        await storage.ReplaceAsync("log/00000000000000000002", new byte[148]);
        await using (var vault = await TestVault.OpenAsync(storage))
        {
            await vault.AcceptLossAsync(vault.LogLosses, [], None);
            for (var i = 0; i < 300; i++)
                await vault.BackUpAsync(new SparseDisk(0));
        }

        await using var opened = await TestVault.OpenAsync(storage);
        disk.Write(0, TestVault.Noise(2, 300_000));
        var snapshot = await opened.BackUpAsync(disk);
        disk.Write(0, TestVault.Noise(3, 300_000));
        await second.BackUpAsync(disk);
        var numbers = (await storage.AllAsync("packs/")).Concat(await storage.AllAsync("meta/")).Select(blob => blob.Name[^8..]).ToList();
        Assert.Equal(numbers.Count, numbers.Distinct().Count());
        Assert.NotNull(opened.Find(snapshot.Id));
    }

    private static async Task<(SnapshotId Lost, string Entry)> LoseCommitAsync(
        MemoryBackend storage, Dictionary<SnapshotId, SparseDisk> disks, bool isDeleted, bool isLast)
    {
        Snapshot lost;
        await using (var vault = await TestVault.OpenAsync(storage))
            lost = vault.Snapshots.OrderBy(snapshot => snapshot.LogSequence).ElementAt(isLast ? disks.Count - 1 : 0);
        var entry = $"log/{lost.LogSequence:D20}";
        if (isDeleted)
            await storage.DeleteAsync(entry, None);
        else
            await storage.ReplaceAsync(entry, new byte[300]);
        return (lost.Id, entry);
    }

    private static async Task<(MemoryBackend Storage, Dictionary<SnapshotId, SparseDisk> Disks)> MakeAsync()
    {
        var storage = new MemoryBackend();
        await using var vault = await TestVault.CreateAsync(storage);
        var disks = new Dictionary<SnapshotId, SparseDisk>();
        for (var i = 0; i < 3; i++)
        {
            var disk = new SparseDisk(2 << 20);
            disk.Write(0, TestVault.Noise(i, 1_500_000));
            disks[(await vault.BackUpAsync(disk)).Id] = disk;
        }

        return (storage, disks);
    }
}
