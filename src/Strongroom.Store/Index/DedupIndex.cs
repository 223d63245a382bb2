using Strongroom.Store.Manifests;
using Strongroom.Store.Packs;

namespace Strongroom.Store.Index;

/// <summary>Finds chunks that sealed packs hold: a buffer in memory and sorted segments on disk. Thread-safe.</summary>
/// <remarks>
/// It is a hint: a hit is believed only when the pack is in the vault and its directory agrees, and a failure of the index is a miss.
/// Memory: the buffer (twice while it is written) + 10.4 bits a record.
/// </remarks>
internal sealed class DedupIndex(PackReader packs, int bufferRecords, Func<uint, bool> isUsable) : IDisposable
{
    private const int MergeWidth = 8;
    private readonly Lock gate = new();
    private readonly SemaphoreSlim writing = new(1, 1);
    private Buffer buffer = new();
    private Buffer? frozen;
    private SegmentReader[] segments = [];

    /// <summary>Records; a chunk that lies in two packs may count twice.</summary>
    public long Count
    {
        get
        {
            lock (gate)
                return buffer.Records.Count + (frozen?.Records.Count ?? 0) + segments.Sum(segment => segment.Records);
        }
    }

    internal int SegmentCount => segments.Length;

    /// <summary>Opens the segments on disk; the packs that they cover need not be read again.</summary>
    public async Task<HashSet<uint>> LoadAsync(CancellationToken cancellationToken)
    {
        var found = new List<SegmentReader>();
        await foreach (var blob in packs.Backend.ListAsync(SegmentFormat.Folder, cancellationToken))
        {
            try
            {
                found.Add(await SegmentReader.OpenAsync(packs.Backend, packs.Ring, blob, cancellationToken));
            }
            catch (StoreException failure) when (failure.IsDamage)
            {
                // Rebuilt from directories: the packs count as not covered.
                await TryDeleteAsync(blob.Name, cancellationToken);
            }
        }

        var covered = new HashSet<uint>();
        var kept = new List<SegmentReader>();
        foreach (var segment in found.OrderByDescending(segment => segment.Level))
        {
            // What a merge replaced is still there when the merge died before it deleted.
            if (!segment.Coverage.IsEmpty && segment.Coverage.Numbers.All(covered.Contains))
            {
                await TryDeleteAsync(segment.Name, cancellationToken);
                continue;
            }

            covered.UnionWith(segment.Coverage.Numbers);
            kept.Add(segment);
        }

        segments = [.. kept];
        return covered;
    }

    /// <summary>Takes the directory of a pack that is durable.</summary>
    public async ValueTask PublishAsync(uint packSeq, IReadOnlyList<PackEntry> directory, CancellationToken cancellationToken)
    {
        lock (gate)
        {
            buffer.Packs.Add(packSeq);
            for (var i = 0; i < directory.Count; i++)
                buffer.Records[directory[i].Id] = (packSeq, (ushort)i);
            if (buffer.Records.Count < bufferRecords)
                return;
        }

        await WriteBufferAsync(cancellationToken);
    }

    /// <summary>Where the chunk lies, or null: then it is new, or counts as new.</summary>
    public async ValueTask<Slot?> FindAsync(ChunkId id, CancellationToken cancellationToken)
    {
        IndexRecord? hit = null;
        SegmentReader[] searched;
        lock (gate)
        {
            if (buffer.Records.TryGetValue(id, out var at) || (frozen?.Records.TryGetValue(id, out at) ?? false))
                hit = new(id, at.PackSeq, at.Ordinal);
            searched = segments;
        }

        if (hit is { } recent && await ConfirmAsync(recent, cancellationToken) is { } slot)
            return slot;
        foreach (var segment in searched)
        {
            try
            {
                if (await segment.FindAsync(id, cancellationToken) is { } record && await ConfirmAsync(record, cancellationToken) is { } found)
                    return found;
            }
            catch (StoreException failure) when (failure.IsDamage)
            {
                // Damaged, or merged away under this search. Its packs are read again when the vault opens next.
                Drop(segment);
            }
        }

        return null;
    }

