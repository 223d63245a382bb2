using Strongroom.Store.Collection;
using Strongroom.Store.Packs;

namespace Strongroom.Store;

public sealed partial class VaultStore
{
    /// <summary>A number that no other pack of this vault has or will have.</summary>
    internal ValueTask<uint> AllocatePackSeqAsync(CancellationToken cancellationToken) => numbers.TakeAsync(cancellationToken);

    /// <summary>False when a pack that a manifest points to is lost: what it held is stored anew as long as a source still has it.</summary>
    internal bool HasPack(PackContent content, uint packSeq) =>
        PackSet.Contains(content, packSeq) || Log.State.Collection.IsRelocated(packSeq);

    /// <summary>Claims that collections of this process spare.</summary>
    internal ClaimLease Claim()
    {
        var lease = new ClaimLease(ended => leases.TryRemove(ended, out _));
        leases[lease] = 0;
        return lease;
    }

    /// <summary>Packs that sessions of this process have written or refer to.</summary>
    internal HashSet<uint> PacksInUse() => PacksInUse(TimeSpan.Zero);

    internal async Task<List<RelocationTableId>> ListTablesAsync(CancellationToken cancellationToken)
    {
        var tables = new List<RelocationTableId>();
        await foreach (var blob in Packs.Backend.ListAsync(RelocationTableId.Folder, cancellationToken))
        {
            if (RelocationTableId.TryParse(blob.Name, out var table))
                tables.Add(table);
        }

        return tables;
    }

    internal async ValueTask PackSealedAsync(
        PackContent content, uint packSeq, long lengthBytes, IReadOnlyList<PackEntry> entries, CancellationToken cancellationToken)
    {
        PackSet.Add(content, packSeq, lengthBytes);
        if (content == PackContent.Data)
            await Index.PublishAsync(packSeq, entries, cancellationToken);
    }

    private async Task LoadDirectoryAsync(uint packSeq, CancellationToken cancellationToken)
    {
        try
        {
            await Index.PublishAsync(packSeq, await Packs.GetDirectoryAsync(PackContent.Data, packSeq, cancellationToken), cancellationToken);
        }
        catch (StoreException failure) when (failure.IsDamage)
        {
            // A damaged pack offers nothing for deduplication: the next backup stores its chunks anew. Verification reports it.
        }
    }
}
