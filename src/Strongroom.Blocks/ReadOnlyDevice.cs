namespace Strongroom.Blocks;

/// <summary>A disk as a device that cannot be written. Owns the disk.</summary>
public sealed class ReadOnlyDevice(IBlockSource disk) : IBlockDevice, IAsyncDisposable
{
    private readonly BlockMap _map = new(disk);

    /// <inheritdoc/>
    public long LengthBytes => disk.LengthBytes;

    /// <inheritdoc/>
    public bool IsReadOnly => true;

    /// <inheritdoc/>
    public ValueTask ReadAsync(long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken) => disk.ReadAsync(offsetBytes, buffer, cancellationToken);

    /// <inheritdoc/>
    public ValueTask WriteAsync(long offsetBytes, ReadOnlyMemory<byte> data, CancellationToken cancellationToken) => throw new NotSupportedException("The device cannot be written.");

    /// <inheritdoc/>
    public ValueTask ZeroAsync(long offsetBytes, long lengthBytes, CancellationToken cancellationToken) => throw new NotSupportedException("The device cannot be written.");

    /// <inheritdoc/>
    public ValueTask FlushAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<BlockExtent>> DescribeAsync(long offsetBytes, long lengthBytes, int maximumExtents, CancellationToken cancellationToken) =>
        _map.DescribeAsync(offsetBytes, lengthBytes, maximumExtents, cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _map.DisposeAsync().ConfigureAwait(false);
        await disk.DisposeAsync().ConfigureAwait(false);
    }
}
