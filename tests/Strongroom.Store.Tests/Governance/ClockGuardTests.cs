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
            await vault.Governance.PurgeAsync(None).AssertAsync(StoreErrorKind.Refused, "not trusted");
        }

        // Set right, it is behind the log; the log alone cannot tell which of the two is wrong, so somebody must.
        time.Wall = GovernedVault.Start.AddDays(1);
        await using (var vault = await GovernedVault.OpenOrCreateAsync(backend, time))
        {
            Assert.Contains("leaps from 2026-11-01", vault.Governance.ClockDistrust, StringComparison.Ordinal);
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
    public async Task The_storages_clock_is_asked_where_there_is_one()
    {
        var clocked = new ClockedBackend(backend) { Time = time.Wall };
        await using var vault = await GovernedVault.OpenOrCreateAsync(clocked, time);
        await vault.Governance.SetPolicyAsync(new() { SoftDeleteDays = 1 }, None);
        await vault.DeleteSnapshotAsync((await vault.CommitAsync()).Id, None);
        time.Pass(TimeSpan.FromDays(2.5));
        await vault.Governance.PurgeAsync(None).AssertAsync(StoreErrorKind.Refused, "the storage's clock says 2026-11-01");
        clocked.Time = null;
        await vault.Governance.PurgeAsync(None).AssertAsync(StoreErrorKind.Refused, "the storage's clock says 2026-11-01");
        clocked.Time = time.Wall;
        Assert.Single(await vault.Governance.PurgeAsync(None));
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

    private sealed class ClockedBackend(IBlobBackend inner) : PassThroughBackend(inner), IBackendClock
    {
        public DateTimeOffset? Time { get; set; }

        public ValueTask<DateTimeOffset?> GetTimeAsync(CancellationToken cancellationToken) => new(Time);
    }
}
