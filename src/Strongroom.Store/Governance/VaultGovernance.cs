using Strongroom.Store.Governance;
using Strongroom.Store.Log;

namespace Strongroom.Store;

/// <summary>Deletion, locks and policy of an open vault. Thread-safe.</summary>
/// <remarks>
/// Every change is one entry of the log, decided against everything before it, whoever wrote that: of two writers who race, the second is held to
/// what the first has set. Failures are <see cref="StoreException"/>: Locked (the message says until when), Refused (the message names the rule), Corrupt (a deletion or purge
/// while log entries cannot be read: one of them may forbid it), Io, Full, Conflict.
/// </remarks>
public sealed class VaultGovernance
{
    private readonly VaultLog log;
    private readonly ClockGuard clock;

    internal VaultGovernance(VaultLog log, ClockGuard clock)
    {
        this.log = log;
        this.clock = clock;
    }

    /// <summary>The policy, as far as the log was read.</summary>
    public VaultPolicy Policy => log.State.Policy.Current;

    /// <summary>Deleted snapshots that can be brought back, in no order. Their content stays.</summary>
    public IReadOnlyCollection<SoftDeletedSnapshot> SoftDeleted => log.State.Snapshots.SoftDeleted;

    /// <summary>False while the clock looks set wrong: nothing is purged or unlocked by its age until it looks right again or <see cref="AcceptClockAsync"/>. Backups and restores go on.</summary>
    public bool IsClockTrusted => clock.Distrust is null;

    /// <summary>Why the clock is not trusted, as a part of a sentence; null when it is.</summary>
    public string? ClockDistrust => clock.Distrust;

    /// <summary>Time in which the vault was silent for so long that it does not count for what is older, because a clock that was set forward looks the same; until <see cref="AcceptClockAsync"/>.</summary>
    public TimeSpan UncountedTime => clock.Uncounted(DateTimeOffset.MinValue);

    /// <summary>Sets the policy. One that is locked can only be made stricter.</summary>
    /// <exception cref="StoreException">Refused: it weakens what is locked. InvalidRequest: it makes no sense.</exception>
    public async Task SetPolicyAsync(VaultPolicy policy, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(policy);
        policy.Validate();
        await AppendAsync(
            LogEntryType.Policy,
            _ =>
            {
                if (policy == Policy)
                    return null;
                Require("The policy cannot be set", SnapshotRules.WhyNotPolicy(Policy, policy));
                return PolicyState.Format(policy);
            },
            cancellationToken);
    }

    /// <summary>Tells whether a snapshot can be deleted now, as far as the log was read. One that is not there can.</summary>
    /// <exception cref="StoreException">Locked: something keeps it.</exception>
    public void RequireDeletable(SnapshotId id)
    {
        if (log.State.Snapshots.Find(id) is { } snapshot)
        {
            var what = $"Snapshot {id} cannot be deleted";
            RequireReadableLog(what);
            Require(what, WhyKept(snapshot, clock.Now));
        }
    }

    /// <summary>Takes a snapshot off the list. It can be brought back for as long as the policy says; without soft delete it is gone for good.</summary>
    /// <returns>False when it was not there: repeating is harmless.</returns>
    /// <exception cref="StoreException">Locked: something keeps it.</exception>
    public async Task<bool> DeleteAsync(SnapshotId id, CancellationToken cancellationToken)
    {
        // The kind of entry is decided before the head is known; where another writer has changed the policy since, it is decided again.
        while (true)
        {
            var days = Policy.SoftDeleteDays;
            var isStale = false;
            var entry = await AppendAsync(
                days == 0 ? LogEntryType.Purge : LogEntryType.Tombstone,
                now =>
                {
                    isStale = days != Policy.SoftDeleteDays;
                    return isStale || log.State.Snapshots.Find(id) is not { } snapshot ? null : Delete(snapshot, days, now);
                },
                cancellationToken);
            if (!isStale)
                return entry is not null;
        }
    }

    /// <summary>Brings a deleted snapshot back. Does nothing when it was not deleted.</summary>
    /// <exception cref="StoreException">NotFound: it was purged, or was never there.</exception>
    public Task UndeleteAsync(SnapshotId id, CancellationToken cancellationToken) => AppendAsync(
        LogEntryType.Undelete,
        _ => log.State.Snapshots.FindSoftDeleted(id) is not null ? new PayloadWriter().Guid(id.Value).ToArray()
            : log.State.Snapshots.Find(id) is not null ? null
            : throw new StoreException(StoreErrorKind.NotFound, $"Snapshot {id} is not among the deleted ones that can be brought back. List them again."),
        cancellationToken);

