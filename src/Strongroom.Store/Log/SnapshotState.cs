using System.Collections.Concurrent;
using Strongroom.Store.Governance;

namespace Strongroom.Store.Log;

/// <summary>Which snapshots there are and what keeps them, as COMMIT, LOCK, TOMBSTONE, UNDELETE and PURGE say. Changed under the log's lock; may be read at any time.</summary>
/// <remarks>An entry that breaks the vault's rules was not written by an honest program: it is reported and not obeyed.</remarks>
internal sealed class SnapshotState(PolicyState policy, List<LogBreach> breaches) : ILogConcern
{
    public const ushort SectionNumber = 1;
    /// <summary>Purged ids that are remembered: 1 MiB of a checkpoint.</summary>
    public const int GreatestPurged = 65_536;
    private const int LineLengthBytes = 33;
    private const byte HoldFlag = 1;
    private const byte DeletedFlag = 2;

    // One place for both: a reader meets a snapshot that is being deleted or brought back exactly once.
    private readonly ConcurrentDictionary<SnapshotId, Life> present = [];
    private readonly ConcurrentDictionary<SnapshotId, byte> purged = [];
    private readonly Queue<SnapshotId> purgedInOrder = [];

    public ushort Section => SectionNumber;

    /// <summary>Snapshots that are committed and not deleted. Safe for concurrent reading.</summary>
    public IReadOnlyCollection<Snapshot> Live => [.. Visible()];

    /// <summary>Snapshots that were deleted and can be brought back. Safe for concurrent reading.</summary>
    public IReadOnlyCollection<SoftDeletedSnapshot> SoftDeleted => [.. present.Values.Select(life => life.Deleted).OfType<SoftDeletedSnapshot>()];

    /// <summary>Every snapshot whose content must stay: all but purged ones. Safe for concurrent reading.</summary>
    public IReadOnlyCollection<Snapshot> AllLive => [.. present.Values.Select(life => life.Snapshot)];

    public Snapshot? Find(SnapshotId id) => present.TryGetValue(id, out var life) && life.Deleted is null ? life.Snapshot : null;

    public SoftDeletedSnapshot? FindSoftDeleted(SnapshotId id) => present.GetValueOrDefault(id)?.Deleted;

    /// <summary>True when its content must stay, be it visible or not. Safe for concurrent calls.</summary>
    public bool IsLive(SnapshotId id) => present.ContainsKey(id);

    /// <summary>True when it was deleted, be it that it can be brought back or not. Safe for concurrent calls.</summary>
    public bool IsDeleted(SnapshotId id) => FindSoftDeleted(id) is not null || purged.ContainsKey(id);

    /// <summary>True when a live snapshot has the image. Safe for concurrent calls.</summary>
    public bool Holds(ImageRef image) => Visible().Any(snapshot => snapshot.Images.Any(disk => disk.Image == image));

    public bool Holds(StreamRef stream) => Visible().Any(snapshot => snapshot.Streams.Any(item => item.Stream == stream));

    public bool Holds(TreeRef tree) => Visible().Any(snapshot => snapshot.Trees.Any(item => item.Tree == tree));

    /// <summary>True when a snapshot has the image whose content must stay, be it visible or not. Safe for concurrent calls.</summary>
    public bool Keeps(ImageRef image) => present.Values.Any(life => life.Snapshot.Images.Any(disk => disk.Image == image));

    public bool Keeps(StreamRef stream) => present.Values.Any(life => life.Snapshot.Streams.Any(item => item.Stream == stream));

    public bool Keeps(TreeRef tree) => present.Values.Any(life => life.Snapshot.Trees.Any(item => item.Tree == tree));

    public bool TryApply(LogEntry entry)
    {
        switch (entry.Type)
        {
            case LogEntryType.Commit:
                // An id is used once; a second commit under it would bring back what is dead, or change what is not.
                var snapshot = SnapshotPayload.Parse(entry);
                if (!purged.ContainsKey(snapshot.Id))
                    present.TryAdd(snapshot.Id, new(snapshot, null));
                return true;
            case LogEntryType.Tombstone:
                ApplyTombstone(entry, TombstoneEntry.Parse(entry));
                return true;
            case LogEntryType.Undelete:
                var id = new SnapshotId(new PayloadReader(entry.Payload).Guid());
                if (FindSoftDeleted(id) is { } back)
                    present[id] = new(back.Snapshot, null);
                return true;
            case LogEntryType.Purge:
                ApplyPurge(entry, PurgeEntry.Parse(entry));
                return true;
            case LogEntryType.Accept:
                ApplyAccept(entry, AcceptPayload.Parse(entry));
                return true;
            case LogEntryType.Lock:
                ApplyLock(entry, LockEntry.Parse(entry));
                return true;
            default:
                return false;
        }
    }

    public void WriteSection(PayloadWriter target)
    {
        var lines = present.Values.OrderBy(life => life.Snapshot.LogSequence).ToArray();
        target.UInt32((uint)lines.Length);
        foreach (var (snapshot, gone) in lines)
        {
            target
                .Int64(snapshot.LogSequence)
                .Int64(snapshot.LockedUntil?.ToUnixTimeMilliseconds() ?? 0)
                .Byte((byte)((snapshot.HasLegalHold ? HoldFlag : 0) | (gone is null ? 0 : DeletedFlag)))
                .Int64(gone?.DeletedAt.ToUnixTimeMilliseconds() ?? 0)
                .Int64(gone?.DeleteAfter.ToUnixTimeMilliseconds() ?? 0);
        }

        target.UInt32((uint)purgedInOrder.Count);
        foreach (var id in purgedInOrder)
            target.Guid(id.Value);
    }

