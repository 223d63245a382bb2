using Microsoft.Win32.SafeHandles;

namespace Strongroom.Blocks.Vhd;

/// <summary>Writes a fixed VHD: a sparse file of the disk's size, filled in any order, that becomes a VHD only when it is complete.</summary>
/// <remarks>
/// Steps: create, write the parts that hold data (what is never written reads as zeros and takes no space), finish. The footer is written after
/// the data has reached the disk, so that a file left by a crash is not taken for a whole VHD. Writes may run concurrently; finish may not run with them.
/// Disposing without finishing leaves the incomplete file where it is.
/// </remarks>
public sealed class FixedVhdWriter : IDiskWriter
{
    /// <summary>Azure takes only VHDs whose size is a multiple of this ("Prepare a Windows VHD or VHDX to upload to Azure", Linux: "Prepare Linux for imaging").</summary>
    public const long SizeUnitBytes = 1024 * 1024;

    private readonly SafeFileHandle _handle;
    private readonly VhdFooter _footer;
    private bool _isFinished;

    private FixedVhdWriter(string path, SafeFileHandle handle, VhdFooter footer)
    {
        Path = path;
        _handle = handle;
        _footer = footer;
    }

    public string Path { get; }

    /// <summary>Size of the disk, rounded up to 1 MiB.</summary>
    public long DiskLengthBytes => _footer.CurrentSizeBytes;

    /// <summary>Size of the file: the disk and 512 bytes of footer.</summary>
    public long FileLengthBytes => _footer.CurrentSizeBytes + VhdFooter.LengthBytes;

    /// <summary>Creates the file; it must not exist yet. Only its owner can read it (mode 0600).</summary>
    /// <param name="path">Absolute path in an existing folder.</param>
    /// <param name="diskLengthBytes">Size of the disk; rounded up to 1 MiB.</param>
    /// <param name="uniqueId">Identity to give to the disk; must differ between disks.</param>
    /// <param name="createdAt">Time to write as the disk's creation.</param>
    /// <exception cref="IOException">It exists, or cannot be created.</exception>
    public static FixedVhdWriter Create(string path, long diskLengthBytes, Guid uniqueId, DateTimeOffset createdAt)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(diskLengthBytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(diskLengthBytes, 1L << 60);
        var size = (diskLengthBytes + SizeUnitBytes - 1) / SizeUnitBytes * SizeUnitBytes;
        var footer = new VhdFooter(size, VhdDiskType.Fixed, uniqueId, createdAt);
        return new FixedVhdWriter(path, DiskWriters.CreateFile(path, size + VhdFooter.LengthBytes), footer);
    }

    /// <summary>Writes a part of the disk at its place. May be called from many threads; parts written twice hold what was written last.</summary>
    /// <exception cref="IOException">The disk is full or fails.</exception>
    public ValueTask WriteAsync(long offsetBytes, ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offsetBytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offsetBytes, DiskLengthBytes - data.Length);
        if (_isFinished)
            throw new InvalidOperationException("The VHD is finished.");
        return RandomAccess.WriteAsync(_handle, data, offsetBytes, cancellationToken);
    }

    /// <summary>Completes the VHD and returns when data, footer and the file's name are on stable storage. After an error it may be called again.</summary>
    /// <exception cref="IOException">The disk is full or fails.</exception>
    public async Task FinishAsync(CancellationToken cancellationToken)
    {
        if (_isFinished)
            return;
        // Step 1: the data. Step 2: the footer, which declares the data whole. Step 3: the name.
        await Task.Run(() => RandomAccess.FlushToDisk(_handle), cancellationToken).ConfigureAwait(false);
        var bytes = new byte[VhdFooter.LengthBytes];
        _footer.Write(bytes);
        await RandomAccess.WriteAsync(_handle, bytes, DiskLengthBytes, cancellationToken).ConfigureAwait(false);
        await Task.Run(() => DiskWriters.Synchronise(_handle, Path), cancellationToken).ConfigureAwait(false);
        _isFinished = true;
    }

    public ValueTask DisposeAsync()
    {
        _handle.Dispose();
        return ValueTask.CompletedTask;
    }
}