    public void Dispose() => writing.Dispose();

    /// <summary>Removes what is of no use. Who may only read opens the vault all the same, and leaves that to others.</summary>
    private async ValueTask TryDeleteAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            await packs.Backend.DeleteAsync(name, cancellationToken);
        }
        catch (StoreException)
        {
            // Found again, and removed, by the next opening that may.
        }
    }

    private async ValueTask<Slot?> ConfirmAsync(IndexRecord record, CancellationToken cancellationToken)
    {
        if (!isUsable(record.PackSeq))
            return null;
        try
        {
            var directory = await packs.GetDirectoryAsync(PackContent.Data, record.PackSeq, cancellationToken);
            return record.Ordinal < directory.Length && directory[record.Ordinal].Id == record.Id
                ? directory[record.Ordinal].ToSlot(record.PackSeq, record.Ordinal)
                : null;
        }
        catch (StoreException failure) when (failure.IsDamage)
        {
            // The pack is damaged: what it held is stored anew, which heals it for this snapshot.
            return null;
        }
    }

    private void Drop(SegmentReader segment)
    {
        lock (gate)
            segments = [.. segments.Where(one => one != segment)];
    }

    private async Task WriteBufferAsync(CancellationToken cancellationToken)
    {
        await writing.WaitAsync(cancellationToken);
        try
        {
            Buffer full;
            lock (gate)
            {
                if (buffer.Records.Count < bufferRecords)
                    return;
                frozen = full = buffer;
                buffer = new();
            }

            var records = full.Records.Select(entry => new IndexRecord(entry.Key, entry.Value.PackSeq, entry.Value.Ordinal)).ToArray();
            Array.Sort(records, (a, b) => a.Id.CompareTo(b.Id));
            await ReplaceAsync([], 0, records.ToAsyncEnumerable(), records.Length, full.Packs, cancellationToken);
            for (var level = 0; segments.Where(segment => segment.Level == level).Take(MergeWidth).ToArray() is { Length: MergeWidth } old; level++)
                await MergeAsync(old, level + 1, cancellationToken);
        }
        catch (StoreException)
        {
            // No room for an index is no reason to fail a backup. What was dropped is read from directories at the next opening.
        }
        finally
        {
            lock (gate)
                frozen = null;
            writing.Release();
        }
    }

    private async Task MergeAsync(SegmentReader[] old, int level, CancellationToken cancellationToken)
    {
        var coverage = old.SelectMany(segment => segment.Coverage.Numbers).Where(isUsable);
        var merged = SegmentMerge.MergeAsync(old, isUsable, cancellationToken);
        await ReplaceAsync(old, level, merged, old.Sum(segment => segment.Records), coverage, cancellationToken);
        foreach (var segment in old)
            await packs.Backend.DeleteAsync(segment.Name, cancellationToken);
    }

    private async Task ReplaceAsync(
        SegmentReader[] old, int level, IAsyncEnumerable<IndexRecord> records, long expectedRecords, IEnumerable<uint> covered, CancellationToken cancellationToken)
    {
        var coverage = PackRangeSet.OfPacks(covered);
        var (first, last) = coverage.IsEmpty ? (0u, 0u) : (coverage.Ranges[0].First, coverage.Ranges[^1].Last);
        await using var writer = await SegmentWriter.CreateAsync(packs.Backend, packs.Ring, level, first, last, expectedRecords, cancellationToken);
        await foreach (var record in records)
            await writer.AddAsync(record, cancellationToken);
        await writer.CompleteAsync(coverage, cancellationToken);
        var length = await packs.Backend.GetLengthAsync(writer.Name, cancellationToken) ?? 0;
        var segment = await SegmentReader.OpenAsync(packs.Backend, packs.Ring, new(writer.Name, length), cancellationToken);
        lock (gate)
            segments = [segment, .. segments.Where(one => !old.Contains(one))];
    }

    private sealed class Buffer
    {
        public Dictionary<ChunkId, (uint PackSeq, ushort Ordinal)> Records { get; } = [];

        public List<uint> Packs { get; } = [];
    }
}
