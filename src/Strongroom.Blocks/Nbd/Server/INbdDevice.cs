namespace Strongroom.Blocks.Nbd.Server;

/// <summary>What a server shows as an export. Safe from many threads.</summary>
/// <remarks>Ranges lie inside the device and are not empty. Any exception of a call is reported to the client as an input/output error of that request alone.</remarks>
public interface INbdDevice
{
    /// <summary>Size in bytes; does not change.</summary>
    long LengthBytes { get; }

    /// <summary>True when writes are refused by the server before they come here.</summary>
    bool IsReadOnly { get; }

    /// <summary>Fills <paramref name="buffer"/> from <paramref name="offsetBytes"/>.</summary>
    ValueTask ReadAsync(long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken);

    /// <summary>Takes bytes; they need not be durable before <see cref="FlushAsync"/>.</summary>
    ValueTask WriteAsync(long offsetBytes, ReadOnlyMemory<byte> data, CancellationToken cancellationToken);

    /// <summary>Makes what was written durable.</summary>
    ValueTask FlushAsync(CancellationToken cancellationToken);

    /// <summary>Data and zeros from <paramref name="offsetBytes"/> on: adjacent extents, the first beginning there, at least one and at most <paramref name="maximumExtents"/>.
    /// They may end before <paramref name="lengthBytes"/> is reached, and do not reach further.</summary>
    ValueTask<IReadOnlyList<BlockExtent>> DescribeAsync(long offsetBytes, long lengthBytes, int maximumExtents, CancellationToken cancellationToken);
}
