using Strongroom.Store.Blobs;
using Strongroom.Store.Packs;
using Strongroom.Store.Streams;
using Strongroom.Store.Trees;

namespace Strongroom.Store.Images;

/// <summary>Reads manifest nodes through a bounded cache that all readers share. Thread-safe.</summary>
internal sealed class ImageTree(PackReader packs, int cachedNodes)
{
    private readonly RecentlyUsed<(uint PackSeq, ushort Ordinal), byte[]> nodes = new(cachedNodes);

    public PackReader Packs => packs;

    /// <summary>The 12,288 bytes of a node. The caller does not change them.</summary>
    public async ValueTask<byte[]> ReadNodeAsync(Slot slot, CancellationToken cancellationToken)
    {
        var key = (slot.PackSeq, slot.Ordinal);
        if (nodes.TryGet(key, out var node))
            return node;
        node = new byte[ImageGeometry.NodeLengthBytes];
        await packs.ReadChunkAsync(PackContent.Nodes, slot, node, cancellationToken);
        nodes.TryAdd(key, node);
        return node;
    }

    /// <summary>The records of a node of a stream's manifest, checked.</summary>
    public async ValueTask<StreamRecord[]> ReadStreamNodeAsync(Slot slot, int level, long lengthBytes, CancellationToken cancellationToken)
    {
        var key = (slot.PackSeq, slot.Ordinal);
        var rawLength = StreamNode.RawLengthOf(slot);
        if (!nodes.TryGet(key, out var node) || node.Length != rawLength)
        {
            node = new byte[rawLength];
            await packs.ReadChunkAsync(PackContent.Nodes, slot with { Flags = 0 }, node, cancellationToken);
            nodes.TryAdd(key, node);
        }

        return StreamNode.Parse(node, level, lengthBytes);
    }

    /// <summary>The entries of a folder's page. Pages are not cached: they are long, and seldom read twice.</summary>
    public async ValueTask<List<TreeEntry>> ReadPageAsync(Slot slot, long lengthBytes, bool isTop, CancellationToken cancellationToken)
    {
        if (lengthBytes is <= 0 or > StreamNode.GreatestChunkLengthBytes)
            throw TreePage.Malformed();
        var page = new byte[lengthBytes];
        await packs.ReadChunkAsync(PackContent.Nodes, slot, page, cancellationToken);
        return TreePage.Parse(page, isTop);
    }

    /// <summary>The slot of the node of <paramref name="level"/> that covers data slot <paramref name="slotIndex"/>; a hole where there is none. Level 0 is the data slot itself.</summary>
    public async ValueTask<Slot> FindAsync(ImageRef image, long slotIndex, int level, CancellationToken cancellationToken)
    {
        if (slotIndex >= ImageGeometry.SlotsBelow(image.Height) || level > image.Height)
            return default;
        var slot = image.Root;
        for (var at = image.Height; at > level && !slot.IsHole; at--)
        {
            var node = await ReadNodeAsync(slot, cancellationToken);
            slot = SlotOf(node, ImageGeometry.ChildOf(slotIndex, at));
        }

        return slot;
    }

    /// <summary>Every leaf that is not a hole, in order, with the index of its first data slot.</summary>
    public async IAsyncEnumerable<(long FirstSlot, byte[] Leaf)> ReadLeavesAsync(
        ImageRef image, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var pending = new Stack<(Slot Slot, int Level, long FirstSlot)>();
        pending.Push((image.Root, image.Height, 0));
        while (pending.TryPop(out var next))
        {
            if (next.Slot.IsHole)
                continue;
            var node = await ReadNodeAsync(next.Slot, cancellationToken);
            if (next.Level == 1)
            {
                yield return (next.FirstSlot, node);
                continue;
            }

            var below = ImageGeometry.SlotsBelow(next.Level - 1);
            for (var i = ImageGeometry.FanOut - 1; i >= 0; i--)
                pending.Push((SlotOf(node, i), next.Level - 1, next.FirstSlot + (i * below)));
        }
    }

    public static Slot SlotOf(byte[] node, int index) => Slot.Read(node.AsSpan(index * Slot.LengthBytes, Slot.LengthBytes));

    public void Clear() => nodes.Clear();
}
