using System.Buffers;
using System.Runtime.CompilerServices;
using Strongroom.Store.Images;

namespace Strongroom.Store.Manifests;

/// <summary>Visits all that snapshots need, each shared node once. The one place that knows how to get from a node to what it points to. Not for concurrent use.</summary>
internal sealed class ManifestWalk(ManifestReader tree)
{
    private readonly HashSet<(uint PackSeq, ushort Ordinal, ManifestKind Kind, int Level)> seen = [];

    /// <summary>Nodes and chunks below and with <paramref name="root"/>, as far as this walk has not visited them. A chunk may come more than once.</summary>
    public async IAsyncEnumerable<ManifestPointer> VisitAsync(ManifestPointer root, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var pending = new Stack<ManifestPointer>();
        var children = new List<ManifestPointer>();
        if (!root.Slot.IsHole)
            pending.Push(root);
        while (pending.TryPop(out var next))
        {
            if (next.IsData)
            {
                yield return next;
                continue;
            }

            if (!seen.Add((next.Slot.PackSeq, next.Slot.Ordinal, next.Kind, next.Level)))
                continue;
            yield return next;
            children.Clear();
            await ReadChildrenAsync(tree, next, children, cancellationToken);
            foreach (var child in children)
            {
                if (child.IsData)
                    yield return child;
                else
                    pending.Push(child);
            }
        }
    }

    /// <summary>Adds what a node points to, in order, without holes. Safe for concurrent calls.</summary>
    public static async ValueTask ReadChildrenAsync(
        ManifestReader tree, ManifestPointer node, List<ManifestPointer> children, CancellationToken cancellationToken)
    {
        if (node.Kind == ManifestKind.Image)
        {
            await ReadImageNodeAsync(tree, node, children, cancellationToken);
        }
        else if (node.Level > 0)
        {
            foreach (var record in await tree.ReadStreamNodeAsync(node.Slot, node.Level, node.LengthBytes, cancellationToken))
                Add(children, new(record.Slot, node.Kind, node.Level - 1, record.LengthBytes));
        }
        else
        {
            foreach (var entry in await tree.ReadPageAsync(node.Slot, node.LengthBytes, node.Kind == ManifestKind.Tree, cancellationToken))
            {
                if (entry.Stream is { } stream)
                    Add(children, ManifestPointer.Of(stream, entry.Kind == TreeEntryKind.Folder ? ManifestKind.Folder : ManifestKind.Stream));
            }
        }
    }

    private static async ValueTask ReadImageNodeAsync(
        ManifestReader tree, ManifestPointer node, List<ManifestPointer> children, CancellationToken cancellationToken)
    {
        var bytes = ArrayPool<byte>.Shared.Rent(NodeFormat.GreatestLengthBytes);
        var slots = ArrayPool<Slot>.Shared.Rent(NodeFormat.GreatestChildCount);
        try
        {
            var length = await tree.ReadNodeAsync(node.Slot, node.Level, bytes, cancellationToken);
            var count = NodeFormat.ReadChildren(bytes.AsSpan(0, length), node.Level, slots);
            for (var i = 0; i < count; i++)
                children.Add(new(slots[i], ManifestKind.Image, node.Level - 1, 0));
        }
        finally
        {
            ArrayPool<Slot>.Shared.Return(slots);
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    private static void Add(List<ManifestPointer> children, ManifestPointer child)
    {
        if (!child.Slot.IsHole)
            children.Add(child);
    }
}
