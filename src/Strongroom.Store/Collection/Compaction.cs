using System.Security.Cryptography;
using Strongroom.Store.Manifests;
using Strongroom.Store.Packs;

namespace Strongroom.Store.Collection;

/// <summary>What a compaction copied.</summary>
/// <param name="Attempt">The random number of its table; 0 when there is none.</param>
/// <param name="Live">The chunks that have copies, by their old places.</param>
/// <param name="BytesCopied">The plaintext of them.</param>
internal sealed record CompactionResult(ulong Attempt, LiveMap Live, long BytesCopied);

/// <summary>Copies the live chunks of packs into new packs, and writes the table that says where they lie now.</summary>
/// <remarks>Every chunk is opened and checked on the way, and sealed again as it was compressed. Nothing is in force before the SWEEP that names the table.</remarks>
internal sealed class Compaction(
    VaultStore vault, LiveMap live, IReadOnlyList<PackInfo> packs, IReadOnlyDictionary<(uint PackSeq, ushort Ordinal), Slot> quarantined, int greatestCopies)
{
    private readonly List<Relocation> relocations = [];
    private readonly LiveMap copied = new();
    private long bytes;

    public async Task<CompactionResult> CopyAsync(IEnumerable<uint> toCopy, long condemnSequence, CancellationToken cancellationToken)
    {
        var contents = packs.ToDictionary(pack => pack.PackSeq, pack => pack.Content);
        using var claims = vault.Claim();
        foreach (var group in toCopy.GroupBy(pack => contents[pack]))
        {
            // What is copied is deleted where it was: every frame is read back.
            using var lane = new PackLane(vault, group.Key, null, claims.Claims, cancellationToken, verifyEvery: 1);
            try
            {
                foreach (var pack in group.Order())
                {
                    // What was copied is kept in memory, and a table has room for so many; the next collection goes on.
                    if (live.LiveIn(pack).Chunks > greatestCopies - relocations.Count)
                        continue;
                    if (vault.Log.State.Quarantine.Contains(pack))
                        await CopyQuarantinedAsync(pack, group.Key, lane, cancellationToken);
                    else
                        await CopyPackAsync(pack, group.Key, lane, cancellationToken);
                }

                await lane.FinishAsync(cancellationToken);
            }
            finally
            {
                await lane.AbandonAsync();
            }
        }

        if (relocations.Count == 0)
            return new(0, copied, 0);
        relocations.Sort((a, b) => (a.From, a.FromOrdinal).CompareTo((b.From, b.FromOrdinal)));
        var id = new RelocationTableId(condemnSequence, BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8)) | 1);
        await RelocationFormat.WriteAsync(vault.Packs.Backend, vault.Packs.Ring, id, relocations, cancellationToken);
        await RequireGivenBackAsync(id, cancellationToken);
        return new(id.Attempt, copied, bytes);
    }

    /// <summary>Once it is in force, nothing else says where the chunks lie.</summary>
    private async Task RequireGivenBackAsync(RelocationTableId id, CancellationToken cancellationToken)
    {
        var table = await RelocationTable.OpenAsync(vault.Packs.Backend, vault.Packs.Ring, id, cancellationToken);
        var next = 0;
        await foreach (var record in table.ReadAllAsync(cancellationToken))
        {
            if (next >= relocations.Count || record != relocations[next++])
                throw NotGivenBack(id);
        }

        foreach (var at in (int[])[0, relocations.Count / 2, relocations.Count - 1])
        {
            if (await table.FindAsync(relocations[at].From, relocations[at].FromOrdinal, cancellationToken) != relocations[at])
                throw NotGivenBack(id);
        }

        if (next != relocations.Count)
            throw NotGivenBack(id);
    }

    private static StoreException NotGivenBack(RelocationTableId id) =>
        StoreException.Corrupt($"The storage did not give back what was written to the relocation table {id.Name}. Nothing was removed");

    /// <summary>Copies the live chunks of a damaged pack from wherever they can be read, if that is so for all of them.</summary>
    private async Task CopyQuarantinedAsync(uint pack, PackContent content, PackLane lane, CancellationToken cancellationToken)
    {
        // Coded as it was: manifests may point to its parts, and those of streams are smaller whole.
        using var inParts = new ChunkWorkspace();
        using var whole = new ChunkWorkspace(isThorough: true);
        var copies = new SecondCopies(vault, live, quarantined);
        if (content != PackContent.Data || await copies.FindAllAsync(pack, cancellationToken) is not { } places)
            return;
        foreach (var (ordinal, known, place) in places)
        {
            if (await copies.TryReadAsync(place, cancellationToken) is not { } raw)
                return;
            var slot = await lane.AppendAsync(place.Id, (known.Codec == ChunkCodec.Parts ? inParts : whole).Encode(raw), cancellationToken);
            relocations.Add(new(pack, ordinal, slot.PackSeq, slot.Ordinal, slot.OffsetBytes, slot.StoredLengthBytes, slot.Codec));
            copied.Mark(pack, ordinal, slot.StoredLengthBytes);
            bytes += raw.Length;
        }
    }

    /// <summary>A pack of which something cannot be read stays: chunks without a copy keep it.</summary>
    private async Task CopyPackAsync(uint pack, PackContent content, PackLane lane, CancellationToken cancellationToken)
    {
        try
        {
            var directory = await vault.Packs.GetDirectoryAsync(content, pack, cancellationToken);
            foreach (var ordinal in live.LiveOrdinals(pack))
            {
                if (ordinal >= directory.Length)
                    return;
                var entry = directory[ordinal];
                var slot = await vault.Packs.ReadEncodedAsync(
                    content,
                    entry.ToSlot(pack, ordinal),
                    entry.RawLengthBytes,
                    chunk => lane.AppendAsync(entry.Id, chunk, cancellationToken),
                    cancellationToken);
                relocations.Add(new(pack, ordinal, slot.PackSeq, slot.Ordinal, slot.OffsetBytes, slot.StoredLengthBytes, slot.Codec));
                copied.Mark(pack, ordinal, slot.StoredLengthBytes);
                bytes += entry.RawLengthBytes;
            }
        }
        catch (StoreException failure) when (failure.IsDamage)
        {
            // Verification reports it.
        }
    }
}
