using System.Threading.Channels;
using Strongroom.Store.Journals;
using Strongroom.Store.Manifests;

namespace Strongroom.Store.Images;

/// <summary>Walks a source's map, settles what needs no reading, and queues the rest as slabs.</summary>
internal sealed class LeafProducer(
    ManifestReader tree, IImageSource source, ImageRef? parent, ChannelWriter<LeafWork> leaves, ChannelWriter<Slab> slabs, ISessionChunks chunks,
    LeafResume? resume)
{
    private const int SlabSlots = 4;
    private const long SlabLengthBytes = SlabSlots * ImageGeometry.SlotLengthBytes;
    private readonly long lengthBytes = source.LengthBytes;
    private readonly long parentLengthBytes = parent?.LengthBytes ?? 0;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var leaf = new LeafWork(0);
        var position = 0L;
        await foreach (var extent in source.MapAsync(cancellationToken).WithCancellation(cancellationToken))
        {
            if (extent.OffsetBytes != position || extent.LengthBytes <= 0 || extent.LengthBytes > lengthBytes - position)
                throw InvalidMap($"the extent {extent} does not follow byte {position} within {lengthBytes} bytes");
            var end = position + extent.LengthBytes;
            while (position < end)
            {
                var leafEnd = (position / ImageGeometry.LeafLengthBytes * ImageGeometry.LeafLengthBytes) + ImageGeometry.LeafLengthBytes;
                var pieceEnd = Math.Min(end, leafEnd);
                AddPieces(leaf, position, pieceEnd, extent.Kind);
                position = pieceEnd;
                if (position == leafEnd || position == lengthBytes)
                {
                    await EmitAsync(leaf, position, cancellationToken);
                    leaf = new LeafWork(position / ImageGeometry.SlotLengthBytes);
                }
            }
        }

        if (position != lengthBytes)
            throw InvalidMap($"it ends at byte {position} of {lengthBytes}");
        leaves.Complete();
        slabs.Complete();
    }

    private static StoreException InvalidMap(string why) =>
        new(StoreErrorKind.InvalidRequest, $"The source's map of its extents is wrong: {why}. Nothing was committed.");

    /// <summary>Adds a run; "unchanged" beyond the parent's end means nothing, so there the source is read.</summary>
    private void AddPieces(LeafWork leaf, long start, long end, ExtentKind kind)
    {
        if (kind == ExtentKind.Unchanged && end > parentLengthBytes)
        {
            var limit = Math.Max(start, parentLengthBytes);
            leaf.Add(new(start, limit - start, ExtentKind.Unchanged));
            leaf.Add(new(limit, end - limit, ExtentKind.Data));
            return;
        }

        leaf.Add(new(start, end - start, kind));
    }

    private async ValueTask EmitAsync(LeafWork leaf, long endBytes, CancellationToken cancellationToken)
    {
        var length = endBytes - (leaf.FirstSlot * ImageGeometry.SlotLengthBytes);
        var kind = leaf.Pieces.Count == 1 ? leaf.Pieces[0].Kind : ExtentKind.Data;
        if (kind == ExtentKind.Zero)
        {
            leaf.Known = default(Slot);
            chunks.Counters.AddZero(length);
            await leaves.WriteAsync(leaf, cancellationToken);
            return;
        }

        var parentSlot = default(Slot);
        if (parent is { } image)
        {
            var isShared = kind == ExtentKind.Unchanged && IsSharable(endBytes, ImageGeometry.LeafLengthBytes);
            parentSlot = await FindParentAsync(image, leaf, !isShared || chunks.HasDoubts, cancellationToken);
            if (isShared && leaf.Pieces is [{ Kind: ExtentKind.Unchanged }] && !tree.Packs.Suspects.Contains(parentSlot.PackSeq))
            {
                leaf.Known = parentSlot;
                chunks.Counters.AddUnchanged(length);
                await leaves.WriteAsync(leaf, cancellationToken);
                return;
            }
        }

        leaf.AllocateSlots();
        if (resume is not null && await resume.TryAsync(leaf, parentSlot, length, cancellationToken))
        {
            await leaves.WriteAsync(leaf, cancellationToken);
            return;
        }

        var work = Plan(leaf, endBytes);
        leaf.Expect(work.Count);
        await leaves.WriteAsync(leaf, cancellationToken);
        foreach (var slab in work)
            await slabs.WriteAsync(slab, cancellationToken);
    }

    /// <summary>Finds the parent's leaf and, if asked, reads it. What is unchanged but damaged or lost in the parent becomes data: the source still has it.</summary>
    private async ValueTask<Slot> FindParentAsync(ImageRef image, LeafWork leaf, bool isRead, CancellationToken cancellationToken)
    {
        try
        {
            var slot = await tree.FindAsync(image, leaf.FirstSlot, 1, cancellationToken);
            if (slot.IsHole || !isRead)
                return slot;
            var node = await tree.ReadNodeAsync(slot, 1, cancellationToken);
            for (var i = 0; i < ImageGeometry.FanOut; i++)
            {
                if (SlotContent.Of(node, i).Chunks.Any(chunks.IsDoubtful))
                    leaf.ReadAgain((leaf.FirstSlot + i) * ImageGeometry.SlotLengthBytes, ImageGeometry.SlotLengthBytes);
            }

            leaf.ParentLeaf = node;
            return slot;
        }
        catch (StoreException failure) when (failure.IsDamage)
        {
            leaf.ReadAgain(leaf.FirstSlot * ImageGeometry.SlotLengthBytes, ImageGeometry.LeafLengthBytes);
            return default;
        }
    }

    /// <summary>
    /// True when the slot or leaf (of length <paramref name="grainBytes"/>) that ends at <paramref name="endBytes"/> covers the same bytes
    /// in the parent: where an image was resized, the piece at the end of the shorter one is cut off there.
    /// </summary>
    private bool IsSharable(long endBytes, long grainBytes) =>
        lengthBytes == parentLengthBytes || (endBytes <= parentLengthBytes && endBytes % grainBytes == 0);

    private List<Slab> Plan(LeafWork leaf, long endBytes)
    {
        var work = new List<Slab>();
        var leafStart = leaf.FirstSlot * ImageGeometry.SlotLengthBytes;
        var piece = 0;
        for (var start = leafStart; start < endBytes; start += SlabLengthBytes)
        {
            var end = Math.Min(start + SlabLengthBytes, endBytes);
            while (leaf.Pieces[piece].EndBytes <= start)
                piece++;
            var last = piece;
            while (leaf.Pieces[last].EndBytes < end)
                last++;
            var firstSlot = (int)((start - leafStart) / ImageGeometry.SlotLengthBytes);
            var slotCount = (int)ImageGeometry.SlotCountOf(end - start);
            var only = piece == last ? leaf.Pieces[piece].Kind : ExtentKind.Data;
            if (only == ExtentKind.Zero)
            {
                chunks.Counters.AddZero(end - start);
            }
            else if (only == ExtentKind.Unchanged && IsSharable(end, ImageGeometry.SlotLengthBytes))
            {
                for (var i = firstSlot; i < firstSlot + slotCount; i++)
                    leaf.Slots[i] = leaf.ParentSlot(i);
                chunks.Counters.AddUnchanged(end - start);
            }
            else
            {
                work.Add(new(leaf, firstSlot, slotCount, piece, last - piece + 1));
            }
        }

        return work;
    }
}
