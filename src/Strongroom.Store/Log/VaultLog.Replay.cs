namespace Strongroom.Store.Log;

internal sealed partial class VaultLog
{
    private async Task ReplayAsync(List<long> sequences, CancellationToken cancellationToken)
    {
        if (sequences.Count == 0)
            return;
        var start = await FindCheckpointAsync(sequences, cancellationToken);
        var expected = start;
        foreach (var sequence in sequences.Where(sequence => sequence >= start))
        {
            var bytes = await ReadAsync(sequence, cancellationToken);
            if (sequence == start && start > 1)
            {
                await ReplayCommitsAsync(bytes!, start, cancellationToken);
            }
            else if (sequence - expected > GreatestHole && (bytes is null || !LogEntry.TryOpen(ring, sequence, bytes, out _)))
            {
                closedDamage.Add(new(sequence, sequence, DescribeStray(sequence), IsStray: true));
                continue;
            }
            else
            {
                await TakeUnlistedAsync(expected, sequence, cancellationToken);
                Take(sequence, bytes);
            }

            expected = sequence + 1;
        }
    }

    /// <summary>A listing may pass over what is created while it runs: only a reading tells that an entry is not there.</summary>
    private async Task TakeUnlistedAsync(long first, long end, CancellationToken cancellationToken)
    {
        for (; first < end; first += ParallelReadings)
        {
            var found = await Task.WhenAll(Enumerable.Range(0, (int)Math.Min(ParallelReadings, end - first)).Select(i => ReadAsync(first + i, cancellationToken)));
            for (var i = 0; i < found.Length; i++)
                Take(first + i, found[i]);
        }
    }

    /// <summary>The newest whole checkpoint, or 1.</summary>
    private async Task<long> FindCheckpointAsync(List<long> sequences, CancellationToken cancellationToken)
    {
        for (var i = sequences.Count - 1; i >= 0; i--)
        {
            if (await ReadAsync(sequences[i], cancellationToken) is { } bytes
                && LogEntry.TryOpen(ring, sequences[i], bytes, out var entry) && entry.Type == LogEntryType.Checkpoint)
                return sequences[i];
        }

        return 1;
    }

    private async Task ReplayCommitsAsync(byte[] bytes, long sequence, CancellationToken cancellationToken)
    {
        if (!LogEntry.TryOpen(ring, sequence, bytes, out var checkpoint))
            throw StoreException.Corrupt($"Log entry {sequence} changed while it was read");

        // Read many at a time, for each costs two round trips; applied in their order.
        foreach (var commits in VaultState.CommitsOf(checkpoint).Chunk(ParallelReadings))
        {
            var found = await Task.WhenAll(commits.Select(commit => ReadAsync(commit, cancellationToken)));
            foreach (var (commit, content) in commits.Zip(found))
            {
                if (content is not null && LogEntry.TryOpen(ring, commit, content, out var entry))
                    State.Apply(entry);
                else
                    closedDamage.Add(new(commit, commit, $"log entry {commit}, the commit of a snapshot, is damaged or missing"));
            }
        }

        Accept(checkpoint);
    }
}
