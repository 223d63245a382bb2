using System.Runtime.InteropServices;

namespace Strongroom.Blocks.Raw;

/// <summary>A disk whose bytes lie in a file one to one from offset 0: raw images, and fixed VHD without its footer. Holes are found with SEEK_DATA and SEEK_HOLE (lseek(2)).</summary>
/// <remarks>
/// Safe from many threads: reads are positional, and each seek takes an absolute offset and uses only its return value, so the shared file position is never relied on.
/// A length that is not a multiple of 512 is rounded up; the bytes added read as zeros.
/// </remarks>
public sealed class RawBlockSource : IBlockSource
{
    /// <summary>Disks are rows of sectors of this size.</summary>
    public const int SectorSizeBytes = 512;

    private readonly DiskFile _file;
    private readonly long _dataLengthBytes;

    /// <summary>The whole file or device as it is long now. Owns <paramref name="file"/> from now on.</summary>
    /// <exception cref="IOException">The file's length cannot be read.</exception>
    public RawBlockSource(DiskFile file)
        : this(file, file.LengthBytes)
    {
    }

    /// <summary>The first <paramref name="dataLengthBytes"/> of the file. Owns <paramref name="file"/> from now on.</summary>
    public RawBlockSource(DiskFile file, long dataLengthBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(dataLengthBytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(dataLengthBytes, long.MaxValue - SectorSizeBytes);
        _file = file;
        _dataLengthBytes = dataLengthBytes;
        LengthBytes = (dataLengthBytes + SectorSizeBytes - 1) / SectorSizeBytes * SectorSizeBytes;
    }

    /// <inheritdoc/>
    public long LengthBytes { get; }

    /// <inheritdoc/>
    public IAsyncEnumerable<BlockExtent> MapAsync(CancellationToken cancellationToken) => Map(cancellationToken).ToAsyncEnumerable();

    /// <inheritdoc/>
    /// <exception cref="IOException">The file cannot be read, or has become shorter than it was when opened.</exception>
    public async ValueTask ReadAsync(long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offsetBytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offsetBytes, LengthBytes - buffer.Length);
        while (!buffer.IsEmpty)
        {
            var left = _dataLengthBytes - offsetBytes;
            if (left <= 0)
            {
                buffer.Span.Clear();
                return;
            }

            var wanted = buffer.Length <= left ? buffer : buffer[..(int)left];
            var count = await RandomAccess.ReadAsync(_file.Handle, wanted, offsetBytes, cancellationToken).ConfigureAwait(false);
            if (count == 0)
                throw new IOException($"'{_file.Path}' became shorter while it was read: nothing at offset {offsetBytes} of {_dataLengthBytes}.");
            buffer = buffer[count..];
            offsetBytes += count;
        }
    }

    public ValueTask DisposeAsync()
    {
        _file.Dispose();
        return ValueTask.CompletedTask;
    }

    private IEnumerable<BlockExtent> Map(CancellationToken cancellationToken)
    {
        var offset = 0L;
        while (offset < LengthBytes)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var data = Seek(offset, LinuxFileCalls.SeekData) ?? offset;
            if (data > offset)
                yield return new BlockExtent(offset, data - offset, BlockKind.Zero);
            if (data == LengthBytes)
                yield break;

            var end = Seek(data, LinuxFileCalls.SeekHole) ?? LengthBytes;
            // A hole that begins where data was just seen means that the file is being changed: read on rather than stand still.
            if (end <= data)
                end = LengthBytes;
            yield return new BlockExtent(data, end - data, BlockKind.Data);
            offset = end;
        }
    }

    /// <summary>Next data or hole at or after the offset, at most <see cref="LengthBytes"/>; null where the file system cannot tell.</summary>
    private long? Seek(long offsetBytes, int whence)
    {
        if (offsetBytes >= _dataLengthBytes)
            return LengthBytes;
        var found = LinuxFileCalls.Seek(_file.Handle, offsetBytes, whence);
        if (found >= 0)
            return found >= _dataLengthBytes ? LengthBytes : Math.Max(found, offsetBytes);
        return Marshal.GetLastPInvokeError() switch
        {
            // lseek(2): no data after the offset. It also comes when the file was cut; then nothing is known and the read will tell.
            LinuxFileCalls.NoSuchDeviceOrAddress => _file.LengthBytes >= _dataLengthBytes ? LengthBytes : null,
            LinuxFileCalls.InvalidArgument or LinuxFileCalls.NotSupported => null,
            _ => throw LinuxFileCalls.Failure("Cannot find the holes of", _file.Path),
        };
    }
}
