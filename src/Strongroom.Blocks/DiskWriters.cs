using Microsoft.Win32.SafeHandles;
using Strongroom.Blocks.Qcow2;
using Strongroom.Blocks.Raw;
using Strongroom.Blocks.Vhd;

namespace Strongroom.Blocks;

/// <summary>Makes disk images of every format that can be written.</summary>
public static class DiskWriters
{
    /// <summary>Creates an image; it must not exist yet. Only its owner can read it (mode 0600).</summary>
    /// <param name="path">Absolute path in an existing folder.</param>
    /// <param name="format">Of the image. A fixed VHD is rounded up to 1 MiB.</param>
    /// <param name="diskLengthBytes">Size of the disk.</param>
    /// <param name="uniqueId">Identity to give to the disk, where the format has one.</param>
    /// <param name="createdAt">Time to write as the disk's creation, where the format has one.</param>
    /// <exception cref="IOException">It exists, or cannot be created.</exception>
    public static IDiskWriter Create(string path, DiskFormat format, long diskLengthBytes, Guid uniqueId, DateTimeOffset createdAt) => format switch
    {
        DiskFormat.FixedVhd => FixedVhdWriter.Create(path, diskLengthBytes, uniqueId, createdAt),
        DiskFormat.Qcow2 => Qcow2Writer.Create(path, diskLengthBytes),
        _ => RawDiskWriter.Create(path, diskLengthBytes),
    };

    /// <summary>Creates an empty qcow2 image over something raw; it must not exist yet. Only its owner can read it (mode 0600). On return it is on stable storage.</summary>
    /// <param name="rawBackingFile">As QEMU names files, such as <c>nbd+unix:///vda?socket=/run/vda.sock</c>. It is not looked at.</param>
    /// <exception cref="IOException">It exists, or cannot be created.</exception>
    public static async Task CreateOverlayAsync(string path, long diskLengthBytes, string rawBackingFile, CancellationToken cancellationToken)
    {
        await using var overlay = Qcow2Writer.Create(path, diskLengthBytes, rawBackingFile);
        await overlay.FinishAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>A new sparse file of a length, for its owner alone.</summary>
    internal static SafeFileHandle CreateFile(string path, long lengthBytes)
    {
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.ReadWrite,
            Share = FileShare.Read,
            BufferSize = 0,
            Options = FileOptions.Asynchronous,
        };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        var stream = new FileStream(path, options);
        try
        {
            stream.SetLength(lengthBytes);
            return stream.SafeFileHandle;
        }
        catch
        {
            stream.Dispose();
            File.Delete(path);
            throw;
        }
    }

    /// <summary>Brings a file and its name to stable storage.</summary>
    internal static void Synchronise(SafeFileHandle file, string path)
    {
        RandomAccess.FlushToDisk(file);
        FolderSync.Sync(Path.GetDirectoryName(Path.GetFullPath(path))!);
    }
}
