namespace Strongroom.Store.Packs;

/// <summary>How a chunk's plaintext is stored.</summary>
internal enum ChunkCodec : byte
{
    Raw = 0,
    Zstd = 1,

    /// <summary>More than 64 KiB, in parts that are compressed and sealed one by one.</summary>
    Parts = 2,
}
