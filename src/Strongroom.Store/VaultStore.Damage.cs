using Strongroom.Store.Log;
using Strongroom.Store.Packs;

namespace Strongroom.Store;

/// <summary>Log entries that cannot be read, or one that breaks the vault's rules.</summary>
/// <param name="FirstEntry">The first of them.</param>
/// <param name="LastEntry">The last of them.</param>
/// <param name="What">What is wrong.</param>
/// <param name="IsBreach">True for an entry that can be read and was not obeyed: nothing is lost with it, but somebody has the vault's keys who does not keep its rules.</param>
public sealed record LogLoss(long FirstEntry, long LastEntry, string What, bool IsBreach = false);

public sealed partial class VaultStore
{
    /// <summary>What of the log cannot be read, and what in it breaks the vault's rules: while that is not put back or accepted (<see cref="AcceptLossAsync"/>) nothing is collected.</summary>
    public IReadOnlyList<LogLoss> LogLosses =>
    [
        .. Log.Unread.Select(one => new LogLoss(one.First, one.Last, one.What)),
        .. Log.Breaches.GroupBy(one => one.Sequence).Select(one => new LogLoss(one.Key, one.Key, string.Join("; ", one.Select(breach => breach.What)), IsBreach: true)),
    ];

    /// <summary>Packs that are known to be damaged or missing and are in quarantine: backups store anew what they held.</summary>
    public long QuarantinedPacks => Log.State.Quarantine.Packs.Count;

    /// <summary>True for the number of a pack that a collection removed, as far as the log was read; for <see cref="Copies.CopyOptions.MayRemove"/>.</summary>
    public bool IsSwept(uint packSeq) => Log.State.Collection.IsSwept(packSeq);

    /// <summary>Gives up, for good, what damaged log entries said, and snapshots that the log has lost, and takes note of entries that break the rules, so that the vault can be collected again.</summary>
    /// <param name="entries">Of <see cref="LogLosses"/>, what is given up; what is not damaged is refused.</param>
    /// <param name="snapshots">Snapshots that a caller's list still has and the vault does not; one that the vault has is refused: delete it.</param>
    /// <param name="cancellationToken">Has no effect once the entry may be visible.</param>
    /// <remarks>Entries that were given up must not be put back later: packs that they named may be gone.</remarks>
    /// <exception cref="StoreException">InvalidRequest: something is not lost.</exception>
    public async Task AcceptLossAsync(IReadOnlyCollection<LogLoss> entries, IReadOnlyCollection<SnapshotId> snapshots, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(entries);
        ArgumentNullException.ThrowIfNull(snapshots);
        await Log.RefreshAsync(cancellationToken);
        await Log.AppendAsync(LogEntryType.Accept, now => FormatAccept(now, entries, snapshots), cancellationToken);
    }

    private byte[]? FormatAccept(DateTimeOffset now, IReadOnlyCollection<LogLoss> entries, IReadOnlyCollection<SnapshotId> snapshots)
    {
        if (entries.Count == 0 && snapshots.Count == 0)
            return null;
        var (breaches, lost) = (entries.Where(entry => entry.IsBreach).ToList(), entries.Where(entry => !entry.IsBreach).ToList());
        if (breaches.Find(entry => Log.Breaches.All(one => one.Sequence != entry.FirstEntry)) is { } strange)
            throw new StoreException(StoreErrorKind.InvalidRequest, $"Log entry {strange.FirstEntry} does not break the vault's rules. Look at the vault's damage again.");
        foreach (var entry in lost)
        {
            if (Log.Unread.FirstOrDefault(one => one.First == entry.FirstEntry && one.Last == entry.LastEntry) is not { } found)
                throw new StoreException(StoreErrorKind.InvalidRequest, $"The log has no damage from entry {entry.FirstEntry} to {entry.LastEntry}. Look at the vault's damage again.");

            // ACCEPT names entries before itself only: no reader would take one that names what is to come.
            if (found.IsStray)
                throw new StoreException(StoreErrorKind.InvalidRequest, $"Nothing was given up, because {found.What}: that file cannot be given up.");
        }

        foreach (var present in snapshots.Where(Log.State.Snapshots.IsLive))
            throw new StoreException(StoreErrorKind.InvalidRequest, $"The vault has not lost snapshot {present}. Delete it if it is not wanted.");

        // What a lost entry may have reserved stays reserved.
        var next = Math.Min(uint.MaxValue, GreatestPackSeq() + 1);
        return new AcceptPayload(now, (uint)next, [.. lost.Select(one => (one.FirstEntry, one.LastEntry))], [.. snapshots], [.. breaches.Select(one => one.FirstEntry)]).Format();
    }

    /// <summary>The greatest number that may be taken. Called under the log's lock.</summary>
    private ulong GreatestPackSeq() =>
        Math.Max(Log.State.PackNumbers.NextPackSeq - 1, PackSet.Greatest) + ((ulong)Log.Unreadable * PackNumberState.GreatestReservation);

    internal async Task QuarantineAsync(IReadOnlyCollection<uint> packs, CancellationToken cancellationToken) => await Log.AppendAsync(
        LogEntryType.Quarantine,
        _ => FormatPacks(packs.Where(pack => !Log.State.Quarantine.Contains(pack) && !Log.State.Collection.IsSwept(pack))),
        cancellationToken);

    internal async Task ReleaseAsync(IReadOnlyCollection<uint> packs, CancellationToken cancellationToken)
    {
        await Log.AppendAsync(LogEntryType.Release, _ => FormatPacks(packs.Where(Log.State.Quarantine.Contains)), cancellationToken);
        foreach (var pack in packs)
            Packs.Suspects.Remove(pack);
    }

    private static byte[]? FormatPacks(IEnumerable<uint> packs)
    {
        var set = PackRangeSet.OfPacks(packs);
        return set.IsEmpty ? null : new PayloadWriter().Ranges(set).ToArray();
    }
}
