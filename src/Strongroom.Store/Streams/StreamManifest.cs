using Strongroom.Store.Manifests;
using Strongroom.Store.Packs;

namespace Strongroom.Store.Streams;

/// <summary>Builds a stream's manifest from its records in order, sharing every node that the parent has. Not for concurrent use.</summary>
/// <param name="chunks">Where nodes go.</param>
/// <param name="nodeKey">Makes their ids.</param>
/// <param name="known">The parent's nodes; null when there is no parent.</param>
internal sealed class StreamManifest(ISessionChunks chunks, byte[] nodeKey, ParentNodes? known)
{
    private readonly List<List<StreamRecord>> levels = [[]];
    private long holeLengthBytes;

    public long LengthBytes { get; private set; }

    public void AddHole(long lengthBytes)
    {
        holeLengthBytes += lengthBytes;
        LengthBytes += lengthBytes;
    }

    public async ValueTask AddAsync(int lengthBytes, Slot slot, CancellationToken cancellationToken)
    {
        await AddHoleAsync(cancellationToken);
        LengthBytes += lengthBytes;
        await AddRecordAsync(0, new(lengthBytes, slot), cancellationToken);
    }

    public async ValueTask<StreamRef> FinishAsync(CancellationToken cancellationToken)
    {
        await AddHoleAsync(cancellationToken);
        if (LengthBytes == 0)
            return default;
        for (var level = 0; ; level++)
        {
            var records = levels[level];
            if (level == levels.Count - 1 && records.Count == 1)
                return new(LengthBytes, level, records[0].Slot);
            if (records.Count > 0)
                await FlushAsync(level, cancellationToken);
        }
    }

    private ValueTask AddHoleAsync(CancellationToken cancellationToken)
    {
        if (holeLengthBytes == 0)
            return default;
        var hole = new StreamRecord(holeLengthBytes, default);
        holeLengthBytes = 0;
        return AddRecordAsync(0, hole, cancellationToken);
    }

    /// <summary>Takes a record of a thing of <paramref name="level"/>.</summary>
    private async ValueTask AddRecordAsync(int level, StreamRecord record, CancellationToken cancellationToken)
    {
        if (level == levels.Count)
            levels.Add([]);
        if (levels[level].Count == StreamNode.FanOut)
            await FlushAsync(level, cancellationToken);
        levels[level].Add(record);
    }

    private async ValueTask FlushAsync(int level, CancellationToken cancellationToken)
    {
        var records = levels[level].ToArray();
        levels[level].Clear();
        var node = StreamNode.Format(records);
        var slot = known is not null && await known.FindAsync(ChunkId.Compute(nodeKey, node), node.Length, cancellationToken) is { } shared
            ? shared
            : await chunks.StoreNodeAsync(node, cancellationToken);
        await AddRecordAsync(level + 1, new(records.Sum(record => record.LengthBytes), slot with { Flags = (ushort)records.Length }), cancellationToken);
    }
}
