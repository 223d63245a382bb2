using Microsoft.Extensions.Time.Testing;
using Strongroom.Store.Tests.Fakes;

namespace Strongroom.Store.Tests.Retention;

/// <summary>What locked snapshots need is retained below the store, and comes free when its time is over.</summary>
public sealed class ExtendRetentionTests
{
    private static readonly CollectOptions Compact = new() { Grace = TimeSpan.Zero, CompactBelow = 0.99, GreatestShareToCompact = 1 };
    private readonly FakeTimeProvider time = TestVault.Clock();
    private readonly CountingRetention place;

    public ExtendRetentionTests() => place = new(new MemoryBackend(time));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact(Timeout = 300_000)]
    public async Task Nothing_that_a_locked_snapshot_needs_can_be_deleted_and_a_copy_of_it_alone_restores()
    {
        await using var vault = await CreateAsync(30);
        var disk = Disk(1);
        var snapshot = await vault.BackUpAsync(disk);
        var report = await vault.ExtendRetentionAsync(new(), Token);
        Assert.Equal(RetentionState.Extended, report.State);
        Assert.Empty(report.Problems);
        Assert.Equal(report.BlobsRetained, report.BlobsExtended);
        Assert.True(report.Until >= snapshot.CreatedAt.AddDays(30) && report.Until < snapshot.CreatedAt.AddDays(41));

        // A hostile hand deletes all that can be deleted; the index is derived.
        await foreach (var blob in place.ListAsync("", Token))
        {
            try
            {
                await place.DeleteAsync(blob.Name, Token);
            }
            catch (StoreException failure) when (failure.Kind == StoreErrorKind.Locked)
            {
            }
        }

        await using var again = await VaultStore.OpenAsync(place, TestVault.Key, TestVault.Small, time, Token);
        await again.AssertRestoresAsync(again.Require(snapshot.Id).Images[0].Image, disk);
        Assert.True((await again.VerifyAsync(readData: true, null, Token)).IsHealthy);
    }

    [Fact(Timeout = 300_000)]
    public async Task A_pack_is_prolonged_once_in_a_generation_however_many_backups_refer_to_it()
    {
        await using var vault = await CreateAsync(30);
        var disk = Disk(1);
        var parent = (await vault.BackUpAsync(disk)).Images[0].Image;
        await vault.ExtendRetentionAsync(new(), Token);
        var pack = (await PacksAsync()).First(name => name.StartsWith("packs/", StringComparison.Ordinal));
        for (var day = 0; day < 40; day++)
        {
            time.Advance(TimeSpan.FromDays(1));
            disk.Write(day * 4096L, TestVault.Noise(100 + day, 4096));
            parent = (await vault.BackUpAsync(disk, parent)).Images[0].Image;
            await vault.ExtendRetentionAsync(new(), Token);
            await vault.ExtendRetentionAsync(new(), Token);
        }

        Assert.InRange(place.CountOf(pack), 4, 6);
    }

    [Fact(Timeout = 300_000)]
    public async Task Dead_packs_wait_for_the_end_of_their_retention_and_then_go()
    {
        await using var vault = await CreateAsync(3);
        var gone = await vault.BackUpAsync(Disk(1));
        var until = (await vault.ExtendRetentionAsync(new(), Token)).Until!.Value;
        time.Advance(TimeSpan.FromDays(4));
        Assert.True(await vault.DeleteSnapshotAsync(gone.Id, Token));
        var packs = await PacksAsync();
        for (var i = 0; i < 3; i++)
        {
            var report = await vault.CollectAsync([], TestVault.AtOnce, Token);
            Assert.Equal(0, report.PacksDeleted);
        }

        Assert.Equal(packs, await PacksAsync());

        // Opened anew, when nothing is remembered: the storage itself is asked.
        await using (var other = await VaultStore.OpenAsync(place, TestVault.Key, TestVault.Small, time, Token))
            Assert.Equal(0, (await other.CollectAsync([], TestVault.AtOnce, Token)).PacksDeleted);
        time.Advance(until - time.GetUtcNow() + TimeSpan.FromSeconds(1));
        Assert.True((await vault.CollectAsync([], TestVault.AtOnce, Token)).PacksDeleted > 0);
        Assert.Empty(await PacksAsync());
    }

    [Fact(Timeout = 300_000)]
    public async Task Compacted_packs_that_are_retained_stay_until_their_time_and_nothing_is_lost()
    {
        await using var vault = await CreateAsync(3);
        var disk = Disk(1);
        var kept = new SparseDisk(disk.LengthBytes);
        kept.Write(0, TestVault.Noise(50, 300_000));
        disk.Write(0, TestVault.Noise(50, 300_000));
        var gone = await vault.BackUpAsync(disk);
        var stays = await vault.BackUpAsync(kept);
        await vault.ExtendRetentionAsync(new(), Token);
        time.Advance(TimeSpan.FromDays(4));
        await vault.DeleteSnapshotAsync(gone.Id, Token);
        var before = await PacksAsync();
        Assert.True((await vault.CollectAsync([stays.Id], Compact, Token)).PacksCompacted > 0);
        await vault.AssertRestoresAsync(stays.Images[0].Image, kept);
        Assert.Subset((await PacksAsync()).ToHashSet(), before.ToHashSet());

        for (var i = 0; i < 3; i++)
            await vault.CollectAsync([stays.Id], Compact, Token);
        time.Advance(TimeSpan.FromDays(11));
        await vault.CollectAsync([stays.Id], Compact, Token);
        await vault.CollectAsync([stays.Id], Compact, Token);
        Assert.True((await PacksAsync()).Count(before.Contains) < before.Count);
        await using var again = await VaultStore.OpenAsync(place, TestVault.Key, TestVault.Small, time, Token);
        await again.AssertRestoresAsync(stays.Images[0].Image, kept);
        Assert.True((await again.VerifyAsync(readData: true, null, Token)).IsHealthy);
    }

    [Fact(Timeout = 300_000)]
    public async Task A_vault_that_is_not_locked_and_a_place_that_cannot_are_told_apart()
    {
        await using (var open = await VaultStore.CreateAsync(place, TestVault.Key, TestVault.Small, time, Token))
        {
            await open.BackUpAsync(Disk(1));
            Assert.Equal(RetentionState.PolicyNotLocked, (await open.ExtendRetentionAsync(new(), Token)).State);
        }

        await using var vault = await VaultStore.CreateAsync(new MemoryBackend(), TestVault.Key, TestVault.Small, time, Token);
        await LockAsync(vault, 30);
        var report = await vault.ExtendRetentionAsync(new(), Token);
        Assert.Equal(RetentionState.NotAvailable, report.State);
        Assert.NotEmpty(report.Detail);
    }

    [Fact(Timeout = 300_000)]
    public async Task A_clock_that_leapt_retains_nothing_for_years()
    {
        await using var vault = await CreateAsync(30);
        await vault.BackUpAsync(Disk(1));
        await using var other = await VaultStore.OpenAsync(
            place, TestVault.Key, TestVault.Small, new FakeTimeProvider(time.GetUtcNow().AddYears(30)), Token);
        var failure = await Assert.ThrowsAsync<StoreException>(() => other.ExtendRetentionAsync(new(), Token));
        Assert.Equal(StoreErrorKind.Refused, failure.Kind);
    }

    [Fact(Timeout = 300_000)]
    public async Task A_lock_for_a_century_is_taken_so_far_ahead_and_a_legal_hold_rolls()
    {
        await using var vault = await CreateAsync(0);
        var first = await vault.BackUpAsync(Disk(1));
        Assert.Null((await vault.ExtendRetentionAsync(new(), Token)).Until);
        await vault.Governance.SetLegalHoldAsync(first.Id, true, Token);
        var held = (await vault.ExtendRetentionAsync(new(), Token)).Until;
        Assert.InRange(held!.Value, time.GetUtcNow().AddDays(30), time.GetUtcNow().AddDays(40));
        time.Advance(TimeSpan.FromDays(20));
        Assert.True((await vault.ExtendRetentionAsync(new(), Token)).Until > held);
        await vault.Governance.LockAsync(first.Id, time.GetUtcNow().AddYears(100), Token);
        var until = (await vault.ExtendRetentionAsync(new() { GreatestDaysAhead = 100 }, Token)).Until;
        Assert.InRange(until!.Value, time.GetUtcNow().AddDays(100), time.GetUtcNow().AddDays(110));
    }

    [Fact(Timeout = 300_000)]
    public async Task Keys_may_change_while_their_blob_is_retained()
    {
        await using (var vault = await CreateAsync(30))
        {
            await vault.BackUpAsync(Disk(1));
            await vault.ExtendRetentionAsync(new(), Token);
            await vault.Keys.RotateAsync(Token);
            await vault.BackUpAsync(Disk(2));
            Assert.Empty((await vault.ExtendRetentionAsync(new(), Token)).Problems);
        }

        await using var again = await VaultStore.OpenAsync(place, TestVault.Key, TestVault.Small, time, Token);
        Assert.True((await again.VerifyAsync(readData: true, null, Token)).IsHealthy);
    }

    [Fact(Timeout = 300_000)]
    public async Task A_missing_pack_is_named_and_the_others_are_retained()
    {
        await using var vault = await CreateAsync(30);
        await vault.BackUpAsync(Disk(1));
        var packs = await PacksAsync();
        await using var other = await VaultStore.OpenAsync(place, TestVault.Key, TestVault.Small, time, Token);
        await place.DeleteAsync(packs.First(pack => pack.StartsWith("meta/", StringComparison.Ordinal)), Token);
        var report = await other.ExtendRetentionAsync(new(), Token);
        Assert.NotEmpty(report.Problems);
        foreach (var pack in await PacksAsync())
            Assert.NotNull(await place.GetRetainedUntilAsync(pack, Token));
    }

    private static SparseDisk Disk(int seed)
    {
        var disk = new SparseDisk(8L << 20);
        disk.Write(1 << 20, TestVault.Noise(seed, 3 << 20));
        return disk;
    }

    private static Task LockAsync(VaultStore vault, int days) =>
        vault.Governance.SetPolicyAsync(new() { Immutability = Immutability.Locked, MinimumRetentionDays = days }, Token);

    private async Task<VaultStore> CreateAsync(int days)
    {
        var vault = await VaultStore.CreateAsync(place, TestVault.Key, TestVault.Small, time, Token);
        await LockAsync(vault, days);
        return vault;
    }

    private async Task<List<string>> PacksAsync()
    {
        var names = new List<string>();
        await foreach (var blob in place.ListAsync("", Token))
        {
            if (blob.Name.StartsWith("packs/", StringComparison.Ordinal) || blob.Name.StartsWith("meta/", StringComparison.Ordinal))
                names.Add(blob.Name);
        }

        return names;
    }
}
