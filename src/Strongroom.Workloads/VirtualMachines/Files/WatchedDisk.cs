using Strongroom.Blocks;

namespace Strongroom.Workloads.VirtualMachines.Files;

/// <summary>A disk that tells of its own failures, since a guest that gets an input/output error may take it for something else. Owns the disk.</summary>
/// <param name="disk">Only read.</param>
/// <param name="onFailure">Before the reader of the disk hears of it.</param>
internal sealed class WatchedDisk(IBlockDevice disk, Action<Exception> onFailure) : IBlockDevice, IAsyncDisposable
{
    public long LengthBytes => disk.LengthBytes;

    public bool IsReadOnly => true;

    public async ValueTask ReadAsync(long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            await disk.ReadAsync(offsetBytes, buffer, cancellationToken);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            onFailure(e);
            throw;
        }
    }

    public async ValueTask<IReadOnlyList<BlockExtent>> DescribeAsync(long offsetBytes, long lengthBytes, int maximumExtents, CancellationToken cancellationToken)
    {
        try
        {
            return await disk.DescribeAsync(offsetBytes, lengthBytes, maximumExtents, cancellationToken);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            onFailure(e);
            throw;
        }
    }

    public ValueTask WriteAsync(long offsetBytes, ReadOnlyMemory<byte> data, CancellationToken cancellationToken) => disk.WriteAsync(offsetBytes, data, cancellationToken);

    public ValueTask ZeroAsync(long offsetBytes, long lengthBytes, CancellationToken cancellationToken) => disk.ZeroAsync(offsetBytes, lengthBytes, cancellationToken);

    public ValueTask FlushAsync(CancellationToken cancellationToken) => disk.FlushAsync(cancellationToken);

    public ValueTask DisposeAsync() => disk is IAsyncDisposable owned ? owned.DisposeAsync() : ValueTask.CompletedTask;
}
