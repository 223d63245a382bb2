using Strongroom.Store.Manifests;
using Strongroom.Store.Packs;

namespace Strongroom.Store.Collection;

/// <summary>Finds the live chunks of a pack in quarantine where they can still be read: in other packs, that later backups wrote, or in the pack itself.</summary>
internal sealed class SecondCopies(VaultStore vault, LiveMap live, IReadOnlyDictionary<(uint PackSeq, ushort Ordinal), Slot> wanted)
{
    /// <summary>Each live chunk of the pack as manifests know it, and where it can be read; null when one cannot be read anywhere.</summary>
    public async Task<List<(ushort Ordinal, Slot Known, Slot Place)>?> FindAllAsync(uint pack, CancellationToken cancellationToken)
    {
        var found = new List<(ushort Ordinal, Slot Known, Slot Place)>();
        foreach (var ordinal in live.LiveOrdinals(pack).ToList())
        {
            if (!wanted.TryGetValue((pack, ordinal), out var slot))
                return null;
            var elsewhere = await vault.Index.FindAsync(slot.Id, cancellationToken);
            if (elsewhere is { } place && await TryReadAsync(place, cancellationToken) is not null)
                found.Add((ordinal, slot, place));
            else if (await TryReadAsync(slot.Chunk, cancellationToken) is not null)
                found.Add((ordinal, slot, slot.Chunk));
            else
                return null;
        }

        return found;
    }

    /// <summary>The chunk at a place, checked against its id; null when it cannot be read there.</summary>
    public async ValueTask<byte[]?> TryReadAsync(Slot place, CancellationToken cancellationToken)
    {
        try
        {
            var directory = await vault.Packs.GetDirectoryAsync(PackContent.Data, place.PackSeq, cancellationToken);
            if (place.Ordinal >= directory.Length || directory[place.Ordinal].Id != place.Id)
                return null;
            var raw = new byte[directory[place.Ordinal].RawLengthBytes];
            await vault.Packs.ReadChunkAsync(PackContent.Data, directory[place.Ordinal].ToSlot(place.PackSeq, place.Ordinal), raw, cancellationToken);
            return raw;
        }
        catch (StoreException failure) when (failure.IsDamage)
        {
            return null;
        }
    }
}
