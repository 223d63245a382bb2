using System.Runtime.CompilerServices;

namespace Strongroom.Store.Images;

/// <summary>Visits every node and data slot of images, each shared node once for all images. Not for concurrent use.</summary>
internal sealed class TreeWalk(ImageTree tree)
{
    private readonly HashSet<(uint PackSeq, ushort Ordinal, int Level)> seen = [];

    /// <summary>Slots that point to something, with the level of what they point to: 0 for data.</summary>
    public async IAsyncEnumerable<(Slot Slot, int Level)> VisitAsync(ImageRef image, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var pending = new Stack<(Slot Slot, int Level)>();
        if (!image.Root.IsHole)
            pending.Push((image.Root, image.Height));
        while (pending.TryPop(out var next))
        {
            if (!seen.Add((next.Slot.PackSeq, next.Slot.Ordinal, next.Level)))
                continue;
            yield return next;
            var node = await tree.ReadNodeAsync(next.Slot, cancellationToken);
            for (var i = 0; i < ImageGeometry.FanOut; i++)
            {
                var slot = ImageTree.SlotOf(node, i);
                if (slot.IsHole)
                    continue;
                if (next.Level == 1)
                    yield return (slot, 0);
                else
                    pending.Push((slot, next.Level - 1));
            }
        }
    }
}
