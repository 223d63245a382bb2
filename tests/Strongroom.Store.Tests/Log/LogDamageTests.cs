using Strongroom.Store.Log;
using Strongroom.Store.Tests.Fakes;

namespace Strongroom.Store.Tests.Log;

/// <summary>What happens to log entries behind the store's back: it may cost what they said, never the packs that they named.</summary>
public sealed class LogDamageTests
{
    private static CancellationToken None => CancellationToken.None;

    public static TheoryData<string> Damages => ["flipped", "cut", "empty", "deleted"];

    [Theory]
    [MemberData(nameof(Damages))]
    public async Task Whatever_entry_is_damaged_nothing_is_collected_and_putting_it_back_mends_the_vault(string damage)
    {
        var (storage, promised) = await MakeAsync();
        var entries = await storage.AllAsync("log/");
        foreach (var entry in entries)
        {
            var when = $"{entry.Name} {damage}";
            var copy = await storage.CopyAsync();
            await DamageAsync(copy, entry.Name, damage);
            var all = new Dictionary<SnapshotId, SparseDisk>(promised);
            await using (var vault = await TestVault.OpenAsync(copy))
            {
                await AssertCollectsNothingAsync(vault, copy, all.Keys, when);
                var disk = new SparseDisk(2 << 20);
                disk.Write(0, TestVault.Noise(77, 700_000));
                all.Add((await vault.BackUpAsync(disk)).Id, disk);
                await AssertCollectsNothingAsync(vault, copy, all.Keys, when);
                await AssertRestoreAsync(vault, all.Where(one => vault.Find(one.Key) is not null));
            }

            await using (var vault = await TestVault.OpenAsync(copy))
                await AssertCollectsNothingAsync(vault, copy, all.Keys, when);

            // The number of a last entry that was deleted has been taken since.
            if (damage == "deleted" && entry == entries[^1])
                continue;
            await copy.DeleteAsync(entry.Name, None);
            await copy.ReplaceAsync(entry.Name, await storage.ContentAsync(entry.Name));
            await using var mended = await TestVault.OpenAsync(copy);
            Assert.True(mended.Log.Damage.Count == 0, $"{when}: {string.Join('\n', mended.Log.Damage)}");
            Assert.Equal(all.Keys.ToHashSet(), mended.Snapshots.Select(snapshot => snapshot.Id).ToHashSet());
            await mended.CollectAsync([.. all.Keys], TestVault.AtOnce, None);
            await AssertRestoreAsync(mended, all);
            Assert.True((await mended.VerifyAsync(readData: true, null, None)).IsHealthy, when);
        }
    }

    [Fact]
    public async Task Pack_numbers_that_an_unreadable_entry_may_have_reserved_are_not_used_again()
    {
        var storage = new MemoryBackend();
        await using var first = await TestVault.CreateAsync(storage);
        await using var second = await TestVault.OpenAsync(storage);
        var disk = new SparseDisk(1 << 20);
        disk.Write(0, TestVault.Noise(1, 300_000));
        await second.BackUpAsync(disk);
        await storage.ReplaceAsync("log/00000000000000000002", new byte[148]);
        disk.Write(0, TestVault.Noise(2, 300_000));
        var snapshot = await first.BackUpAsync(disk);
        var numbers = (await storage.AllAsync("packs/")).Concat(await storage.AllAsync("meta/")).Select(blob => blob.Name[^8..]).ToList();
        Assert.Equal(numbers.Count, numbers.Distinct().Count());
        await first.AssertRestoresAsync(snapshot.Images[0].Image, disk);
    }

