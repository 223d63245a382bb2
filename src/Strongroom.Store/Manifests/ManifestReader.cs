using Strongroom.Store.Blobs;
using Strongroom.Store.Images;
using Strongroom.Store.Packs;
using Strongroom.Store.Streams;
using Strongroom.Store.Trees;

namespace Strongroom.Store.Manifests;

/// <summary>Reads manifest nodes through a bounded cache that all readers share. Thread-safe.</summary>
internal sealed class ManifestReader(PackReader packs, int cachedNodes)
{
    private readonly RecentlyUsed<(uint PackSeq, ushort Ordinal), byte[]> nodes = new(cachedNodes);

    public PackReader Packs => packs;

    /// <summary>The bytes of a node (<see cref="NodeFormat"/>). The caller does not change them.</summary>
    public async ValueTask<byte[]> ReadNodeAsync(Slot slot, int level, CancellationToken cancellationToken)
    {
        var length = NodeFormat.LengthOf(slot, level);
        var key = (slot.PackSeq, slot.Ordinal);
        if (nodes.TryGet(key, out var node))
            return node.Length == length ? node : throw StoreException.Corrupt($"Two manifests differ about the length of a node in pack {slot.PackSeq:x8}");
        node = new byte[length];
        await packs.ReadChunkAsync(PackContent.Nodes, slot.Chunk, node, cancellationToken);
        nodes.TryAdd(key, node);
        return node;
    }

    /// <summary>
    /// Reads a node into <paramref name="buffer"/>, which has room for the longest; its length. What is read here does not enter the cache: a walk
    /// through everything would push out what readers need.
    /// </summary>
    public async ValueTask<int> ReadNodeAsync(Slot slot, int level, byte[] buffer, CancellationToken cancellationToken)
    {
        var length = NodeFormat.LengthOf(slot, level);
        if (nodes.TryGet((slot.PackSeq, slot.Ordinal), out var node) && node.Length == length)
            node.CopyTo(buffer, 0);
        else
            await packs.ReadChunkAsync(PackContent.Nodes, slot.Chunk, buffer.AsMemory(0, length), cancellationToken);
        return length;
    }

    /// <summary>The records of a node of a stream's manifest, checked.</summary>
    public async ValueTask<StreamRecord[]> ReadStreamNodeAsync(Slot slot, int level, long lengthBytes, CancellationToken cancellationToken)
    {
        var key = (slot.PackSeq, slot.Ordinal);
        var rawLength = StreamNode.RawLengthOf(slot);
        if (!nodes.TryGet(key, out var node) || node.Length != rawLength)
        {
            node = new byte[rawLength];
            await packs.ReadChunkAsync(PackContent.Nodes, slot.Chunk, node, cancellationToken);
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

    /// <summary>The slot that points to the node of <paramref name="level"/> that covers data slot <paramref name="slotIndex"/>; a hole where there is none.</summary>
    public async ValueTask<Slot> FindAsync(ImageRef image, long slotIndex, int level, CancellationToken cancellationToken)
    {
        RequireWellFormed(image);
        if (level > image.Height || slotIndex >= ImageGeometry.SlotsBelow(image.Height))
            return default;
        var slot = image.Root;
        for (var at = image.Height; at > level && !slot.IsHole; at--)
        {
            var node = await ReadNodeAsync(slot, at, cancellationToken);
            slot = NodeFormat.SlotOf(node, ImageGeometry.ChildOf(slotIndex, at));
        }

        return slot;
    }

    /// <summary>The leaf that covers data slot <paramref name="slotIndex"/>, or null where there is none.</summary>
    public async ValueTask<byte[]?> FindLeafAsync(ImageRef image, long slotIndex, CancellationToken cancellationToken)
    {
        var slot = await FindAsync(image, slotIndex, 1, cancellationToken);
        return slot.IsHole ? null : await ReadNodeAsync(slot, 1, cancellationToken);
    }

    /// <summary>Every leaf that is not a hole, in order, with the index of its first data slot.</summary>
    public async IAsyncEnumerable<(long FirstSlot, byte[] Leaf)> ReadLeavesAsync(
        ImageRef image, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        RequireWellFormed(image);
        var pending = new Stack<(Slot Slot, int Level, long FirstSlot)>();
        pending.Push((image.Root, image.Height, 0));
        while (pending.TryPop(out var next))
        {
            if (next.Slot.IsHole)
                continue;
            var node = await ReadNodeAsync(next.Slot, next.Level, cancellationToken);
            if (next.Level == 1)
            {
                yield return (next.FirstSlot, node);
                continue;
            }

            var below = ImageGeometry.SlotsBelow(next.Level - 1);
            for (var i = ImageGeometry.FanOut - 1; i >= 0; i--)
                pending.Push((NodeFormat.SlotOf(node, i), next.Level - 1, next.FirstSlot + (i * below)));
        }
    }

    public void Clear() => nodes.Clear();

    private static void RequireWellFormed(ImageRef image)
    {
        if (!image.IsWellFormed)
            throw StoreException.Corrupt($"A snapshot refers to an image of {image.LengthBytes} bytes and height {image.Height}, which cannot be");
    }
}
