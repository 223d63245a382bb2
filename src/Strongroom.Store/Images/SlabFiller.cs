using System.Buffers;
using System.Threading.Channels;
using Strongroom.Store.Packs;

namespace Strongroom.Store.Images;

/// <summary>Turns slabs into slots: reads, recognises zeros and what the parent has, stores the rest.</summary>
internal sealed class SlabFiller(ImageTree tree, ISessionChunks chunks, IImageSource source, ImageRef? parent, IProgress<SessionProgress>? progress)
{
    private const int SlabLengthBytes = 4 * ImageGeometry.SlotLengthBytes;
    private readonly long lengthBytes = source.LengthBytes;
    private readonly ImageReader? parentReader = parent is { } image ? new ImageReader(tree, image, 1) : null;

    public async Task RunAsync(ChannelReader<Slab> slabs, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(SlabLengthBytes);
        using var workspace = new ChunkWorkspace();
        try
        {
            await foreach (var slab in slabs.ReadAllAsync(cancellationToken))
            {
                await FillAsync(slab, buffer, workspace, cancellationToken);
                slab.Leaf.SlabDone();
                progress?.Report(chunks.Counters.ToProgress(lengthBytes));
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private async Task FillAsync(Slab slab, byte[] buffer, ChunkWorkspace workspace, CancellationToken cancellationToken)
    {
        var isShared = new bool[slab.SlotCount];
        for (var i = 0; i < slab.SlotCount; i++)
            isShared[i] = IsWhollyUnchanged(slab, slab.FirstSlot + i);
        await ReadPiecesAsync(slab, isShared, buffer, cancellationToken);
        for (var i = 0; i < slab.SlotCount; i++)
        {
            var index = slab.FirstSlot + i;
            var slotIndex = slab.Leaf.FirstSlot + index;
            var raw = buffer.AsMemory(i * ImageGeometry.SlotLengthBytes, ImageGeometry.RawLengthOf(slotIndex, lengthBytes));
            if (isShared[i])
            {
                slab.Leaf.Slots[index] = slab.Leaf.ParentSlot(index);
                chunks.Counters.AddUnchanged(raw.Length);
                continue;
            }

            slab.Leaf.Slots[index] = await StoreAsync(slab.Leaf.ParentSlot(index), slotIndex, raw, workspace, cancellationToken);
        }
    }

    private async ValueTask<Slot> StoreAsync(
        Slot parentSlot, long slotIndex, ReadOnlyMemory<byte> raw, ChunkWorkspace workspace, CancellationToken cancellationToken)
    {
        if (raw.Span.IndexOfAnyExcept((byte)0) < 0)
        {
            chunks.Counters.AddZero(raw.Length);
            return default;
        }

        var id = ChunkId.Compute(tree.Packs.Ring.IdKey, raw.Span);
        if (!parentSlot.IsHole && parentSlot.Id == id && HasParentLength(slotIndex) && chunks.HasDataPack(parentSlot.PackSeq))
        {
            chunks.Counters.AddUnchanged(raw.Length);
            return parentSlot;
        }

        return await chunks.StoreDataAsync(id, raw, workspace, cancellationToken);
    }

    private async ValueTask ReadPiecesAsync(Slab slab, bool[] isShared, byte[] buffer, CancellationToken cancellationToken)
    {
        var slabStart = (slab.Leaf.FirstSlot + slab.FirstSlot) * ImageGeometry.SlotLengthBytes;
        var slabEnd = Math.Min(slabStart + ((long)slab.SlotCount * ImageGeometry.SlotLengthBytes), lengthBytes);
        for (var i = slab.FirstPiece; i < slab.FirstPiece + slab.PieceCount; i++)
        {
            var piece = slab.Leaf.Pieces[i];
            var start = Math.Max(piece.OffsetBytes, slabStart);
            var end = Math.Min(piece.EndBytes, slabEnd);
            var target = buffer.AsMemory((int)(start - slabStart), (int)(end - start));
            switch (piece.Kind)
            {
                case ExtentKind.Data:
                    await source.ReadAsync(start, target, cancellationToken);
                    chunks.Counters.AddRead(target.Length);
                    break;
                case ExtentKind.Zero:
                    target.Span.Clear();
                    break;
                default:
                    await ReadFromParentAsync(slabStart, start, end, isShared, buffer, cancellationToken);
                    break;
            }
        }
    }

    /// <summary>Fills what is unchanged in a slot that also holds something else. The source is not asked for it.</summary>
    private async ValueTask ReadFromParentAsync(
        long slabStart, long start, long end, bool[] isShared, byte[] buffer, CancellationToken cancellationToken)
    {
        while (start < end)
        {
            var slot = (int)((start - slabStart) / ImageGeometry.SlotLengthBytes);
            var pieceEnd = Math.Min(end, slabStart + ((slot + 1L) * ImageGeometry.SlotLengthBytes));
            if (!isShared[slot])
                await parentReader!.ReadAsync(start, buffer.AsMemory((int)(start - slabStart), (int)(pieceEnd - start)), cancellationToken);
            start = pieceEnd;
        }
    }

    private bool IsWhollyUnchanged(Slab slab, int index)
    {
        var slotIndex = slab.Leaf.FirstSlot + index;
        var start = slotIndex * ImageGeometry.SlotLengthBytes;
        var end = start + ImageGeometry.RawLengthOf(slotIndex, lengthBytes);
        for (var i = slab.FirstPiece; i < slab.FirstPiece + slab.PieceCount; i++)
        {
            var piece = slab.Leaf.Pieces[i];
            if (piece.OffsetBytes <= start && piece.EndBytes >= end)
                return piece.Kind == ExtentKind.Unchanged && HasParentLength(slotIndex);
        }

        return false;
    }

    /// <summary>A slot at the end of one of the two images may be shorter there; then it is another chunk.</summary>
    private bool HasParentLength(long slotIndex) =>
        parent is { } image && ImageGeometry.RawLengthOf(slotIndex, image.LengthBytes) == ImageGeometry.RawLengthOf(slotIndex, lengthBytes);
}