    [Fact]
    public async Task Several_damaged_entries_at_the_end_are_mended_one_by_one()
    {
        var (storage, promised) = await MakeAsync();
        var entries = await storage.AllAsync("log/");
        var copy = await storage.CopyAsync();
        foreach (var entry in entries[^3..])
            await DamageAsync(copy, entry.Name, "flipped");
        await using (var vault = await TestVault.OpenAsync(copy))
            await vault.BackUpAsync(new SparseDisk(0));
        foreach (var entry in entries[^3..])
        {
            await using (var vault = await TestVault.OpenAsync(copy))
                await AssertCollectsNothingAsync(vault, copy, [], entry.Name);
            await copy.ReplaceAsync(entry.Name, await storage.ContentAsync(entry.Name));
        }

        await using var mended = await TestVault.OpenAsync(copy);
        Assert.Empty(mended.Log.Damage);
        await mended.CollectAsync([.. promised.Keys], TestVault.AtOnce, None);
        await AssertRestoreAsync(mended, promised);
    }

    [Fact]
    public async Task Damage_is_not_forgotten_however_much_is_appended_after_it()
    {
        var (storage, promised) = await MakeAsync();
        var last = (await storage.AllAsync("log/"))[^1];
        var whole = await storage.ContentAsync(last.Name);
        await DamageAsync(storage, last.Name, "flipped");
        await using (var vault = await TestVault.OpenAsync(storage))
        {
            for (var i = 0; i < 300; i++)
                await vault.BackUpAsync(new SparseDisk(i));
        }

        await using (var vault = await TestVault.OpenAsync(storage))
            await AssertCollectsNothingAsync(vault, storage, [], "after 300 entries");

        await storage.ReplaceAsync(last.Name, whole);
        await using var mended = await TestVault.OpenAsync(storage);
        await mended.CollectAsync([.. promised.Keys], TestVault.AtOnce, None);
        await AssertRestoreAsync(mended, promised);
        Assert.Equal(promised.Count + 300, mended.Snapshots.Count);
    }

    [Fact]
    public async Task A_damaged_commit_before_a_checkpoint_is_not_forgotten_by_the_next_checkpoint()
    {
        var (storage, promised) = await MakeAsync();
        var commit = (await storage.AllAsync("log/"))[^1];
        await using (var vault = await TestVault.OpenAsync(storage))
        {
            for (var i = 0; i < 260; i++)
                await vault.BackUpAsync(new SparseDisk(i));
        }

        var whole = await storage.ContentAsync(commit.Name);
        await DamageAsync(storage, commit.Name, "flipped");
        for (var opening = 0; opening < 2; opening++)
        {
            await using var vault = await TestVault.OpenAsync(storage);
            Assert.Equal(promised.Count - 1 + 260 + (opening * 260), vault.Snapshots.Count);
            await AssertCollectsNothingAsync(vault, storage, [], $"opening {opening}");
            for (var i = 0; i < 260; i++)
                await vault.BackUpAsync(new SparseDisk(i));
        }

        await storage.ReplaceAsync(commit.Name, whole);
        await using var mended = await TestVault.OpenAsync(storage);
        await mended.CollectAsync([.. promised.Keys], TestVault.AtOnce, None);
        await AssertRestoreAsync(mended, promised);
    }

    [Fact]
    public async Task Damage_that_comes_to_light_between_mark_and_sweep_stops_the_sweep()
    {
        var meddled = new MeddledBackend(new MemoryBackend());
        await using var vault = await TestVault.CreateAsync(meddled);
        var disk = new SparseDisk(2 << 20);
        disk.Write(0, TestVault.Noise(1, 700_000));
        var snapshot = await vault.BackUpAsync(disk);
        await vault.DeleteSnapshotAsync(snapshot.Id, None);
        meddled.IsArmed = true;
        await AssertCollectsNothingAsync(vault, meddled, [], "at the sweep");
        Assert.False(meddled.IsArmed);
    }

