using System.Security.Cryptography;
using Strongroom.Store.Blobs;
using Strongroom.Store.Log;

namespace Strongroom.Store.Copies;

/// <summary>Copies the log in order, by what can be read of it without a key: type, number, and the hash of the entry before.</summary>
internal sealed class LogCopy(IBlobBackend from, IBlobBackend to)
{
    private readonly SortedSet<long> strays = [];

    /// <summary>Refuses a target whose log is no beginning of the source's.</summary>
    /// <exception cref="StoreException">Conflict.</exception>
    public async Task RequireSameBranchAsync(CancellationToken cancellationToken)
    {
        var theirs = await ListAsync(to, cancellationToken);
        if (theirs.Count == 0)
            return;
        var ours = await ListAsync(from, cancellationToken);
        var last = theirs[^1];
        if (ours.Count == 0 || ours[^1] < last)
        {
            throw new StoreException(
                StoreErrorKind.Conflict,
                $"The target has log entry {last}, and the source has not: either the target was written to by itself, or the source has lost its end and is to be healed from the target. Nothing was copied.");
        }

        var theirLast = await ReadAsync(to, last, cancellationToken);
        if (await ReadAsync(from, last, cancellationToken) is { } ourLast && ourLast.AsSpan().SequenceEqual(theirLast))
            return;

        // The source's may be damaged; then the entry after it still knows which one was there.
        if (theirLast is not null && ours.Find(sequence => sequence > last) is > 0 and var next
            && await ReadAsync(from, next, cancellationToken) is { } follower && LogEntry.PreviousHashOf(follower).SequenceEqual(SHA256.HashData(theirLast)))
            return;
        throw new StoreException(
            StoreErrorKind.Conflict,
            $"Log entry {last} of the target is not the source's: the target was written to by itself, or was copied from another branch of the vault. Nothing was copied; choose an empty place.");
    }

    /// <summary>The source's last entry; 0 for none.</summary>
    public async Task<long> FindHeadAsync(CancellationToken cancellationToken) => (await ListAsync(from, cancellationToken)).LastOrDefault();

    /// <summary>True when the source's log has a SWEEP after <paramref name="head"/>.</summary>
    public async Task<bool> HasSweepSinceAsync(long head, CancellationToken cancellationToken)
    {
        foreach (var sequence in (await ListAsync(from, cancellationToken)).Where(sequence => sequence > head))
        {
            if (await ReadAsync(from, sequence, cancellationToken) is { } bytes && LogEntry.TypeOf(bytes) == LogEntryType.Sweep)
                return true;
        }

        return false;
    }

    /// <summary>Copies entries up to <paramref name="head"/>, each after its predecessor.</summary>
    /// <returns>What is wrong with the source's.</returns>
    public async Task<IReadOnlyList<string>> CopyAsync(long head, Action<long> count, CancellationToken cancellationToken)
    {
        var problems = new List<string>();
        var theirs = await ListAsync(to, cancellationToken);
        var start = theirs.LastOrDefault();
        byte[]? previous = start > 0 ? await ReadAsync(to, start, cancellationToken) : null;
        foreach (var sequence in (await ListAsync(from, cancellationToken)).Where(sequence => sequence > start && sequence <= head))
        {
            if (await ReadAsync(from, sequence, cancellationToken) is not { } bytes)
                continue;
            if (sequence != start + 1)
                problems.Add($"log entries before {sequence} are missing in the source");
            else if (LogEntry.TypeOf(bytes) != LogEntryType.Void && !LogEntry.PreviousHashOf(bytes).SequenceEqual(previous is null ? new byte[32] : SHA256.HashData(previous)))
                problems.Add($"log entry {sequence} of the source does not follow the one before");
            if (!await to.PutIfAbsentAsync(LogEntry.NameOf(sequence), bytes, cancellationToken))
                throw new StoreException(StoreErrorKind.Conflict, "Somebody writes to the target of the copy. Stop that, then copy again.");
            count(bytes.Length);
            (start, previous) = (sequence, bytes);
        }

        return [.. problems, .. strays.Select(VaultLog.DescribeStray)];
    }

    private static Task<byte[]?> ReadAsync(IBlobBackend backend, long sequence, CancellationToken cancellationToken) =>
        BlobCopy.ReadTwiceAsync(backend, LogEntry.NameOf(sequence), LogEntry.GreatestLengthBytes, cancellationToken);

    /// <summary>The numbers of the entries that are there. A file far beyond the end of the log that is no entry is none of them, as for who opens the vault.</summary>
    private async Task<List<long>> ListAsync(IBlobBackend backend, CancellationToken cancellationToken)
    {
        var found = new List<long>();
        var header = new byte[LogEntry.HeaderLengthBytes];
        await foreach (var blob in backend.ListAsync("log/", cancellationToken))
        {
            if (LogEntry.ParseName(blob.Name) is not { } sequence)
                continue;
            if (sequence - found.LastOrDefault() - 1 <= VaultLog.GreatestHole
                || LogEntry.IsHeader(header.AsSpan(0, await backend.ReadAsync(blob.Name, 0, header, cancellationToken)), sequence))
                found.Add(sequence);
            else if (backend == from)
                strays.Add(sequence);
        }

        return found;
    }
}
