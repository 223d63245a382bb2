using System.Buffers;
using System.Threading.Channels;
using Strongroom.Store.Caching;
using Strongroom.Store.Manifests;
using Strongroom.Store.Packs;

namespace Strongroom.Store.Images;

/// <summary>Turns slabs into slots: reads, recognises zeros and what the parent has, stores the rest.</summary>
internal sealed class SlabFiller(ManifestReader tree, ISessionChunks chunks, IImageSource source, ImageRef? parent, IProgress<SessionProgress>? progress)
{
    private const int SlabLengthBytes = 4 * ImageGeometry.SlotLengthBytes;
    private readonly long lengthBytes = source.LengthBytes;

    /// <summary>With a cache of its own: a backup reads a little of its parent, once, and pushes out nothing that others need.</summary>
    private readonly ImageReader? parentReader =
        parent is { } image ? new ImageReader(tree, image, new ChunkReads(tree.Packs, new(ReadCache.LeastBytes)), readsAhead: false) : null;
    private readonly SlotStore slots = new(tree, chunks);

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
        var plans = new SlotPlan[slab.SlotCount];
        for (var i = 0; i < slab.SlotCount; i++)
            plans[i] = PlanOf(slab, slab.FirstSlot + i);
        await ReadPiecesAsync(slab, plans, buffer, cancellationToken);
        for (var i = 0; i < slab.SlotCount; i++)
        {
            var index = slab.FirstSlot + i;
            var raw = buffer.AsMemory(i * ImageGeometry.SlotLengthBytes, ImageGeometry.RawLengthOf(slab.Leaf.FirstSlot + index, lengthBytes));
            if (plans[i].IsShared)
            {
                slab.Leaf.Slots[index] = plans[i].Parent;
                chunks.Counters.AddUnchanged(raw.Length);
                continue;
            }

            slab.Leaf.Slots[index] = plans[i].IsSplit
                ? await slots.StoreSplitAsync(plans[i].Parent, plans[i].ChangedMask, raw, workspace, cancellationToken)
                : await slots.StoreAsync(plans[i].Parent, raw, workspace, cancellationToken);
        }
    }

    /// <summary>
    /// Decides before anything is read. A slot at the end of one of the two images may be shorter there; then it is another chunk, and the
    /// parent's is not looked at.
    /// </summary>
    private SlotPlan PlanOf(Slab slab, int index)
    {
        var slotIndex = slab.Leaf.FirstSlot + index;
        var rawLength = ImageGeometry.RawLengthOf(slotIndex, lengthBytes);
        if (parent is not { } image || ImageGeometry.RawLengthOf(slotIndex, image.LengthBytes) != rawLength)
            return default;
        var content = slab.Leaf.ParentSlot(index);
        var start = slotIndex * ImageGeometry.SlotLengthBytes;
        var mask = 0;
        for (var sub = 0; sub * ImageGeometry.SubSlotLengthBytes < rawLength; sub++)
        {
            var subStart = start + (sub * ImageGeometry.SubSlotLengthBytes);
            if (!IsUnchanged(slab, subStart, Math.Min(subStart + ImageGeometry.SubSlotLengthBytes, start + rawLength)))
                mask |= 1 << sub;
        }

        var canSplit = rawLength == ImageGeometry.SlotLengthBytes && content.IsDivisible && int.PopCount(mask) <= SlotStore.GreatestChangedCount;
        return new(content, mask, mask == 0, canSplit);
    }

    private static bool IsUnchanged(Slab slab, long start, long end)
    {
        for (var i = slab.FirstPiece; i < slab.FirstPiece + slab.PieceCount; i++)
        {
            var piece = slab.Leaf.Pieces[i];
            if (piece.OffsetBytes <= start && piece.EndBytes >= end)
                return piece.Kind == ExtentKind.Unchanged;
        }

        return false;
    }

    private async ValueTask ReadPiecesAsync(Slab slab, SlotPlan[] plans, byte[] buffer, CancellationToken cancellationToken)
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
                    await ReadFromParentAsync(slabStart, start, end, plans, buffer, cancellationToken);
                    break;
            }
        }
    }

    /// <summary>Fills what is unchanged in a slot, or 64 KiB of a split one, that also holds something else. The source is not asked for it.</summary>
    private async ValueTask ReadFromParentAsync(
        long slabStart, long start, long end, SlotPlan[] plans, byte[] buffer, CancellationToken cancellationToken)
    {
        while (start < end)
        {
            var sub = (int)((start - slabStart) / ImageGeometry.SubSlotLengthBytes);
            var pieceEnd = Math.Min(end, slabStart + ((sub + 1L) * ImageGeometry.SubSlotLengthBytes));
            var slot = sub / NodeFormat.SubSlotCount;
            if (plans[slot].Needs(sub % NodeFormat.SubSlotCount))
            {
                try
                {
                    await parentReader!.ReadAsync(start, buffer.AsMemory((int)(start - slabStart), (int)(pieceEnd - start)), cancellationToken);
                }
                catch (StoreException failure) when (failure.IsDamage)
                {
                    await ReadSlotAgainAsync(slabStart, slot, buffer, cancellationToken);
                    plans[slot] = SlotPlan.WithoutParent;
                }
            }

            start = pieceEnd;
        }
    }

    /// <summary>Reads a slot from the source, which still has what the parent lost.</summary>
    private async ValueTask ReadSlotAgainAsync(long slabStart, int slot, byte[] buffer, CancellationToken cancellationToken)
    {
        var start = slabStart + ((long)slot * ImageGeometry.SlotLengthBytes);
        var target = buffer.AsMemory(slot * ImageGeometry.SlotLengthBytes, (int)Math.Min(ImageGeometry.SlotLengthBytes, lengthBytes - start));
        await source.ReadAsync(start, target, cancellationToken);
        chunks.Counters.AddRead(target.Length);
    }

    /// <summary>What is to be done with a slot.</summary>
    /// <param name="Parent">The parent's, where it has the same length; else a hole.</param>
    /// <param name="ChangedMask">Bit k: the 64 KiB k may differ from the parent's.</param>
    /// <param name="IsShared">Nothing differs.</param>
    /// <param name="IsSplit">Little differs: what does not is not read at all.</param>
    /// <param name="IsComplete">Its bytes are all there; nothing is taken from the parent.</param>
    private readonly record struct SlotPlan(SlotContent Parent, int ChangedMask, bool IsShared, bool IsSplit, bool IsComplete = false)
    {
        public static SlotPlan WithoutParent { get; } = new(default, 0, false, false, true);

        public bool Needs(int sub) => !IsShared && !IsComplete && (!IsSplit || (ChangedMask & (1 << sub)) != 0);
    }
}
