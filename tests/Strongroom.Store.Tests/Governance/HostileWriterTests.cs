using Strongroom.Store.Log;
using Strongroom.Store.Tests.Fakes;

namespace Strongroom.Store.Tests.Governance;

/// <summary>Somebody with the keys writes entries that no honest program would: readers report them and obey none.</summary>
public sealed class HostileWriterTests
{
    private readonly MemoryBackend backend = new();
    private readonly TwoClocks time = new(GovernedVault.Start);

    private static CancellationToken None => CancellationToken.None;

    public static TheoryData<string> Crimes =>
        ["purge", "forced", "early", "short", "future", "delete", "unlock", "weaken", "off", "erase"];

    [Theory]
    [MemberData(nameof(Crimes))]
    public async Task An_entry_against_the_rules_is_reported_and_not_obeyed(string crime)
    {
        await using var vault = await GovernedVault.OpenOrCreateAsync(backend, time);
        var locked = await vault.CommitAsync(time.Wall.AddDays(30));
        var (free, deleted) = (await vault.CommitAsync(), await vault.CommitAsync());
        await vault.Governance.SetPolicyAsync(new() { SoftDeleteDays = 14, IsSoftDeleteAlwaysOn = true, Immutability = Immutability.Locked }, None);
        await vault.DeleteSnapshotAsync(deleted.Id, None);
        var (policy, now) = (vault.Governance.Policy, time.Wall);
        await using (var hostile = await GovernedVault.OpenOrCreateAsync(backend, time))
        {
            var (type, payload) = crime switch
            {
                "purge" => (LogEntryType.Purge, new PurgeEntry(now, false, [free.Id]).Format()),
                "forced" => (LogEntryType.Purge, new PurgeEntry(now, true, [deleted.Id, locked.Id]).Format()),
                "early" => (LogEntryType.Purge, new PurgeEntry(now.AddDays(13), false, [deleted.Id]).Format()),
                "future" => (LogEntryType.Purge, new PurgeEntry(now.AddDays(99), false, [deleted.Id]).Format()),
                "short" => (LogEntryType.Tombstone, new TombstoneEntry(free.Id, now, now.AddDays(13)).Format()),
                "delete" => (LogEntryType.Tombstone, new TombstoneEntry(locked.Id, now, now.AddDays(15)).Format()),
                "unlock" => (LogEntryType.Lock, new LockEntry(locked.Id, null, false).Format()),
                "weaken" => (LogEntryType.Policy, PolicyState.Format(policy with { SoftDeleteDays = 1 })),
                "off" => (LogEntryType.Policy, PolicyState.Format(new())),
                _ => (LogEntryType.Erase, new PayloadWriter().Int64(now.ToUnixTimeMilliseconds()).ToArray()),
            };
            await hostile.Log.AppendAsync(type, _ => payload, None);
        }

        await AssertUntouchedAsync(vault, locked, free, deleted, policy);
        await using var later = await GovernedVault.OpenOrCreateAsync(backend, time);
        await AssertUntouchedAsync(later, locked, free, deleted, policy);

        // Backups go on, and nothing of the crime is forgotten by a checkpoint.
        for (var i = 0; i < 260; i++)
            await later.Governance.SetLegalHoldAsync(free.Id, i % 2 == 0, None);
        await using var last = await GovernedVault.OpenOrCreateAsync(backend, time);
        await AssertUntouchedAsync(last, locked, free, deleted, policy);
        await AcceptAsync(last);
        await using var accepted = await GovernedVault.OpenOrCreateAsync(backend, time);
        Assert.Empty(accepted.Log.Damage);
        Assert.True((await accepted.VerifyAsync(readData: false, null, None)).IsHealthy);
        Assert.Equal(2, accepted.Snapshots.Count);
    }

    /// <summary>While nobody took note of it nothing is collected; then everything is as if the entry had never been.</summary>
    private static async Task AcceptAsync(VaultStore vault)
    {
        Assert.Equal(StoreErrorKind.Corrupt, (await Assert.ThrowsAsync<StoreException>(() => vault.CollectAsync(null, TestVault.AtOnce, None))).Kind);
        var breach = Assert.Single(vault.LogLosses);
        Assert.True(breach.IsBreach);
        var lie = await Assert.ThrowsAsync<StoreException>(() => vault.AcceptLossAsync([breach with { IsBreach = false }], [], None));
        Assert.Equal(StoreErrorKind.InvalidRequest, lie.Kind);
        await vault.AcceptLossAsync([breach], [], None);
        Assert.Empty(vault.LogLosses);
        await vault.CollectAsync(null, TestVault.AtOnce, None);
        var again = await Assert.ThrowsAsync<StoreException>(() => vault.AcceptLossAsync([breach], [], None));
        Assert.Equal(StoreErrorKind.InvalidRequest, again.Kind);
    }

    private static async Task AssertUntouchedAsync(VaultStore vault, Snapshot locked, Snapshot free, Snapshot deleted, VaultPolicy policy)
    {
        await vault.Log.RefreshAsync(None);
        Assert.Equal(new HashSet<SnapshotId> { locked.Id, free.Id }, [.. vault.Snapshots.Select(snapshot => snapshot.Id)]);
        Assert.Equal(locked.LockedUntil, vault.Find(locked.Id)!.LockedUntil);
        Assert.Equal(deleted.Id, Assert.Single(vault.Governance.SoftDeleted).Snapshot.Id);
        Assert.Equal(policy, vault.Governance.Policy);
        Assert.False(vault.Log.State.Keys.IsErased);
        Assert.Contains("not obeyed", vault.Log.Damage[0], StringComparison.Ordinal);
        Assert.False((await vault.VerifyAsync(readData: false, null, None)).IsHealthy);
    }
}
