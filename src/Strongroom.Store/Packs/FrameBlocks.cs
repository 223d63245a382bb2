using System.Collections.Concurrent;
using Strongroom.Store.Blobs;
using Strongroom.Store.Manifests;

namespace Strongroom.Store.Packs;

/// <summary>
/// Reads short frames in long blocks and keeps the last few blocks: nodes of a manifest lie side by side, and so do small files of a folder; a
/// service takes as long for one as for many. Thread-safe.
/// </summary>
/// <remarks>What is kept is frames as they are stored; they are opened and checked at each use. Memory: 16 blocks.</remarks>
internal sealed class FrameBlocks(IBlobBackend backend)
{
    private const int KeptBlocks = 16;

    /// <summary>A block goes on for so long behind its end, so that a frame that begins in it is whole; longer ones are read on their own.</summary>
    private const int OverlapBytes = 64 << 10;
    private readonly int blockBytes = backend.Reads.BlockBytes;
    private readonly RecentlyUsed<(uint PackSeq, long Block), byte[]> blocks = new(KeptBlocks);
    private readonly ConcurrentDictionary<uint, long> greatest = [];

    /// <summary>Who wants the same block as another waits for it instead of asking, too.</summary>
    private readonly SemaphoreSlim[] reading = [.. Enumerable.Range(0, KeptBlocks).Select(_ => new SemaphoreSlim(1, 1))];

    /// <summary>True for a frame that a block holds whole.</summary>
    public bool Holds(Slot slot) => blockBytes > 0 && slot.StoredLengthBytes <= OverlapBytes;

    /// <summary>A frame; shorter where the pack ends before it does.</summary>
    public async ValueTask<ReadOnlyMemory<byte>> ReadAsync(PackContent content, Slot slot, CancellationToken cancellationToken)
    {
        var block = slot.OffsetBytes / blockBytes;
        var bytes = await ReadAsync(content, slot.PackSeq, block, cancellationToken);
        var start = (int)Math.Min(slot.OffsetBytes - (block * blockBytes), bytes.Length);
        return bytes.AsMemory(start, Math.Min(slot.StoredLengthBytes, bytes.Length - start));
    }

    /// <summary>Forgets what is kept of a pack.</summary>
    public void Forget(uint packSeq)
    {
        if (!greatest.TryRemove(packSeq, out var last))
            return;
        for (var block = 0L; block <= last; block++)
            blocks.Remove((packSeq, block));
    }

    private async ValueTask<byte[]> ReadAsync(PackContent content, uint packSeq, long block, CancellationToken cancellationToken)
    {
        if (blocks.TryGet((packSeq, block), out var known))
            return known;
        var gate = reading[(packSeq + block) % reading.Length];
        await gate.WaitAsync(cancellationToken);
        try
        {
            if (blocks.TryGet((packSeq, block), out known))
                return known;
            var bytes = new byte[blockBytes + OverlapBytes];
            var read = await backend.ReadAsync(PackFormat.NameOf(content, packSeq), block * blockBytes, bytes, cancellationToken);
            bytes = read == bytes.Length ? bytes : bytes[..read];
            greatest.AddOrUpdate(packSeq, block, (_, last) => Math.Max(last, block));
            blocks.TryAdd((packSeq, block), bytes);
            return bytes;
        }
        finally
        {
            gate.Release();
        }
    }
}
