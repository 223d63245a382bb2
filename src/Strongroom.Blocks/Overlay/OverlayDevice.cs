using System.Buffers;
using Microsoft.Win32.SafeHandles;
using Strongroom.Blocks.Raw;

namespace Strongroom.Blocks.Overlay;

/// <summary>A disk that can be written while its base stays as it is: what is written goes to a local sparse file (docs/overlay-format.md). Safe from many threads.</summary>
/// <remarks>
/// What was written before a <see cref="FlushAsync"/> that returned is there after a crash or power cut. Of what was not flushed each block is
/// as before or as written, never anything else: a mark in the bitmap reaches the file only after its block is durable.
/// </remarks>
public sealed class OverlayDevice : IBlockDevice, IAsyncDisposable
{
    private const int BlockSize = OverlayFormat.BlockSizeBytes;

    private readonly IBlockSource _disk;
    private readonly BlockMap _map;
    private readonly SafeFileHandle _file;
    private readonly OverlayFormat _format;
    private readonly OverlayBitmap _bitmap;

    // One writer at a time: of two that come to a block of the base, the second must see what the first has put into the file.
    private readonly SemaphoreSlim _writing = new(1);
    private readonly SemaphoreSlim _flushing = new(1);
    private volatile Exception? _failedFlush;

    private readonly long _mostBytes;
    private readonly DiskReserve? _reserve;

    private OverlayDevice(IBlockSource disk, SafeFileHandle file, OverlayFormat format, long mostBytes, DiskReserve? reserve)
    {
        (_mostBytes, _reserve) = (mostBytes, reserve);
        _disk = disk;
        _file = file;
        _format = format;
        _map = new(disk);
        _bitmap = new(file, format);
    }

    /// <inheritdoc/>
    public long LengthBytes => _disk.LengthBytes;

    /// <inheritdoc/>
    public bool IsReadOnly => false;

