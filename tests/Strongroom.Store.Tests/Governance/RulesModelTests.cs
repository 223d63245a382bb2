using CsCheck;
using Strongroom.Store.Tests.Fakes;

namespace Strongroom.Store.Tests.Governance;

/// <summary>Two processes do to one vault whatever comes to mind; a simple model says what must be allowed and what must be there.</summary>
public sealed class RulesModelTests
{
    private static readonly VaultPolicy[] Policies =
    [
        new(),
        new() { SoftDeleteDays = 3 },
        new() { SoftDeleteDays = 9, MinimumRetentionDays = 4, Immutability = Immutability.Unlocked },
        new() { MinimumRetentionDays = 6 },
        new() { SoftDeleteDays = 2, IsSoftDeleteAlwaysOn = true },
        new() { SoftDeleteDays = 5, IsSoftDeleteAlwaysOn = true },
        new() { SoftDeleteDays = 9, IsSoftDeleteAlwaysOn = true, MinimumRetentionDays = 2, Immutability = Immutability.Locked },
        new() { SoftDeleteDays = 4, MinimumRetentionDays = 5, Immutability = Immutability.Locked },
    ];

    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task Whatever_is_asked_in_whatever_order_the_rules_hold_in_every_process()
    {
        var step = Gen.Select(Gen.Int[0, 13], Gen.Int[0, 7], Gen.Int[0, 12], Gen.Bool);
        await Check.SampleAsync(step.Array[10, 60], PlayAsync, iter: 120, threads: 1);
    }

    [Fact]
    public async Task Of_a_lock_of_the_policy_and_its_weakening_at_once_never_both_come_true()
    {
        var (lockedFirst, weakenedFirst) = (0, 0);
        for (var round = 0; round < 40; round++)
        {
            var backend = new MemoryBackend();
            var time = new TwoClocks(GovernedVault.Start);
            var strict = new VaultPolicy { SoftDeleteDays = 14, MinimumRetentionDays = 30, Immutability = Immutability.Unlocked };
            await using var one = await GovernedVault.OpenOrCreateAsync(backend, time);
            await one.Governance.SetPolicyAsync(strict, None);
            await using var two = await GovernedVault.OpenOrCreateAsync(backend, time);
            using var start = new Barrier(2);
            var outcomes = await Task.WhenAll(
                TryAtOnceAsync(start, () => one.Governance.SetPolicyAsync(strict with { Immutability = Immutability.Locked }, None)),
                TryAtOnceAsync(start, () => two.Governance.SetPolicyAsync(strict with { SoftDeleteDays = 0, MinimumRetentionDays = 0 }, None)));

            // Locking after the weakening would lock the stricter policy in again, and is allowed; weakening after the lock is not.
            Assert.True(outcomes[0]);
            await using var three = await GovernedVault.OpenOrCreateAsync(backend, time);
            Assert.Equal(strict with { Immutability = Immutability.Locked }, three.Governance.Policy);
            Assert.Empty(three.Log.Damage);
            lockedFirst += outcomes[1] ? 0 : 1;
            weakenedFirst += outcomes[1] ? 1 : 0;
        }

        Assert.Equal(40, lockedFirst + weakenedFirst);
    }

    private static async Task<bool> TryAtOnceAsync(Barrier start, Func<Task> act) => await Task.Run(async () =>
    {
        start.SignalAndWait();
        return await TryAsync(act);
    });

    private static async Task<bool> TryAsync(Func<Task> act)
    {
        try
        {
            await act();
            return true;
        }
        catch (StoreException failure) when (failure.Kind is StoreErrorKind.Locked or StoreErrorKind.Refused or StoreErrorKind.NotFound)
        {
            return false;
        }
    }

    private static async Task PlayAsync((int Act, int Which, int Days, bool IsSecond)[] steps)
    {
        var backend = new MemoryBackend();
        var time = new TwoClocks(GovernedVault.Start);
        await using var one = await GovernedVault.OpenOrCreateAsync(backend, time);
        await using var two = await GovernedVault.OpenOrCreateAsync(backend, time);
        var model = new RulesModel();
        foreach (var (act, which, days, isSecond) in steps)
        {
            // Every entry has an instant of its own, so that the model need not know how ties are broken.
            time.Pass(TimeSpan.FromSeconds(1));
            await StepAsync(isSecond ? two : one, model, time, act, which, days);
        }

        await one.Log.RefreshAsync(None);
        await two.Log.RefreshAsync(None);
        await using var three = await GovernedVault.OpenOrCreateAsync(backend, time);
        foreach (var vault in (VaultStore[])[one, two, three])
            AssertSame(model, vault);
    }

    private static async Task StepAsync(VaultStore vault, RulesModel model, TwoClocks time, int act, int which, int days)
    {
        var now = time.Wall;
        var id = model.Known.Count == 0 ? new SnapshotId(Guid.Empty) : model.Known[which % model.Known.Count];
        var governance = vault.Governance;
        switch (act)
        {
            case 0 or 1 or 2:
                DateTimeOffset? until = act == 0 ? now.AddDays(days) : null;
                model.Commit((await vault.CommitAsync(until)).Id, now, until);
                break;
            case 3 or 4 or 5:
                var isGone = false;
                Assert.Equal(model.Delete(id, now, out var expected), await TryAsync(async () => isGone = await vault.DeleteSnapshotAsync(id, None)));
                Assert.Equal(expected, isGone);
                break;
            case 6:
                Assert.Equal(model.Undelete(id), await TryAsync(() => governance.UndeleteAsync(id, None)));
                break;
            case 7:
                var purged = await governance.PurgeAsync(None);
                Assert.Equal(model.Purge(now), purged.ToHashSet());
                break;
            case 8:
                Assert.Equal(model.PurgeNow(id, now), await TryAsync(() => governance.PurgeNowAsync([id], None)));
                break;
            case 9:
                Assert.Equal(model.Lock(id, now.AddDays(days)), await TryAsync(() => governance.LockAsync(id, now.AddDays(days), None)));
                break;
            case 10:
                Assert.Equal(model.Hold(id, days < 5), await TryAsync(() => governance.SetLegalHoldAsync(id, days < 5, None)));
                break;
            case 11:
                var policy = Policies[(which + days) % Policies.Length];
                Assert.Equal(model.SetPolicy(policy), await TryAsync(() => governance.SetPolicyAsync(policy, None)));
                break;
            default:
                time.Pass(TimeSpan.FromHours(days * 5));
                break;
        }
    }

    private static void AssertSame(RulesModel model, VaultStore vault)
    {
        Assert.Equal(model.Visible, vault.Snapshots.Select(snapshot => snapshot.Id).ToHashSet());
        Assert.Equal(model.Deleted, vault.Governance.SoftDeleted.Select(deleted => deleted.Snapshot.Id).ToHashSet());
        Assert.Equal(model.Policy, vault.Governance.Policy);
        Assert.Empty(vault.Log.Damage);
    }
}
