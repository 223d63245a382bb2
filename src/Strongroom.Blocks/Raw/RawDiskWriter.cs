using Microsoft.Win32.SafeHandles;

namespace Strongroom.Blocks.Raw;

/// <summary>Writes a raw image: a sparse file of the disk's size.</summary>
internal sealed class RawDiskWriter : IDiskWriter
{
    private readonly string _path;
    private readonly SafeFileHandle _handle;
    private readonly long _lengthBytes;

    private RawDiskWriter(string path, SafeFileHandle handle, long lengthBytes) => (_path, _handle, _lengthBytes) = (path, handle, lengthBytes);

    public static RawDiskWriter Create(string path, long diskLengthBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(diskLengthBytes);
        return new(path, DiskWriters.CreateFile(path, diskLengthBytes), diskLengthBytes);
    }

    public ValueTask WriteAsync(long offsetBytes, ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offsetBytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offsetBytes, _lengthBytes - data.Length);
        return RandomAccess.WriteAsync(_handle, data, offsetBytes, cancellationToken);
    }

    public Task FinishAsync(CancellationToken cancellationToken) => Task.Run(() => DiskWriters.Synchronise(_handle, _path), cancellationToken);

    public ValueTask DisposeAsync()
    {
        _handle.Dispose();
        return ValueTask.CompletedTask;
    }
}
