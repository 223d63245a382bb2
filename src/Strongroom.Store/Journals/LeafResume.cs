using Strongroom.Store.Images;
using Strongroom.Store.Manifests;

namespace Strongroom.Store.Journals;

/// <summary>Settles leaves from what an earlier session wrote down, as far as every chunk of it can still be relied on.</summary>
/// <param name="journal">What was written down.</param>
/// <param name="chunks">The session that goes on.</param>
/// <param name="tryRelyOn">True when a chunk that an earlier session referred to lies there still, and is sound as far as is known; then the commit relies on it.</param>
internal sealed class LeafResume(ImageJournal journal, ISessionChunks chunks, Func<Slot, CancellationToken, ValueTask<bool>> tryRelyOn)
{
    /// <summary>Settles a leaf, whose slots are allocated; false when its bytes have to be read.</summary>
    /// <param name="leaf">With the parent's leaf, where there is one.</param>
    /// <param name="parentSlot">Points to the parent's leaf.</param>
    /// <param name="lengthBytes">Of the image, below this leaf.</param>
    /// <param name="cancellationToken">Ends the search.</param>
    public async ValueTask<bool> TryAsync(LeafWork leaf, Slot parentSlot, long lengthBytes, CancellationToken cancellationToken)
    {
        if (await journal.FindAsync((uint)(leaf.FirstSlot / ImageGeometry.FanOut), cancellationToken) is not { } record
            || !await TryTakeAsync(leaf, parentSlot, record, cancellationToken))
            return false;
        chunks.Counters.AddResumed(lengthBytes);
        return true;
    }

    private async ValueTask<bool> TryTakeAsync(LeafWork leaf, Slot parentSlot, JournalRecord record, CancellationToken cancellationToken)
    {
        switch (record.Form)
        {
            case JournalForm.Hole:
                leaf.Known = default(Slot);
                return true;
            case JournalForm.Parent:
                if (leaf.ParentLeaf is not { } node || ChunksOf(node).Any(chunks.IsDoubtful))
                    return false;
                leaf.Known = parentSlot;
                return true;
            default:
                return await TryTakeNodeAsync(leaf, record.Node, cancellationToken);
        }
    }

    private async ValueTask<bool> TryTakeNodeAsync(LeafWork leaf, byte[] node, CancellationToken cancellationToken)
    {
        try
        {
            // What the parent holds is there as long as the parent is, wherever it lies; everything else must lie where the journal says.
            var inherited = leaf.ParentLeaf is { } parent ? ChunksOf(parent).ToHashSet() : [];
            foreach (var chunk in ChunksOf(node).Distinct())
            {
                if (inherited.Contains(chunk) ? chunks.IsDoubtful(chunk) : !await tryRelyOn(chunk, cancellationToken))
                    return false;
            }
        }
        catch (StoreException failure) when (failure.IsDamage)
        {
            return false;
        }

        for (var i = 0; i < leaf.Slots.Length; i++)
            leaf.Slots[i] = SlotContent.Of(node, i);
        leaf.Expect(0);
        return true;
    }

    private static IEnumerable<Slot> ChunksOf(byte[] leaf) => Enumerable.Range(0, ImageGeometry.FanOut).SelectMany(i => SlotContent.Of(leaf, i).Chunks);
}