    [Fact]
    public async Task Damage_at_the_end_of_the_log_is_reported_by_verification()
    {
        var (storage, _) = await MakeAsync();
        var last = (await storage.AllAsync("log/"))[^1];
        await DamageAsync(storage, last.Name, "flipped");
        await using var vault = await TestVault.OpenAsync(storage);
        var report = await vault.VerifyAsync(readData: true, null, None);
        Assert.Contains($"log entry {LogEntry.ParseName(last.Name)} is damaged", Assert.Single(report.Problems).What, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Over_a_damaged_log_a_session_whose_pack_is_gone_does_not_commit(bool isGone)
    {
        var (storage, _) = await MakeAsync();
        await DamageAsync(storage, (await storage.AllAsync("log/"))[^1].Name, "flipped");
        await using var vault = await TestVault.OpenAsync(storage);
        var before = await storage.AllAsync("packs/");
        await using var session = await vault.OpenSessionAsync(None);
        var disk = new SparseDisk(8 << 20);
        disk.Write(0, TestVault.Noise(99, 6 << 20));
        var image = await session.WriteImageAsync(disk, null, null, None);
        var own = (await storage.AllAsync("packs/")).Select(blob => blob.Name).Except(before.Select(blob => blob.Name)).First();
        if (isGone)
        {
            await storage.DeleteAsync(own, None);
            var failure = await Assert.ThrowsAsync<StoreException>(() => session.CommitAsync(TestVault.Draft(image), None));
            Assert.Equal(StoreErrorKind.Conflict, failure.Kind);
        }
        else
        {
            await vault.AssertRestoresAsync((await session.CommitAsync(TestVault.Draft(image), None)).Images[0].Image, disk);
        }
    }

    private static async Task AssertCollectsNothingAsync(VaultStore vault, IBlobBackend storage, IEnumerable<SnapshotId> promised, string when)
    {
        var before = (await storage.AllAsync("packs/")).Concat(await storage.AllAsync("meta/")).ToList();
        var failure = await Assert.ThrowsAsync<StoreException>(() => vault.CollectAsync([.. promised], TestVault.AtOnce, None));
        Assert.Equal(StoreErrorKind.Corrupt, failure.Kind);
        Assert.True(before.SequenceEqual((await storage.AllAsync("packs/")).Concat(await storage.AllAsync("meta/"))), when);
    }

    private static async Task AssertRestoreAsync(VaultStore vault, IEnumerable<KeyValuePair<SnapshotId, SparseDisk>> expected)
    {
        foreach (var (id, disk) in expected)
            await vault.AssertRestoresAsync(vault.Require(id).Images[0].Image, disk);
    }

    private static async Task DamageAsync(IBlobBackend storage, string name, string damage)
    {
        var content = await storage.ContentAsync(name);
        await storage.DeleteAsync(name, None);
        if (damage == "deleted")
            return;
        content[content.Length / 2] ^= 8;
        byte[] damaged = damage switch { "flipped" => content, "cut" => content[..60], _ => [] };
        Assert.True(await storage.PutIfAbsentAsync(name, damaged, None));
    }

    /// <summary>Every kind of entry but a checkpoint, the last of them a commit whose packs nothing else names.</summary>
    private static async Task<(MemoryBackend Storage, Dictionary<SnapshotId, SparseDisk> Promised)> MakeAsync()
    {
        var storage = new MemoryBackend();
        var promised = new Dictionary<SnapshotId, SparseDisk>();
        await using (var vault = await TestVault.CreateAsync(storage))
        {
            await BackUpAsync(vault, 1);
            await BackUpAsync(vault, 2);
            var (gone, _) = promised.First();
            await vault.DeleteSnapshotAsync(gone, None);
            promised.Remove(gone);
            Assert.True((await vault.CollectAsync([.. promised.Keys], TestVault.AtOnce, None)).PacksDeleted > 0);
        }

        await using (var vault = await TestVault.OpenAsync(storage))
        {
            await BackUpAsync(vault, 3);
            await BackUpAsync(vault, 4);
        }

        return (storage, promised);

        async Task BackUpAsync(VaultStore vault, int seed)
        {
            var disk = new SparseDisk(2 << 20);
            disk.Write(0, TestVault.Noise(seed, 700_000));
            promised.Add((await vault.BackUpAsync(disk)).Id, disk);
        }
    }
}
