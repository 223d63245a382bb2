namespace Strongroom.Blocks;

/// <summary>What is known of a run of a disk before it is read.</summary>
public enum BlockKind
{
    /// <summary>Must be read.</summary>
    Data,

    /// <summary>Reads as zeros; need not be read.</summary>
    Zero,

    /// <summary>Byte for byte what the parent recovery point holds; need not be read. Only from a source that tracks changes.</summary>
    Unchanged,
}

/// <summary>A run of a disk: <paramref name="OffsetBytes"/> and <paramref name="LengthBytes"/> in bytes of the guest's view.</summary>
public readonly record struct BlockExtent(long OffsetBytes, long LengthBytes, BlockKind Kind);

/// <summary>A disk at one moment, as the guest sees it: a row of bytes that can be read anywhere.</summary>
/// <remarks>Reads may run concurrently. Errors are <see cref="IOException"/>; after one the source may be read again.</remarks>
public interface IBlockSource : IAsyncDisposable
{
    /// <summary>The virtual size in bytes; a multiple of 512.</summary>
    long LengthBytes { get; }

    /// <summary>The whole disk from 0 to <see cref="LengthBytes"/> as adjacent extents, in order, without gap or overlap.</summary>
    IAsyncEnumerable<BlockExtent> MapAsync(CancellationToken cancellationToken);

    /// <summary>Fills <paramref name="buffer"/> from <paramref name="offsetBytes"/>; the range lies inside the disk.</summary>
    ValueTask ReadAsync(long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken);
}