    /// <summary>Gives up every deleted snapshot whose time has come and that nothing keeps; their room comes back with a collection.</summary>
    /// <returns>Which.</returns>
    /// <exception cref="StoreException">Refused: some are there, but the clock is not trusted.</exception>
    public async Task<IReadOnlyList<SnapshotId>> PurgeAsync(CancellationToken cancellationToken)
    {
        IReadOnlyList<SnapshotId> due = [];
        await AppendAsync(
            LogEntryType.Purge,
            now =>
            {
                var at = At(now);
                due = [.. SoftDeleted.Where(deleted => WhyNotPurged(deleted, at, isForced: false) is null).Select(deleted => deleted.Snapshot.Id)];
                if (due.Count == 0)
                    return null;
                RequireReadableLog("Nothing can be purged");
                RequireClock("Nothing can be purged");
                return new PurgeEntry(at, false, due).Format();
            },
            cancellationToken);
        return due;
    }

    /// <summary>Gives up deleted snapshots before their time. Locks, legal holds and minimum retention are never passed over.</summary>
    /// <param name="ids">All of them or none; those that are gone already do not count.</param>
    /// <param name="cancellationToken">Has no effect once the entry may be visible.</param>
    /// <exception cref="StoreException">Locked or Refused: the policy or a lock forbids it for one of them; or one of them was not deleted before.</exception>
    public Task PurgeNowAsync(IReadOnlyCollection<SnapshotId> ids, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(ids);
        return AppendAsync(
            LogEntryType.Purge,
            now =>
            {
                var at = At(now);
                var present = new List<SnapshotId>();
                foreach (var id in ids.Distinct())
                {
                    var what = $"Snapshot {id} cannot be purged";
                    if (log.State.Snapshots.Find(id) is not null)
                        throw new StoreException(StoreErrorKind.Refused, $"{what}: it was not deleted before. Nothing was changed.");
                    if (log.State.Snapshots.FindSoftDeleted(id) is not { } deleted)
                        continue;
                    RequireReadableLog(what);
                    Require(what, WhyNotPurged(deleted, at, isForced: true));

                    // Where the policy lets force do it, the time matters only for locks.
                    if (!SnapshotRules.IsForceAllowed(Policy) || SnapshotRules.KeptUntil(deleted.Snapshot, Policy) is not null)
                        RequireClock(what);
                    present.Add(id);
                }

                return present.Count == 0 ? null : new PurgeEntry(at, true, present).Format();
            },
            cancellationToken);
    }

    /// <summary>Nothing can delete the snapshot before a time. It can be made later, never earlier.</summary>
    /// <exception cref="StoreException">Locked: it is locked for longer already. NotFound.</exception>
    public Task LockAsync(SnapshotId id, DateTimeOffset until, CancellationToken cancellationToken) => ChangeLockAsync(
        id,
        snapshot => snapshot.LockedUntil > until
            ? throw new StoreException(StoreErrorKind.Locked, $"Snapshot {id} is locked until {snapshot.LockedUntil:O}; a lock cannot be shortened. Nothing was changed.")
            : new(id, until, snapshot.HasLegalHold),
        cancellationToken);

    /// <summary>Nothing can delete the snapshot while a legal hold is on it, whatever the time.</summary>
    /// <exception cref="StoreException">NotFound.</exception>
    public Task SetLegalHoldAsync(SnapshotId id, bool isOn, CancellationToken cancellationToken) =>
        ChangeLockAsync(id, snapshot => new(id, snapshot.LockedUntil, isOn), cancellationToken);

    /// <summary>Says, in the log, that the clock of this machine is right.</summary>
    public async Task AcceptClockAsync(CancellationToken cancellationToken)
    {
        await AppendAsync(LogEntryType.Clock, now => ClockState.Format(At(now)), cancellationToken);
        clock.Accept();
    }

    /// <exception cref="StoreException">Refused: the clock is not trusted.</exception>
    internal void RequireClock(string what)
    {
        if (clock.Distrust is { } why)
            throw new StoreException(StoreErrorKind.Refused, $"{what}, because this machine's clock is not trusted: {why}. Set the clock right, or accept it as it is with 'strongroom store accept-clock'.");
    }