    public void ReadSection(ref PayloadReader source)
    {
        // The commits themselves were read from the entries that the section names.
        var bySequence = AllLive.ToDictionary(snapshot => snapshot.LogSequence);
        for (var lines = source.Count(LineLengthBytes); lines > 0; lines--)
        {
            var sequence = source.Int64();
            var lockedUntil = source.TimeOrNull();
            var flags = source.Byte();
            var (deletedAt, deleteAfter) = (source.Time(), source.Time());
            if (!bySequence.TryGetValue(sequence, out var snapshot))
                continue;
            snapshot = snapshot with { LockedUntil = lockedUntil, HasLegalHold = (flags & HoldFlag) != 0 };
            present[snapshot.Id] = new(snapshot, (flags & DeletedFlag) == 0 ? null : new(snapshot, deletedAt, deleteAfter));
        }

        for (var ids = source.Count(16); ids > 0; ids--)
            AddPurged(new(source.Guid()));
    }

    /// <summary>The sequence numbers at the beginning of the section.</summary>
    public static long[] ReadCommits(ref PayloadReader source)
    {
        var sequences = new long[source.Count(LineLengthBytes)];
        for (var i = 0; i < sequences.Length; i++)
        {
            sequences[i] = source.Int64();
            _ = source.Raw(LineLengthBytes - 8);
        }

        return sequences;
    }

    private void ApplyTombstone(LogEntry entry, TombstoneEntry tombstone)
    {
        if (Find(tombstone.Id) is not { } snapshot)
            return;
        var refusal = SnapshotRules.WhyKept(snapshot, policy.Current, tombstone.At) ?? WhyNotAt(entry, tombstone.At)
            ?? (tombstone.DeleteAfter < SnapshotRules.Later(entry.Time, policy.Current.SoftDeleteDays)
                ? new Refusal(StoreErrorKind.Refused, $"soft delete keeps it for {policy.Current.SoftDeleteDays} days")
                : null);
        if (refusal is null)
            present[snapshot.Id] = new(snapshot, new(snapshot, entry.Time, tombstone.DeleteAfter));
        else
            Report(entry, "deletes", tombstone.Id, refusal);
    }

    private void ApplyPurge(LogEntry entry, PurgeEntry purge)
    {
        foreach (var id in purge.Ids)
        {
            var refusal = FindSoftDeleted(id) is { } deleted ? SnapshotRules.WhyNotPurged(deleted, policy.Current, purge.At, purge.IsForced)
                : Find(id) is { } snapshot ? SnapshotRules.WhyNotPurgedAtOnce(snapshot, policy.Current, purge.At)
                : null;
            if ((refusal ?? WhyNotAt(entry, purge.At)) is { } why)
            {
                Report(entry, "purges", id, why);
                continue;
            }

            // In this order, so that a concurrent reader never takes it for lost.
            AddPurged(id);
            present.TryRemove(id, out _);
        }
    }

    /// <summary>Gives up what the log has lost. A commit that some processes can still read, or that was put back later, is dead for all, unless something keeps it.</summary>
    private void ApplyAccept(LogEntry entry, AcceptPayload accepted)
    {
        foreach (var snapshot in AllLive.Where(snapshot => accepted.Names(snapshot.LogSequence)))
        {
            if ((SnapshotRules.WhyKept(snapshot, policy.Current, accepted.At) ?? WhyNotAt(entry, accepted.At)) is { } why)
            {
                Report(entry, "gives up", snapshot.Id, why);
                continue;
            }

            AddPurged(snapshot.Id);
            present.TryRemove(snapshot.Id, out _);
        }

        foreach (var id in accepted.Snapshots.Where(id => !present.ContainsKey(id)))
            AddPurged(id);
    }

    /// <summary>The oldest are forgotten beyond a limit; nobody repeats a commit that was purged so many purges ago.</summary>
    private void AddPurged(SnapshotId id)
    {
        if (!purged.TryAdd(id, 0))
            return;
        purgedInOrder.Enqueue(id);
        if (purgedInOrder.Count > GreatestPurged)
            purged.TryRemove(purgedInOrder.Dequeue(), out _);
    }

    private void ApplyLock(LogEntry entry, LockEntry change)
    {
        if (!present.TryGetValue(change.Id, out var life))
            return;
        var snapshot = life.Snapshot;
        var changed = snapshot with { HasLegalHold = change.HasLegalHold, LockedUntil = change.LockedUntil };
        if (snapshot.LockedUntil is { } until && !(change.LockedUntil >= until))
        {
            Report(entry, "unlocks", change.Id, new(StoreErrorKind.Refused, "a lock cannot be shortened"));
            changed = changed with { LockedUntil = until };
        }

        present[change.Id] = new(changed, life.Deleted is { } deleted ? deleted with { Snapshot = changed } : null);
    }

    private IEnumerable<Snapshot> Visible() => present.Values.Where(life => life.Deleted is null).Select(life => life.Snapshot);

    /// <param name="Snapshot">What is there.</param>
    /// <param name="Deleted">Not null when it was deleted and can be brought back.</param>
    private sealed record Life(Snapshot Snapshot, SoftDeletedSnapshot? Deleted);

    /// <summary>A writer's clock is never ahead of its own entry.</summary>
    private static Refusal? WhyNotAt(LogEntry entry, DateTimeOffset at) =>
        at > entry.Time ? new(StoreErrorKind.Refused, "its clock is ahead of the entry's time") : null;

    private void Report(LogEntry entry, string verb, SnapshotId id, Refusal refusal) =>
        breaches.Add(new(entry.Sequence, $"log entry {entry.Sequence} {verb} snapshot {id} against the vault's rules, and was not obeyed: {refusal.Why}"));
}
