using Strongroom.Store.Log;
using Strongroom.Store.Tests.Fakes;

namespace Strongroom.Store.Tests.Governance;

public sealed class SoftDeleteTests
{
    private readonly MemoryBackend backend = new();
    private readonly TwoClocks time = new(GovernedVault.Start);

    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task Without_soft_delete_a_snapshot_is_gone_at_once_whatever_the_clock_says()
    {
        await using var vault = await GovernedVault.OpenOrCreateAsync(backend, time);
        var snapshot = await vault.CommitAsync();
        time.Wall = time.Wall.AddYears(1);
        Assert.False(vault.Governance.IsClockTrusted);
        Assert.True(await vault.DeleteSnapshotAsync(snapshot.Id, None));
        Assert.False(await vault.DeleteSnapshotAsync(snapshot.Id, None));
        Assert.Empty(vault.Snapshots);
        Assert.Empty(vault.Governance.SoftDeleted);
        await vault.Governance.UndeleteAsync(snapshot.Id, None).AssertAsync(StoreErrorKind.NotFound, "brought back");
    }

    [Fact]
    public async Task Nothing_is_given_up_while_an_entry_that_may_have_locked_it_cannot_be_read()
    {
        SnapshotId visible, deleted;
        string locking;
        await using (var vault = await GovernedVault.OpenOrCreateAsync(backend, time))
        {
            await vault.Governance.SetPolicyAsync(new() { SoftDeleteDays = 1 }, None);
            (visible, deleted) = ((await vault.CommitAsync()).Id, (await vault.CommitAsync()).Id);
            await vault.DeleteSnapshotAsync(deleted, None);
            await vault.Governance.LockAsync(visible, time.Wall.AddDays(100), None);
            locking = LogEntry.NameOf(vault.Log.Head);
            await vault.Governance.SetLegalHoldAsync((await vault.CommitAsync()).Id, true, None);
        }

        var entry = await backend.ContentAsync(locking);
        entry[100] ^= 1;
        await backend.ReplaceAsync(locking, entry);
        time.Pass(TimeSpan.FromDays(2));
        await using var damaged = await GovernedVault.OpenOrCreateAsync(backend, time);
        var before = (await backend.AllAsync("log/")).Count;
        await damaged.DeleteSnapshotAsync(visible, None).AssertAsync(StoreErrorKind.Corrupt, "may have forbidden it");
        Assert.Equal(StoreErrorKind.Corrupt, Assert.Throws<StoreException>(() => damaged.Governance.RequireDeletable(visible)).Kind);
        await damaged.Governance.PurgeAsync(None).AssertAsync(StoreErrorKind.Corrupt, "may have forbidden it");
        await damaged.Governance.PurgeNowAsync([deleted], None).AssertAsync(StoreErrorKind.Corrupt, "may have forbidden it");
        await damaged.Keys.EraseAsync(damaged.VaultId.ToString(), None).AssertAsync(StoreErrorKind.Corrupt, "may have forbidden it");
        Assert.Equal(before, (await backend.AllAsync("log/")).Count);

        await damaged.AcceptLossAsync(damaged.LogLosses, [], None);
        Assert.Equal([deleted], await damaged.Governance.PurgeAsync(None));
        Assert.True(await damaged.DeleteSnapshotAsync(visible, None));
    }

    [Fact]
    public async Task A_deleted_snapshot_keeps_its_content_comes_back_whole_and_is_purged_in_its_time()
    {
        var disk = new SparseDisk(2 << 20);
        disk.Write(0, TestVault.Noise(1, 900_000));
        await using var vault = await GovernedVault.OpenOrCreateAsync(backend, time);
        await vault.Governance.SetPolicyAsync(new() { SoftDeleteDays = 14 }, None);
        var snapshot = await vault.BackUpAsync(disk);
        Assert.True(await vault.DeleteSnapshotAsync(snapshot.Id, None));

        var deleted = Assert.Single(vault.Governance.SoftDeleted);
        Assert.Equal((snapshot.Id, time.Wall.AddDays(14)), (deleted.Snapshot.Id, Whole(deleted.DeleteAfter)));
        Assert.Empty(vault.Snapshots);
        await Assert.ThrowsAsync<StoreException>(() => vault.RestoreAsync(snapshot.Images[0].Image));
        var packs = await backend.AllAsync("packs/");
        await vault.CollectAsync([snapshot.Id], TestVault.Compact, None);
        Assert.Equal(packs, await backend.AllAsync("packs/"));
        Assert.Equal(1, (await vault.VerifyAsync(readData: true, null, None)).SnapshotsChecked);

        await vault.Governance.UndeleteAsync(snapshot.Id, None);
        await vault.Governance.UndeleteAsync(snapshot.Id, None);
        await vault.AssertRestoresAsync(snapshot.Images[0].Image, disk);
        await vault.DeleteSnapshotAsync(snapshot.Id, None);
        time.Pass(TimeSpan.FromDays(13.9));
        Assert.Empty(await vault.Governance.PurgeAsync(None));
        time.Pass(TimeSpan.FromDays(0.2));
        Assert.Equal([snapshot.Id], await vault.Governance.PurgeAsync(None));
        Assert.Empty(vault.Governance.SoftDeleted);
        Assert.Empty(vault.Log.Damage);
    }

