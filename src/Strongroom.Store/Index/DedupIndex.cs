using System.Collections.Concurrent;
using Strongroom.Store.Images;
using Strongroom.Store.Packs;

namespace Strongroom.Store.Index;

/// <summary>Finds chunks that sealed packs hold. A hint that is always checked against the pack's own directory. Thread-safe.</summary>
internal sealed class DedupIndex(PackReader packs)
{
    private readonly ConcurrentDictionary<ChunkId, (uint PackSeq, ushort Ordinal)> entries = [];
    private readonly ConcurrentDictionary<uint, byte> known = [];

    public long Count => entries.Count;

    public ValueTask PublishAsync(uint packSeq, IReadOnlyList<PackEntry> directory, CancellationToken cancellationToken)
    {
        known[packSeq] = 0;
        for (var i = 0; i < directory.Count; i++)
            entries[directory[i].Id] = (packSeq, (ushort)i);
        return default;
    }

    public async ValueTask<Slot?> FindAsync(ChunkId id, CancellationToken cancellationToken)
    {
        if (!entries.TryGetValue(id, out var at) || !known.ContainsKey(at.PackSeq))
            return null;
        var directory = await packs.GetDirectoryAsync(PackContent.Data, at.PackSeq, cancellationToken);
        return at.Ordinal < directory.Length && directory[at.Ordinal].Id == id ? directory[at.Ordinal].ToSlot(at.PackSeq, at.Ordinal) : null;
    }

    public void Forget(uint packSeq) => known.TryRemove(packSeq, out _);
}