    /// <summary>Opens a disk with the changes in a file, which is made where it is missing. Owns <paramref name="disk"/> from the call on.</summary>
    /// <param name="baseName">Which disk the base is, for people and programs: a file with changes to a disk of another name is refused. At most 2,048 bytes of UTF-8.</param>
    /// <param name="mostBytes">Room that the file may take on disk, give or take one write; writes beyond it fail with <see cref="OverlayFullException"/>.</param>
    /// <param name="reserve">Room that is left to others: writes beyond it fail in the same way. Null: none.</param>
    /// <exception cref="InvalidDataException">The file is no overlay, or one of another disk.</exception>
    /// <exception cref="IOException">The file cannot be made, read or written, or is in use.</exception>
    public static async Task<OverlayDevice> OpenAsync(string path, IBlockSource disk, string baseName, long mostBytes = long.MaxValue, DiskReserve? reserve = null)
    {
        ArgumentNullException.ThrowIfNull(disk);
        try
        {
            var format = new OverlayFormat(disk.LengthBytes);
            return new(disk, OverlayFile.OpenOrCreate(Path.GetFullPath(path), format, baseName), format, mostBytes, reserve);
        }
        catch
        {
            await disk.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <inheritdoc/>
    public async ValueTask ReadAsync(long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        while (!buffer.IsEmpty)
        {
            var end = EndOfRun(offsetBytes, offsetBytes + buffer.Length, out var isInFile);
            var piece = buffer[..(int)(end - offsetBytes)];
            if (isInFile)
                OverlayFile.ReadExactly(_file, piece.Span, _format.OffsetOfBlock(0) + offsetBytes);
            else
                await _disk.ReadAsync(offsetBytes, piece, cancellationToken).ConfigureAwait(false);
            buffer = buffer[piece.Length..];
            offsetBytes = end;
        }
    }

    /// <inheritdoc/>
    public async ValueTask WriteAsync(long offsetBytes, ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        RequireUsable();
        await _writing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_mostBytes != long.MaxValue && FileIdentity.AllocatedBytes(_file) + data.Length > _mostBytes)
                throw new OverlayFullException($"The overlay takes the {_mostBytes} bytes that it may take.");
            if (_reserve is { IsTouched: true })
                throw new OverlayFullException("The disk that overlays lie on has no more room for them.");

            // A block that is only partly written is first taken from the base, at both ends of the data; then all of it goes in one piece.
            var (first, last) = (offsetBytes / BlockSize, (offsetBytes + data.Length - 1) / BlockSize);
            await CopyUpAsync(first, offsetBytes, data.Length, cancellationToken).ConfigureAwait(false);
            if (last != first)
                await CopyUpAsync(last, offsetBytes, data.Length, cancellationToken).ConfigureAwait(false);
            RandomAccess.Write(_file, data.Span, _format.OffsetOfBlock(0) + offsetBytes);
            MarkAll(first, last);
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <inheritdoc/>
    public async ValueTask ZeroAsync(long offsetBytes, long lengthBytes, CancellationToken cancellationToken)
    {
        RequireUsable();
        await _writing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var (first, last) = (offsetBytes / BlockSize, (offsetBytes + lengthBytes - 1) / BlockSize);
            await CopyUpAsync(first, offsetBytes, lengthBytes, cancellationToken).ConfigureAwait(false);
            if (last != first)
                await CopyUpAsync(last, offsetBytes, lengthBytes, cancellationToken).ConfigureAwait(false);
            OverlayFile.Zero(_file, _format.OffsetOfBlock(0) + offsetBytes, lengthBytes);
            MarkAll(first, last);
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <inheritdoc/>
    public async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        RequireUsable();
        await _flushing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            RequireUsable();
            var pages = _bitmap.TakeDirty();
            RandomAccess.FlushToDisk(_file);
            if (pages.Count == 0)
                return;
            _bitmap.Write(pages);
            RandomAccess.FlushToDisk(_file);
        }
        catch (Exception failure) when (_failedFlush is null && failure is IOException or UnauthorizedAccessException)
        {
            // Which of the written pages the system still has is unknown, and a second flush would succeed without them.
            _failedFlush = failure;
            throw;
        }
        finally
        {
            _flushing.Release();
        }
    }

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<BlockExtent>> DescribeAsync(long offsetBytes, long lengthBytes, int maximumExtents, CancellationToken cancellationToken)
    {
        var found = new List<BlockExtent>();
        foreach (var extent in await _map.DescribeAsync(offsetBytes, lengthBytes, maximumExtents, cancellationToken).ConfigureAwait(false))
        {
            var position = extent.OffsetBytes;
            var end = position + extent.LengthBytes;
            while (position < end)
            {
                // Only what is zero in the base can be something else in the file.
                var isInFile = false;
                var stop = extent.Kind == BlockKind.Zero ? EndOfRun(position, end, out isInFile) : end;
                var kind = isInFile ? BlockKind.Data : extent.Kind;
                if (found.Count > 0 && found[^1].Kind == kind)
                    found[^1] = found[^1] with { LengthBytes = found[^1].LengthBytes + stop - position };
                else if (found.Count == maximumExtents)
                    return found;
                else
                    found.Add(new(position, stop - position, kind));
                position = stop;
            }
        }

        return found;
    }

    /// <summary>Closes the file and the base. Does not flush: whoever must know that all is durable calls <see cref="FlushAsync"/>.</summary>
    public async ValueTask DisposeAsync()
    {
        _file.Dispose();
        _writing.Dispose();
        _flushing.Dispose();
        await _map.DisposeAsync().ConfigureAwait(false);
        await _disk.DisposeAsync().ConfigureAwait(false);
    }

    private void MarkAll(long first, long last)
    {
        for (var block = first; block <= last; block++)
        {
            if (!_bitmap.Contains(block))
                _bitmap.Mark(block);
        }
    }

    private void RequireUsable()
    {
        if (_failedFlush is { } failure)
            throw new IOException($"The overlay could not be made durable before ({failure.Message}), so it takes nothing more. Start anew: what was flushed before is there.", failure);
    }

    /// <summary>The end, in bytes, of what lies on one side, from an offset on.</summary>
    private long EndOfRun(long offsetBytes, long endBytes, out bool isInFile)
    {
        var block = _bitmap.EndOfRun(offsetBytes / BlockSize, (endBytes + BlockSize - 1) / BlockSize, out isInFile);
        return Math.Min(endBytes, block * BlockSize);
    }

    /// <summary>Takes a block of the base into the file when a write from <paramref name="offsetBytes"/> on does not cover it.</summary>
    private async ValueTask CopyUpAsync(long block, long offsetBytes, long lengthBytes, CancellationToken cancellationToken)
    {
        var start = block * BlockSize;
        var length = (int)Math.Min(BlockSize, LengthBytes - start);
        if (_bitmap.Contains(block) || (offsetBytes <= start && offsetBytes + lengthBytes >= start + length))
            return;
        var buffer = ArrayPool<byte>.Shared.Rent(BlockSize);
        try
        {
            await _disk.ReadAsync(start, buffer.AsMemory(0, length), cancellationToken).ConfigureAwait(false);
            RandomAccess.Write(_file, buffer.AsSpan(0, length), _format.OffsetOfBlock(block));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
