namespace Strongroom.Blocks;

/// <summary>A disk as NBD and iSCSI serve it. Safe from many threads.</summary>
/// <remarks>Ranges lie inside the device and are not empty. Any exception of a call is that request's alone: the client gets an input/output error.</remarks>
public interface IBlockDevice
{
    /// <summary>Size in bytes; does not change.</summary>
    long LengthBytes { get; }

    /// <summary>True when writes are refused by the server before they come here.</summary>
    bool IsReadOnly { get; }

    /// <summary>Fills <paramref name="buffer"/> from <paramref name="offsetBytes"/>.</summary>
    ValueTask ReadAsync(long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken);

    /// <summary>Takes bytes; they need not be durable before <see cref="FlushAsync"/>.</summary>
    ValueTask WriteAsync(long offsetBytes, ReadOnlyMemory<byte> data, CancellationToken cancellationToken);

    /// <summary>Makes a range zeros, without room for them where that can be had. Durable as a write is.</summary>
    ValueTask ZeroAsync(long offsetBytes, long lengthBytes, CancellationToken cancellationToken);

    /// <summary>Makes what was written durable.</summary>
    ValueTask FlushAsync(CancellationToken cancellationToken);

    /// <summary>Data and zeros from <paramref name="offsetBytes"/> on: adjacent extents, the first beginning there, at least one and at most <paramref name="maximumExtents"/>.
    /// They may end before <paramref name="lengthBytes"/> is reached, and do not reach further.</summary>
    ValueTask<IReadOnlyList<BlockExtent>> DescribeAsync(long offsetBytes, long lengthBytes, int maximumExtents, CancellationToken cancellationToken);
}
