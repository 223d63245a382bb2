using Strongroom.Store.Manifests;
using Strongroom.Store.Packs;

namespace Strongroom.Store;

/// <summary>What storing an image needs of its session. Thread-safe.</summary>
internal interface ISessionChunks
{
    /// <summary>False when a data chunk that the parent points to is lost or damaged, as far as is known: then it is stored anew as long as the source still has it.</summary>
    ValueTask<bool> CanReuseAsync(Slot chunk, int rawLengthBytes, CancellationToken cancellationToken);

    /// <summary>True when a read of a data pack has failed since the vault was opened: then it is worth looking at what unchanged slots point to.</summary>
    bool HasDoubts { get; }

    /// <summary>True when the pack of a data chunk is missing or has failed a read.</summary>
    bool IsDoubtful(Slot chunk);

    /// <summary>Finds a chunk of a disk in the vault; counts nothing.</summary>
    ValueTask<Slot?> FindDataAsync(ChunkId id, int rawLengthBytes, CancellationToken cancellationToken);

    SessionCounters Counters { get; }

    /// <summary>Stores a chunk of a disk, or finds it.</summary>
    ValueTask<Slot> StoreDataAsync(ChunkId id, ReadOnlyMemory<byte> raw, ChunkWorkspace workspace, CancellationToken cancellationToken);

    /// <summary>Stores a manifest node.</summary>
    ValueTask<Slot> StoreNodeAsync(ReadOnlyMemory<byte> node, CancellationToken cancellationToken);
}
