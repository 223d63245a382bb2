using Strongroom.Store.Manifests;
using Strongroom.Store.Packs;

namespace Strongroom.Store.Caching;

/// <summary>A chunk as the manifests of one opened vault name it: where it was written and what it must be.</summary>
/// <remarks>Both, because a part of a chunk is vouched for by its place and not by its id, and a vault that was rolled back may number packs again.</remarks>
internal readonly record struct ChunkKey(long Vault, ChunkId Id, uint PackSeq, ushort Ordinal)
{
    public static ChunkKey Of(long vault, Slot chunk) => new(vault, chunk.Id, chunk.PackSeq, chunk.Ordinal);

    /// <summary>Ids are evenly distributed.</summary>
    public override int GetHashCode() => (int)Id.First;
}

/// <summary>The 64 KiB <paramref name="Part"/> of a chunk; the last may be shorter.</summary>
internal readonly record struct PieceKey(ChunkKey Chunk, int Part)
{
    private const ulong GoldenRatio = 0x9e3779b97f4a7c15;

    /// <summary>64 bits, all of them mixed.</summary>
    public ulong Hash => (Chunk.Id.First + (ulong)Part + 1) * GoldenRatio;

    public override int GetHashCode() => (int)(Hash >> 32);
}
