using Strongroom.Store.Tests.Fakes;

namespace Strongroom.Store.Tests.Governance;

public sealed class ClockGuardTests
{
    private readonly MemoryBackend backend = new();
    private readonly TwoClocks time = new(GovernedVault.Start);

    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task A_clock_that_was_set_forward_unlocks_and_purges_nothing_until_it_is_right_again_or_accepted()
    {
        await using var vault = await GovernedVault.OpenOrCreateAsync(backend, time);
        await vault.Governance.SetPolicyAsync(new() { SoftDeleteDays = 14 }, None);
        var locked = await vault.CommitAsync(time.Wall.AddDays(20));
        var deleted = await vault.CommitAsync();
        await vault.DeleteSnapshotAsync(deleted.Id, None);
        var right = time.Wall;
        time.Wall = right.AddDays(30);
        Assert.Contains("was set from about 2026-11-01", vault.Governance.ClockDistrust, StringComparison.Ordinal);
        await vault.Governance.PurgeAsync(None).AssertAsync(StoreErrorKind.Refused, "not trusted");
        await vault.DeleteSnapshotAsync(locked.Id, None).AssertAsync(StoreErrorKind.Refused, "not trusted");

        // Backups go on.
        time.Wall = right.AddHours(20);
        Assert.True(vault.Governance.IsClockTrusted);
        time.Wall = right.AddDays(30);
        await vault.CommitAsync();
        await vault.Governance.AcceptClockAsync(None);
        Assert.True(vault.Governance.IsClockTrusted);
        Assert.Equal([deleted.Id], await vault.Governance.PurgeAsync(None));
        Assert.True(await vault.DeleteSnapshotAsync(locked.Id, None));
        Assert.Empty(vault.Log.Damage);
    }

    [Fact]
    public async Task Entries_made_with_a_clock_far_ahead_do_not_make_it_believed()
    {
        await using (var vault = await GovernedVault.OpenOrCreateAsync(backend, time))
        {
            await vault.Governance.SetPolicyAsync(new() { SoftDeleteDays = 14 }, None);
            await vault.DeleteSnapshotAsync((await vault.CommitAsync()).Id, None);
        }

        time.Wall = GovernedVault.Start.AddDays(100);
        for (var opening = 0; opening < 3; opening++)
        {
            await using var vault = await GovernedVault.OpenOrCreateAsync(backend, time);
            Assert.False(vault.Governance.IsClockTrusted);
            await vault.CommitAsync();
            Assert.Empty(await vault.Governance.PurgeAsync(None));
        }

        // Set right, it is behind the log; the log alone cannot tell which of the two is wrong, so somebody must.
        time.Wall = GovernedVault.Start.AddDays(1);
        await using (var vault = await GovernedVault.OpenOrCreateAsync(backend, time))
        {
            Assert.Contains("was written at 2027-02-09", vault.Governance.ClockDistrust, StringComparison.Ordinal);
            await vault.Governance.AcceptClockAsync(None);
            Assert.True(vault.Governance.IsClockTrusted);
            Assert.Empty(await vault.Governance.PurgeAsync(None));
        }

        time.Pass(TimeSpan.FromDays(14));
        await using var later = await GovernedVault.OpenOrCreateAsync(backend, time);
        Assert.Null(later.Governance.ClockDistrust);
        Assert.Single(await later.Governance.PurgeAsync(None));
        Assert.Empty(later.Log.Damage);
    }

