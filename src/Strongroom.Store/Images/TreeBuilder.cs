using Strongroom.Store.Manifests;

namespace Strongroom.Store.Images;

/// <summary>Builds the tree of an image from its leaves in order, sharing every node that equals the parent image's.</summary>
internal sealed class TreeBuilder
{
    private readonly ManifestReader tree;
    private readonly ImageRef? parent;
    private readonly int height;
    private readonly Func<ReadOnlyMemory<byte>, CancellationToken, ValueTask<Slot>> storeNode;
    private readonly Slot[][] children;
    private readonly int[] counts;
    private readonly long[] flushed;
    private readonly byte[] node = new byte[NodeFormat.GreatestLengthBytes];
    private Slot root;

    public TreeBuilder(ManifestReader tree, ImageRef? parent, int height, Func<ReadOnlyMemory<byte>, CancellationToken, ValueTask<Slot>> storeNode)
    {
        this.tree = tree;
        this.parent = parent;
        this.height = height;
        this.storeNode = storeNode;
        children = new Slot[height + 1][];
        counts = new int[height + 1];
        flushed = new long[height + 1];
        for (var level = 2; level <= height; level++)
            children[level] = new Slot[ImageGeometry.FanOut];
    }

    /// <summary>Takes the next leaf as its 256 data slots.</summary>
    public async ValueTask AddLeafAsync(SlotContent[] slots, CancellationToken cancellationToken)
    {
        var index = flushed[1]++;
        var isHole = Array.TrueForAll(slots, slot => slot.IsHole);
        var length = NodeFormat.WriteLeaf(slots, node);
        await AddAsync(1, isHole ? default : await ShareOrStoreAsync(1, index, node.AsMemory(0, length), cancellationToken), cancellationToken);
    }

    /// <summary>Takes the next leaf as a node that is stored already, or as a hole.</summary>
    public ValueTask AddLeafAsync(Slot leaf, CancellationToken cancellationToken)
    {
        flushed[1]++;
        return AddAsync(1, leaf, cancellationToken);
    }

    public async ValueTask<Slot> FinishAsync(CancellationToken cancellationToken)
    {
        for (var level = 2; level <= height; level++)
        {
            if (counts[level] > 0)
                await FlushAsync(level, cancellationToken);
        }

        return root;
    }

    private async ValueTask AddAsync(int level, Slot slot, CancellationToken cancellationToken)
    {
        if (level == height)
        {
            root = slot;
            return;
        }

        children[level + 1][counts[level + 1]++] = slot;
        if (counts[level + 1] == ImageGeometry.FanOut)
            await FlushAsync(level + 1, cancellationToken);
    }

    private async ValueTask FlushAsync(int level, CancellationToken cancellationToken)
    {
        var slots = children[level];
        var isHole = true;
        for (var i = 0; i < ImageGeometry.FanOut; i++)
        {
            slots[i].WriteTo(node.AsSpan(i * Slot.LengthBytes));
            isHole &= slots[i].IsHole;
        }

        var index = flushed[level]++;
        Array.Clear(slots);
        counts[level] = 0;
        await AddAsync(level, isHole ? default : await ShareOrStoreAsync(level, index, node.AsMemory(0, ImageGeometry.NodeLengthBytes), cancellationToken), cancellationToken);
    }

    private async ValueTask<Slot> ShareOrStoreAsync(int level, long index, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        if (parent is { } image && await FindSameAsync(image, level, index, bytes, cancellationToken) is { } same)
            return same;
        var records = (bytes.Length - ImageGeometry.NodeLengthBytes) / NodeFormat.SplitRecordLengthBytes;
        return await storeNode(bytes, cancellationToken) with { Flags = (ushort)records };
    }

    /// <summary>The parent's node in the same place, if it has the same bytes. One that cannot be read, or lies in a pack that is not whole, is not shared but stored anew.</summary>
    private async ValueTask<Slot?> FindSameAsync(ImageRef image, int level, long index, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        try
        {
            var slot = await tree.FindAsync(image, index * ImageGeometry.SlotsBelow(level), level, cancellationToken);
            return !slot.IsHole && !tree.Packs.Suspects.Contains(slot.PackSeq) && (await tree.ReadNodeAsync(slot, level, cancellationToken)).AsSpan().SequenceEqual(bytes.Span) ? slot : null;
        }
        catch (StoreException failure) when (failure.IsDamage)
        {
            return null;
        }
    }
}