    /// <summary>The payload of ERASE, if the rules allow it now.</summary>
    internal byte[] RequireErasable(DateTimeOffset now)
    {
        const string What = "The vault's keys cannot be destroyed";
        var at = At(now);
        RequireReadableLog(What);
        Require(What, SnapshotRules.WhyNotErased(log.State.Snapshots.AllLive, Policy, at));
        foreach (var snapshot in log.State.Snapshots.AllLive)
            Require($"{What}, because of snapshot {snapshot.Id}", WhyKept(snapshot, at));
        if (log.State.Snapshots.AllLive.Any(snapshot => SnapshotRules.KeptUntil(snapshot, Policy) is not null))
            RequireClock(What);
        return new PayloadWriter().Int64(at.ToUnixTimeMilliseconds()).ToArray();
    }

    /// <summary>As the rules say, but by the time that counts: a clock that was set forward shortens nothing.</summary>
    private Refusal? WhyKept(Snapshot snapshot, DateTimeOffset at) => Counted(snapshot.CreatedAt, at, counted => SnapshotRules.WhyKept(snapshot, Policy, counted));

    private Refusal? WhyNotPurged(SoftDeletedSnapshot deleted, DateTimeOffset at, bool isForced) =>
        WhyKept(deleted.Snapshot, at) ?? Counted(deleted.DeletedAt, at, counted => SnapshotRules.WhyNotPurged(deleted, Policy, counted, isForced));

    private Refusal? Counted(DateTimeOffset since, DateTimeOffset at, Func<DateTimeOffset, Refusal?> decide)
    {
        var uncounted = clock.Uncounted(since);
        return decide(at - uncounted) is { } refusal && uncounted > TimeSpan.Zero && decide(at) is null
            ? refusal with { Why = $"{refusal.Why}, and {Math.Round(uncounted.TotalDays)} days in which the vault was not written to do not count (they do after 'strongroom store accept-clock')" }
            : decide(at - uncounted);
    }

    private static void Require(string what, Refusal? refusal)
    {
        if (refusal is not null)
            throw refusal.ToException(what);
    }

    /// <summary>An entry that cannot be read may have locked what is to go, or made the policy stricter.</summary>
    private void RequireReadableLog(string what)
    {
        if (log.Unread is [var first, ..])
            throw new StoreException(StoreErrorKind.Corrupt, $"{what}, because {first.What}, and may have forbidden it. Heal the vault from a copy, or, when there is none, accept the loss.");
    }

    /// <summary>This machine's clock, which may be behind the entry's time but must not be ahead of it.</summary>
    private DateTimeOffset At(DateTimeOffset entryTime) => clock.Now is var now && now < entryTime ? now : entryTime;

    private byte[] Delete(Snapshot snapshot, int softDeleteDays, DateTimeOffset now)
    {
        var what = $"Snapshot {snapshot.Id} cannot be deleted";
        var at = At(now);
        RequireReadableLog(what);
        Require(what, WhyKept(snapshot, at));
        if (SnapshotRules.KeptUntil(snapshot, Policy) is not null)
            RequireClock(what);
        return softDeleteDays == 0
            ? new PurgeEntry(at, false, [snapshot.Id]).Format()
            : new TombstoneEntry(snapshot.Id, at, SnapshotRules.Later(now, softDeleteDays)).Format();
    }

    private Task ChangeLockAsync(SnapshotId id, Func<Snapshot, LockEntry> change, CancellationToken cancellationToken) => AppendAsync(
        LogEntryType.Lock,
        _ =>
        {
            var snapshot = log.State.Snapshots.Find(id) ?? log.State.Snapshots.FindSoftDeleted(id)?.Snapshot
                ?? throw new StoreException(StoreErrorKind.NotFound, $"Snapshot {id} is not in the vault. List the snapshots again.");
            var next = change(snapshot);
            return next.LockedUntil == snapshot.LockedUntil && next.HasLegalHold == snapshot.HasLegalHold ? null : next.Format();
        },
        cancellationToken);

    private async Task<LogEntry?> AppendAsync(LogEntryType type, Func<DateTimeOffset, byte[]?> makePayload, CancellationToken cancellationToken)
    {
        // A decision not to write, or to refuse, must not rest on what another writer has changed since.
        await log.RefreshAsync(cancellationToken);
        return await log.AppendAsync(type, makePayload, cancellationToken);
    }
}