    [Fact]
    public async Task A_vault_that_was_only_silent_is_purged_again_after_two_weeks_without_anybodys_help()
    {
        SnapshotId deleted, locked;
        await using (var vault = await GovernedVault.OpenOrCreateAsync(backend, time))
        {
            await vault.Governance.SetPolicyAsync(new() { SoftDeleteDays = 14 }, None);
            deleted = (await vault.CommitAsync()).Id;
            locked = (await vault.CommitAsync(time.Wall.AddDays(70))).Id;
            await vault.DeleteSnapshotAsync(deleted, None);
        }

        time.Pass(TimeSpan.FromDays(65));
        await using (var vault = await GovernedVault.OpenOrCreateAsync(backend, time))
        {
            Assert.Contains("not written to from 2026-11-01", vault.Governance.ClockDistrust, StringComparison.Ordinal);
            await vault.CollectAsync(null, TestVault.AtOnce, None);
            Assert.Empty(await vault.Governance.PurgeAsync(None));
        }

        // A collection's sign of life ended the silence; from then on time counts.
        time.Pass(TimeSpan.FromDays(13));
        await using (var early = await GovernedVault.OpenOrCreateAsync(backend, time))
            Assert.False(early.Governance.IsClockTrusted);
        time.Pass(TimeSpan.FromDays(2));
        await using var settled = await GovernedVault.OpenOrCreateAsync(backend, time);
        Assert.Null(settled.Governance.ClockDistrust);
        Assert.Equal([deleted], await settled.Governance.PurgeAsync(None));

        // What was locked before the silence stays so, for as long as the vault can be sure of; what is newer is not touched by it.
        var fresh = (await settled.CommitAsync()).Id;
        await settled.DeleteSnapshotAsync(fresh, None);
        Assert.Equal(65, Math.Round(settled.Governance.UncountedTime.TotalDays));
        await settled.DeleteSnapshotAsync(locked, None).AssertAsync(StoreErrorKind.Locked, "65 days in which the vault was not written to do not count");
        time.Pass(TimeSpan.FromDays(14.1));
        Assert.Equal([fresh], await settled.Governance.PurgeAsync(None));
        await settled.Governance.AcceptClockAsync(None);
        Assert.True(await settled.DeleteSnapshotAsync(locked, None));
        Assert.Empty(settled.Log.Damage);
    }

    [Fact]
    public async Task Leaps_are_remembered_by_checkpoints_and_however_many_there_are_none_is_forgotten()
    {
        SnapshotId locked;
        await using (var vault = await GovernedVault.OpenOrCreateAsync(backend, time))
            locked = (await vault.CommitAsync(time.Wall.AddDays(30))).Id;
        for (var leap = 0; leap < 70; leap++)
        {
            time.Pass(TimeSpan.FromDays(50));
            await using var vault = await GovernedVault.OpenOrCreateAsync(backend, time);
            for (var i = 0; i < 4; i++)
                await vault.CommitAsync();
        }

        time.Pass(TimeSpan.FromDays(20));
        await using var later = await GovernedVault.OpenOrCreateAsync(backend, time);
        Assert.True(later.Log.LastCheckpoint > 0);
        Assert.True(later.Governance.IsClockTrusted);
        Assert.True(later.Governance.UncountedTime >= TimeSpan.FromDays(3499), later.Governance.UncountedTime.ToString());
        await later.DeleteSnapshotAsync(locked, None).AssertAsync(StoreErrorKind.Locked, "do not count");
    }

    [Fact]
    public async Task A_vault_that_is_collected_is_never_silent()
    {
        for (var month = 0; month < 6; month++)
        {
            await using var vault = await GovernedVault.OpenOrCreateAsync(backend, time);
            await vault.CollectAsync(null, TestVault.AtOnce, None);
            Assert.Equal(TimeSpan.Zero, vault.Governance.UncountedTime);
            time.Pass(TimeSpan.FromDays(31));
        }
    }

    [Fact]
    public async Task A_clock_behind_the_log_is_not_trusted_and_deletes_nothing_too_early()
    {
        await using (var vault = await GovernedVault.OpenOrCreateAsync(backend, time))
            await vault.Governance.SetPolicyAsync(new() { SoftDeleteDays = 14 }, None);
        time.Wall = GovernedVault.Start.AddYears(-1);
        await using var behind = await GovernedVault.OpenOrCreateAsync(backend, time);
        Assert.Contains("was written at 2026-11-01", behind.Governance.ClockDistrust, StringComparison.Ordinal);
        var snapshot = await behind.CommitAsync();
        Assert.True(snapshot.CreatedAt > GovernedVault.Start);

        // Not locked, so the clock does not matter; but the time to bring it back counts from the log's time.
        await behind.DeleteSnapshotAsync(snapshot.Id, None);
        Assert.True(Assert.Single(behind.Governance.SoftDeleted).DeleteAfter >= GovernedVault.Start.AddDays(14));
        time.Wall = GovernedVault.Start.AddMinutes(-59);
        await using var near = await GovernedVault.OpenOrCreateAsync(backend, time);
        Assert.True(near.Governance.IsClockTrusted);
    }

    [Fact]
    public async Task Where_time_is_moved_on_purpose_the_guard_is_off()
    {
        await using var vault = await GovernedVault.OpenOrCreateAsync(backend, time, guardsClock: false);
        await vault.Governance.SetPolicyAsync(new() { SoftDeleteDays = 14 }, None);
        await vault.DeleteSnapshotAsync((await vault.CommitAsync()).Id, None);
        time.Wall = time.Wall.AddYears(3);
        Assert.True(vault.Governance.IsClockTrusted);
        Assert.Single(await vault.Governance.PurgeAsync(None));
    }
}