    [Fact]
    public async Task A_purge_before_its_time_is_the_policys_to_allow()
    {
        await using var vault = await GovernedVault.OpenOrCreateAsync(backend, time);
        await vault.Governance.SetPolicyAsync(new() { SoftDeleteDays = 14 }, None);
        var (one, two) = (await vault.CommitAsync(), await vault.CommitAsync());
        await vault.Governance.PurgeNowAsync([one.Id], None).AssertAsync(StoreErrorKind.Refused, "not deleted before");
        await vault.DeleteSnapshotAsync(one.Id, None);
        await vault.Governance.PurgeNowAsync([one.Id], None);
        await vault.Governance.PurgeNowAsync([one.Id], None);
        await vault.DeleteSnapshotAsync(two.Id, None);
        await vault.Governance.SetPolicyAsync(vault.Governance.Policy with { IsSoftDeleteAlwaysOn = true }, None);
        await vault.Governance.PurgeNowAsync([two.Id], None).AssertAsync(StoreErrorKind.Locked, "until 2026-11-15");
        Assert.Equal(two.Id, Assert.Single(vault.Governance.SoftDeleted).Snapshot.Id);
    }

    [Fact]
    public async Task Locks_holds_and_minimum_retention_keep_a_snapshot_and_say_until_when()
    {
        await using var vault = await GovernedVault.OpenOrCreateAsync(backend, time);
        var governance = vault.Governance;
        var snapshot = await vault.CommitAsync(time.Wall.AddDays(3));
        Assert.Equal(time.Wall.AddDays(3), snapshot.LockedUntil);
        await vault.DeleteSnapshotAsync(snapshot.Id, None).AssertAsync(StoreErrorKind.Locked, "locked until 2026-11-04 12:00:00 UTC");
        await governance.LockAsync(snapshot.Id, time.Wall.AddDays(2), None).AssertAsync(StoreErrorKind.Locked, "cannot be shortened");
        await governance.LockAsync(snapshot.Id, time.Wall.AddDays(4), None);
        time.Pass(TimeSpan.FromDays(4.5));
        await governance.SetPolicyAsync(new() { MinimumRetentionDays = 5, Immutability = Immutability.Unlocked }, None);
        await vault.DeleteSnapshotAsync(snapshot.Id, None).AssertAsync(StoreErrorKind.Locked, "minimum retention keeps it until 2026-11-06");
        time.Pass(TimeSpan.FromDays(1));
        await governance.SetLegalHoldAsync(snapshot.Id, true, None);
        Assert.True(vault.Find(snapshot.Id)!.HasLegalHold);
        await vault.DeleteSnapshotAsync(snapshot.Id, None).AssertAsync(StoreErrorKind.Locked, "legal hold");
        await governance.SetLegalHoldAsync(snapshot.Id, false, None);

        // Also what was deleted already can be held, and then stays.
        await governance.SetPolicyAsync(new() { SoftDeleteDays = 1 }, None);
        Assert.True(await vault.DeleteSnapshotAsync(snapshot.Id, None));
        await governance.SetLegalHoldAsync(snapshot.Id, true, None);
        time.Pass(TimeSpan.FromDays(2));
        Assert.Empty(await governance.PurgeAsync(None));
        await governance.PurgeNowAsync([snapshot.Id], None).AssertAsync(StoreErrorKind.Locked, "legal hold");
        await governance.SetLegalHoldAsync(snapshot.Id, false, None);
        Assert.Equal([snapshot.Id], await governance.PurgeAsync(None));
        Assert.Empty(vault.Log.Damage);
    }

