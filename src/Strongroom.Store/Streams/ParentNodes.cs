using Strongroom.Store.Manifests;
using Strongroom.Store.Packs;

namespace Strongroom.Store.Streams;

/// <summary>What a parent's manifest offers to share, by id. Not for concurrent use.</summary>
/// <remarks>A node is shared only after it was read: one that rotted would be handed on to every later backup. Then it is stored anew from what the source has.</remarks>
internal sealed class ParentNodes(ManifestReader tree, Func<uint, bool> hasPack)
{
    private readonly Dictionary<ChunkId, (Slot Slot, bool IsRead)> nodes = [];

    /// <summary>The nodes of a stream; one that cannot be read, and what only it leads to, is left out. Nodes that point to chunks are not read yet.</summary>
    public static async Task<ParentNodes> OfAsync(ManifestReader tree, StreamRef stream, Func<uint, bool> hasPack, CancellationToken cancellationToken)
    {
        var nodes = new ParentNodes(tree, hasPack);
        await nodes.AddAsync(stream, cancellationToken);
        return nodes;
    }

    /// <inheritdoc cref="OfAsync"/>
    public async Task AddAsync(StreamRef stream, CancellationToken cancellationToken)
    {
        var pending = new Stack<(StreamRecord Record, int Level)>();
        if (stream.Height > 0)
            pending.Push((new(stream.LengthBytes, stream.Root), stream.Height));
        while (pending.TryPop(out var next))
        {
            if (next.Record.Slot.IsHole)
                continue;
            if (next.Level == 1)
            {
                nodes[next.Record.Slot.Id] = (next.Record.Slot, false);
                continue;
            }

            try
            {
                foreach (var child in await tree.ReadStreamNodeAsync(next.Record.Slot, next.Level, next.Record.LengthBytes, cancellationToken))
                    pending.Push((child, next.Level - 1));
                nodes[next.Record.Slot.Id] = (next.Record.Slot, true);
            }
            catch (StoreException failure) when (failure.IsDamage)
            {
                // Stored anew, as all that leads to it.
            }
        }
    }

    /// <summary>Offers a page that the caller reads before it asks for it, and takes back with <see cref="Remove"/> where it cannot be read.</summary>
    public void AddPage(Slot page) => nodes[page.Id] = (page, true);

    public void Remove(ChunkId id) => nodes.Remove(id);

    /// <summary>Where the parent has these bytes, readable; null where they are to be stored.</summary>
    public async ValueTask<Slot?> FindAsync(ChunkId id, int lengthBytes, CancellationToken cancellationToken)
    {
        if (!nodes.TryGetValue(id, out var node) || !hasPack(node.Slot.PackSeq))
            return null;
        if (node.IsRead)
            return node.Slot;
        try
        {
            await tree.Packs.ReadChunkAsync(PackContent.Nodes, node.Slot.Chunk, new byte[lengthBytes], cancellationToken);
            nodes[id] = (node.Slot, true);
            return node.Slot;
        }
        catch (StoreException failure) when (failure.IsDamage)
        {
            nodes.Remove(id);
            return null;
        }
    }
}
