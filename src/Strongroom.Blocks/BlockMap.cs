namespace Strongroom.Blocks;

/// <summary>The extents of a disk for random look-ups: the disk's map is walked as far as somebody asks, once, and remembered.</summary>
/// <remarks>Safe from many threads. Takes 24 bytes for each extent walked.</remarks>
public sealed class BlockMap(IBlockSource disk) : IAsyncDisposable
{
    private readonly SemaphoreSlim _walking = new(1);
    private readonly List<BlockExtent> _extents = []; // guarded by _walking
    private IAsyncEnumerator<BlockExtent>? _rest; // guarded by _walking

    /// <inheritdoc cref="IBlockDevice.DescribeAsync"/>
    public async ValueTask<IReadOnlyList<BlockExtent>> DescribeAsync(long offsetBytes, long lengthBytes, int maximumExtents, CancellationToken cancellationToken)
    {
        var end = offsetBytes + lengthBytes;
        await _walking.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await WalkBeyondAsync(offsetBytes).ConfigureAwait(false);
            var found = new List<BlockExtent>();
            for (var index = IndexOf(offsetBytes); found.Count < maximumExtents && offsetBytes < end; index++)
            {
                await WalkBeyondAsync(offsetBytes).ConfigureAwait(false);
                var extent = _extents[index];
                var stop = Math.Min(end, extent.OffsetBytes + extent.LengthBytes);
                found.Add(extent with { OffsetBytes = offsetBytes, LengthBytes = stop - offsetBytes });
                offsetBytes = stop;
            }

            return found;
        }
        finally
        {
            _walking.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_rest is not null)
            await _rest.DisposeAsync().ConfigureAwait(false);
        _walking.Dispose();
    }

    /// <summary>Not cancellable: a walk that stopped in the middle of a step could not be gone on with.</summary>
    private async ValueTask WalkBeyondAsync(long offsetBytes)
    {
        _rest ??= disk.MapAsync(CancellationToken.None).GetAsyncEnumerator(CancellationToken.None);
        while (EndBytes <= offsetBytes)
        {
            bool hasMore;
            try
            {
                hasMore = await _rest.MoveNextAsync().ConfigureAwait(false);
            }
            catch
            {
                // An enumerator that threw is at its end; the next question begins anew.
                _rest = null;
                _extents.Clear();
                throw;
            }

            if (!hasMore)
                throw new IOException($"The map of the disk ends at byte {EndBytes}, before its end.");
            _extents.Add(_rest.Current);
        }
    }

    private long EndBytes => _extents.Count == 0 ? 0 : _extents[^1].OffsetBytes + _extents[^1].LengthBytes;

    /// <summary>The extent that holds the offset: the last one that does not begin after it.</summary>
    private int IndexOf(long offsetBytes)
    {
        var low = 0;
        var high = _extents.Count - 1;
        while (low < high)
        {
            var middle = (low + high + 1) / 2;
            if (_extents[middle].OffsetBytes <= offsetBytes)
                low = middle;
            else
                high = middle - 1;
        }

        return low;
    }
}