    [Fact]
    public async Task A_locked_policy_only_becomes_stricter()
    {
        await using var vault = await GovernedVault.OpenOrCreateAsync(backend, time);
        var governance = vault.Governance;
        await governance.SetPolicyAsync(new() { IsSoftDeleteAlwaysOn = true }, None).AssertAsync(StoreErrorKind.InvalidRequest, "at least one day");
        await governance.SetPolicyAsync(new() { SoftDeleteDays = -1 }, None).AssertAsync(StoreErrorKind.InvalidRequest, "days");
        await governance.SetPolicyAsync(new() { Immutability = (Immutability)7 }, None).AssertAsync(StoreErrorKind.InvalidRequest, "not known");
        var policy = new VaultPolicy { SoftDeleteDays = 14, MinimumRetentionDays = 30, Immutability = Immutability.Unlocked };
        await governance.SetPolicyAsync(policy, None);
        await governance.SetPolicyAsync(policy with { MinimumRetentionDays = 20 }, None);
        await governance.SetPolicyAsync(policy = policy with { Immutability = Immutability.Locked }, None);
        await governance.SetPolicyAsync(policy with { MinimumRetentionDays = 29 }, None).AssertAsync(StoreErrorKind.Refused, "shorter than 30 days");
        await governance.SetPolicyAsync(policy with { SoftDeleteDays = 13 }, None).AssertAsync(StoreErrorKind.Refused, "shorter than 14 days");
        await governance.SetPolicyAsync(policy with { Immutability = Immutability.Unlocked }, None).AssertAsync(StoreErrorKind.Refused, "for ever");
        await governance.SetPolicyAsync(policy = policy with { SoftDeleteDays = 20, IsSoftDeleteAlwaysOn = true }, None);
        await governance.SetPolicyAsync(policy with { IsSoftDeleteAlwaysOn = false }, None).AssertAsync(StoreErrorKind.Refused, "always on");
        await vault.CommitAsync();
        await vault.Keys.EraseAsync(vault.VaultId.ToString(), None).AssertAsync(StoreErrorKind.Locked, "minimum retention");
        time.Pass(TimeSpan.FromDays(31));
        await vault.Keys.EraseAsync(vault.VaultId.ToString(), None).AssertAsync(StoreErrorKind.Refused, "there are snapshots");
        Assert.Single(await backend.AllAsync("keys/"));
        Assert.Equal(policy, governance.Policy);
    }

    [Fact]
    public async Task Everything_about_snapshots_and_policy_survives_checkpoints_and_openings()
    {
        Snapshot locked, deleted, purged;
        var policy = new VaultPolicy { SoftDeleteDays = 7, MinimumRetentionDays = 1, Immutability = Immutability.Locked };
        await using (var vault = await GovernedVault.OpenOrCreateAsync(backend, time))
        {
            locked = await vault.CommitAsync(time.Wall.AddDays(9));
            (deleted, purged) = (await vault.CommitAsync(), await vault.CommitAsync());
            await vault.DeleteSnapshotAsync(purged.Id, None);
            await vault.Governance.SetPolicyAsync(policy, None);
            await vault.Governance.SetLegalHoldAsync(locked.Id, true, None);
            await vault.Governance.LockAsync(locked.Id, time.Wall.AddDays(12), None);
            time.Pass(TimeSpan.FromDays(2));
            await vault.DeleteSnapshotAsync(deleted.Id, None);
            await vault.Keys.RotateAsync(None);
            for (var i = 0; i < 260; i++)
                await vault.Governance.SetLegalHoldAsync(deleted.Id, i % 2 == 0, None);
        }

        await using var again = await GovernedVault.OpenOrCreateAsync(backend, time);
        Assert.Equal(policy, again.Governance.Policy);
        var found = Assert.Single(again.Snapshots);
        Assert.Equal((locked.Id, GovernedVault.Start.AddDays(12), true), (found.Id, found.LockedUntil!.Value, found.HasLegalHold));
        var gone = Assert.Single(again.Governance.SoftDeleted);
        Assert.Equal((deleted.Id, false, time.Wall.AddDays(7)), (gone.Snapshot.Id, gone.Snapshot.HasLegalHold, Whole(gone.DeleteAfter)));
        Assert.True(again.Log.State.Snapshots.IsDeleted(purged.Id));
        Assert.Equal(2, again.Keys.CurrentEpoch);
        Assert.True(again.Governance.IsClockTrusted);
        Assert.Empty(again.Log.Damage);
    }

    /// <summary>Entries in one instant have times a millisecond apart.</summary>
    private static DateTimeOffset Whole(DateTimeOffset time) => new(time.Ticks / TimeSpan.TicksPerSecond * TimeSpan.TicksPerSecond, TimeSpan.Zero);
}
