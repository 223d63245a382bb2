using Strongroom.Store.Manifests;
using Strongroom.Store.Packs;

namespace Strongroom.Store.Images;

/// <summary>The bytes of manifest nodes: 256 slots, and after those of a leaf its split records (<c>docs/store-format.md</c> section 5).</summary>
internal static class NodeFormat
{
    public const int SubSlotCount = ImageGeometry.SlotLengthBytes / ImageGeometry.SubSlotLengthBytes;
    public const int SplitRecordLengthBytes = SubSlotCount * Slot.LengthBytes;
    public const int GreatestChildCount = ImageGeometry.FanOut * SubSlotCount;
    public const int GreatestLengthBytes = ImageGeometry.NodeLengthBytes + (ImageGeometry.FanOut * SplitRecordLengthBytes);

    /// <summary>The length of the node of <paramref name="level"/> that <paramref name="slot"/> points to.</summary>
    /// <exception cref="StoreException">Corrupt: the slot does not point to a node. Unsupported: it is of a kind that is not known.</exception>
    public static int LengthOf(Slot slot, int level)
    {
        PackReader.RequireWhole(slot.Chunk);
        if (slot.Flags > (level == 1 ? ImageGeometry.FanOut : 0))
            throw StoreException.Corrupt($"A manifest points to a node in pack {slot.PackSeq:x8} with a length that no node has");
        return ImageGeometry.NodeLengthBytes + (slot.Flags * SplitRecordLengthBytes);
    }

    public static Slot SlotOf(ReadOnlySpan<byte> node, int index) => Slot.Read(node.Slice(index * Slot.LengthBytes, Slot.LengthBytes));

    /// <summary>What covers the 64 KiB <paramref name="sub"/> of a split slot: a hole, a chunk of its own or a part of one.</summary>
    /// <exception cref="StoreException">Corrupt, Unsupported.</exception>
    public static Slot SubSlotOf(ReadOnlySpan<byte> leaf, Slot split, int sub)
    {
        var offset = ImageGeometry.NodeLengthBytes + (split.Ordinal * SplitRecordLengthBytes) + (sub * Slot.LengthBytes);
        if (offset + Slot.LengthBytes > leaf.Length)
            throw StoreException.Corrupt("A manifest names a split record that its leaf does not have");
        var slot = Slot.Read(leaf.Slice(offset, Slot.LengthBytes));
        if (slot.IsHole)
            return slot;
        PackReader.RequireWhole(slot.Chunk);
        if (slot.Part is { } part ? part >= SubSlotCount || slot.Codec != ChunkCodec.Parts : slot.Flags != 0)
            throw StoreException.Corrupt("A split record of a manifest names a part that no chunk has");
        return slot;
    }

    /// <summary>The four sub-slots of a split slot.</summary>
    public static Slot[] SubSlotsOf(ReadOnlySpan<byte> leaf, Slot split)
    {
        var subSlots = new Slot[SubSlotCount];
        for (var sub = 0; sub < SubSlotCount; sub++)
            subSlots[sub] = SubSlotOf(leaf, split, sub);
        return subSlots;
    }

    /// <summary>Everything that a node points to: nodes of the level below with their flags; for a leaf data chunks, each once for each slot.</summary>
    /// <param name="node">Its bytes.</param>
    /// <param name="level">Its level.</param>
    /// <param name="children">Takes them; at least <see cref="GreatestChildCount"/> long.</param>
    /// <returns>How many there are.</returns>
    /// <exception cref="StoreException">Corrupt, Unsupported.</exception>
    public static int ReadChildren(ReadOnlySpan<byte> node, int level, Span<Slot> children)
    {
        // A collection passes here for every chunk of every node that there is.
        var count = 0;
        for (var i = 0; i < ImageGeometry.FanOut; i++)
        {
            var slot = SlotOf(node, i);
            if (slot.IsHole)
                continue;
            if (level > 1 || slot.Kind != SlotKind.Split)
            {
                if (level == 1)
                    PackReader.RequireWhole(slot);
                children[count++] = slot;
                continue;
            }

            var first = count;
            for (var sub = 0; sub < SubSlotCount; sub++)
            {
                var chunk = SubSlotOf(node, slot, sub).Chunk;
                if (!chunk.IsHole && !children[first..count].Contains(chunk))
                    children[count++] = chunk;
            }
        }

        return count;
    }

    /// <summary>Writes a leaf; its length in bytes.</summary>
    public static int WriteLeaf(ReadOnlySpan<SlotContent> contents, Span<byte> target)
    {
        var records = 0;
        for (var i = 0; i < contents.Length; i++)
        {
            var slot = contents[i].Slot;
            if (contents[i].SubSlots is { } subSlots)
            {
                slot = new Slot(SlotKind.Split, default, 0, 0, (ushort)records, 0, 0, default);
                var record = target.Slice(ImageGeometry.NodeLengthBytes + (records++ * SplitRecordLengthBytes), SplitRecordLengthBytes);
                for (var sub = 0; sub < SubSlotCount; sub++)
                    subSlots[sub].WriteTo(record[(sub * Slot.LengthBytes)..]);
            }

            slot.WriteTo(target[(i * Slot.LengthBytes)..]);
        }

        return ImageGeometry.NodeLengthBytes + (records * SplitRecordLengthBytes);
    }
}

/// <summary>A slot of a leaf in the making; where it is split, its four sub-slots instead.</summary>
internal readonly record struct SlotContent(Slot Slot, Slot[]? SubSlots = null)
{
    public bool IsHole => Slot.IsHole && SubSlots is null;

    /// <summary>What a leaf says of a slot.</summary>
    /// <exception cref="StoreException">Corrupt, Unsupported.</exception>
    public static SlotContent Of(ReadOnlySpan<byte> leaf, int index)
    {
        var slot = NodeFormat.SlotOf(leaf, index);
        if (slot.Kind == SlotKind.Split)
            return new(default, NodeFormat.SubSlotsOf(leaf, slot));
        if (!slot.IsHole)
            PackReader.RequireWhole(slot);
        return new(slot);
    }

    /// <summary>The chunks that it points to; one may come more than once.</summary>
    public IEnumerable<Slot> Chunks => (SubSlots ?? [Slot]).Where(slot => !slot.IsHole).Select(slot => slot.Chunk);

    /// <summary>The sub-slot for 64 KiB of a slot of 256 KiB. Only where <see cref="IsDivisible"/>.</summary>
    public Slot SubSlot(int sub) => SubSlots is { } subSlots ? subSlots[sub] : Slot.ToPart(sub);

    /// <summary>True where each 64 KiB can be pointed to.</summary>
    public bool IsDivisible => SubSlots is not null || (Slot.Kind == SlotKind.Whole && Slot.Codec == ChunkCodec.Parts);
}
