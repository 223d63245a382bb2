using Strongroom.Store.Blobs;
using Strongroom.Store.Keys;
using Strongroom.Store.Log;

namespace Strongroom.Store.Healing;

/// <summary>Puts back log entries that are damaged or missing, and an end that was lost: entries that authenticate and follow what is there.</summary>
internal sealed class LogHealing(IBlobBackend backend, IBlobBackend replica, KeyRing ring, TimeProvider time)
{
    private readonly List<AcceptPayload> accepted = [];

    public async Task RunAsync(Action<string> note, CancellationToken cancellationToken)
    {
        var (ours, bad) = await ReadAllAsync(backend, cancellationToken);
        var (theirs, _) = await ReadAllAsync(replica, cancellationToken);
        var last = ours.Keys.Concat(bad).DefaultIfEmpty().Max();
        if (last > 0 && bad.Contains(last) && theirs.ContainsKey(last))
        {
            // The last entry gets a successor first: else, in the moment in which its name is free, a writer could take its number.
            using (var log = await VaultLog.OpenAsync(backend, ring, time, cancellationToken))
                await log.AppendSignOfLifeAsync(cancellationToken);
            (ours, bad) = await ReadAllAsync(backend, cancellationToken);
        }

        foreach (var entry in ours.Values.Where(entry => entry.Type == LogEntryType.Accept))
            accepted.Add(AcceptPayload.Parse(entry));
        foreach (var (sequence, entry) in theirs.Where(one => !ours.ContainsKey(one.Key)).OrderBy(one => one.Key).ToList())
        {
            if (accepted.Any(loss => loss.Names(sequence)) || !Fits(entry, ours))
                continue;
            var name = LogEntry.NameOf(sequence);
            var bytes = await BlobCopy.ReadAsync(replica, name, LogEntry.GreatestLengthBytes, cancellationToken);
            if (bytes is null || !LogEntry.TryOpen(ring, sequence, bytes, out var again) || !again.Hash.AsSpan().SequenceEqual(entry.Hash))
                continue;
            if (bad.Contains(sequence))
                await backend.DeleteAsync(name, cancellationToken);
            if (!await backend.PutIfAbsentAsync(name, bytes, cancellationToken))
                throw new StoreException(StoreErrorKind.Conflict, "Somebody writes to the vault while it is healed. Stop that, then heal again.");
            note(name);
            ours[sequence] = entry;
        }
    }

    /// <summary>True when the entry follows the one before it, and the one after it, if there is one, follows it: so it is of this branch of the log.</summary>
    private static bool Fits(LogEntry entry, Dictionary<long, LogEntry> ours)
    {
        if (ours.TryGetValue(entry.Sequence + 1, out var next) && next.Type != LogEntryType.Void)
            return next.PreviousHash.AsSpan().SequenceEqual(entry.Hash);
        return entry.Sequence == 1 || (ours.TryGetValue(entry.Sequence - 1, out var previous) && entry.PreviousHash.AsSpan().SequenceEqual(previous.Hash));
    }

    private async Task<(Dictionary<long, LogEntry> Whole, HashSet<long> Bad)> ReadAllAsync(IBlobBackend from, CancellationToken cancellationToken)
    {
        var whole = new Dictionary<long, LogEntry>();
        var bad = new HashSet<long>();
        await foreach (var blob in from.ListAsync("log/", cancellationToken))
        {
            if (LogEntry.ParseName(blob.Name) is not { } sequence)
                continue;
            var bytes = await BlobCopy.ReadAsync(from, blob.Name, LogEntry.GreatestLengthBytes, cancellationToken);
            if (bytes is not null && LogEntry.TryOpen(ring, sequence, bytes, out var entry))
                whole[sequence] = entry.Type == LogEntryType.Accept ? entry : entry with { Payload = [] };
            else
                bad.Add(sequence);
        }

        return (whole, bad);
    }
}
