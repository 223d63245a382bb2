using Strongroom.Store.Manifests;
using Strongroom.Store.Packs;

namespace Strongroom.Store.Images;

/// <summary>Stores what a slot holds: shares the parent's, splits where little changed, or makes a new chunk. Thread-safe.</summary>
internal sealed class SlotStore(ManifestReader tree, ISessionChunks chunks)
{
    /// <summary>A slot is split where at most this many of its four 64 KiB changed; beyond it a chunk of its own reads faster and costs little more.</summary>
    public const int GreatestChangedCount = 2;
    private const int AllChanged = (1 << NodeFormat.SubSlotCount) - 1;
    private readonly byte[] idKey = tree.Packs.Ring.IdKey;

    /// <summary>Stores a slot of which all bytes are at hand.</summary>
    /// <param name="parent">What the parent image has there with the same length; a hole where it has nothing.</param>
    public async ValueTask<SlotContent> StoreAsync(
        SlotContent parent, ReadOnlyMemory<byte> raw, ChunkWorkspace workspace, CancellationToken cancellationToken)
    {
        if (IsZero(raw))
        {
            chunks.Counters.AddZero(raw.Length);
            return default;
        }

        var id = ChunkId.Compute(idKey, raw.Span);
        if (!parent.Slot.IsHole && parent.Slot.Id == id && await chunks.CanReuseAsync(parent.Slot, raw.Length, cancellationToken))
        {
            chunks.Counters.AddUnchanged(raw.Length);
            return parent;
        }

        if (parent.IsDivisible && raw.Length == ImageGeometry.SlotLengthBytes && await chunks.FindDataAsync(id, raw.Length, cancellationToken) is null)
        {
            var mask = await CompareAsync(parent, raw, cancellationToken);
            if (int.PopCount(mask) <= GreatestChangedCount)
                return await StoreSplitAsync(parent, mask, raw, workspace, cancellationToken);
        }

        return new(await chunks.StoreDataAsync(id, raw, workspace, cancellationToken));
    }

    /// <summary>Stores the 64 KiB pieces that <paramref name="changedMask"/> names, and points to the parent's for the others, whose bytes are not looked at.</summary>
    public async ValueTask<SlotContent> StoreSplitAsync(
        SlotContent parent, int changedMask, ReadOnlyMemory<byte> raw, ChunkWorkspace workspace, CancellationToken cancellationToken)
    {
        var subSlots = new Slot[NodeFormat.SubSlotCount];
        for (var sub = 0; sub < NodeFormat.SubSlotCount; sub++)
        {
            if ((changedMask & (1 << sub)) == 0)
            {
                subSlots[sub] = parent.SubSlot(sub);
                chunks.Counters.AddUnchanged(ImageGeometry.SubSlotLengthBytes);
                continue;
            }

            subSlots[sub] = await StorePieceAsync(parent.SubSlot(sub), PieceOf(raw, sub), workspace, cancellationToken);
        }

        return Array.TrueForAll(subSlots, sub => sub.IsHole) ? default : changedMask == 0 ? parent : new(default, subSlots);
    }

    private async ValueTask<Slot> StorePieceAsync(Slot parent, ReadOnlyMemory<byte> raw, ChunkWorkspace workspace, CancellationToken cancellationToken)
    {
        if (IsZero(raw))
        {
            chunks.Counters.AddZero(raw.Length);
            return default;
        }

        var id = ChunkId.Compute(idKey, raw.Span);
        if (IsChunkOfItsOwn(parent) && parent.Id == id && await chunks.CanReuseAsync(parent, raw.Length, cancellationToken))
        {
            chunks.Counters.AddUnchanged(raw.Length);
            return parent;
        }

        return await chunks.StoreDataAsync(id, raw, workspace, cancellationToken);
    }

    /// <summary>Which 64 KiB differ from the parent's; all where the parent's cannot be read, so that they are stored anew.</summary>
    private async ValueTask<int> CompareAsync(SlotContent parent, ReadOnlyMemory<byte> raw, CancellationToken cancellationToken)
    {
        try
        {
            if (parent.SubSlots is null)
                return await chunks.CanReuseAsync(parent.Slot, ImageGeometry.SlotLengthBytes, cancellationToken)
                    ? await tree.Packs.CompareAsync(parent.Slot, raw, GreatestChangedCount, cancellationToken)
                    : AllChanged;
            var mask = 0;
            for (var sub = 0; sub < NodeFormat.SubSlotCount && int.PopCount(mask) <= GreatestChangedCount; sub++)
            {
                if (!await IsSameAsync(parent.SubSlots[sub], PieceOf(raw, sub), cancellationToken))
                    mask |= 1 << sub;
            }

            return int.PopCount(mask) <= GreatestChangedCount ? mask : AllChanged;
        }
        catch (StoreException failure) when (failure.IsDamage)
        {
            return AllChanged;
        }
    }

    private async ValueTask<bool> IsSameAsync(Slot sub, ReadOnlyMemory<byte> raw, CancellationToken cancellationToken)
    {
        if (sub.IsHole)
            return IsZero(raw);
        if (sub.Part is not { } part)
            return sub.Id == ChunkId.Compute(idKey, raw.Span) && await chunks.CanReuseAsync(sub, raw.Length, cancellationToken);
        if (!await chunks.CanReuseAsync(sub.Chunk, ImageGeometry.SlotLengthBytes, cancellationToken))
            return false;
        return await tree.Packs.IsPartAsync(sub.Chunk, ImageGeometry.SlotLengthBytes, part, raw, cancellationToken);
    }

    private static bool IsChunkOfItsOwn(Slot slot) => !slot.IsHole && slot.Part is null;

    private static ReadOnlyMemory<byte> PieceOf(ReadOnlyMemory<byte> raw, int sub) =>
        raw.Slice(sub * ImageGeometry.SubSlotLengthBytes, ImageGeometry.SubSlotLengthBytes);

    private static bool IsZero(ReadOnlyMemory<byte> raw) => raw.Span.IndexOfAnyExcept((byte)0) < 0;
}
