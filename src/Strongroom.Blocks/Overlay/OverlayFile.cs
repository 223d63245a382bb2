using Microsoft.Win32.SafeHandles;
using Strongroom.Blocks.Raw;

namespace Strongroom.Blocks.Overlay;

/// <summary>Makes and opens overlay files.</summary>
internal static class OverlayFile
{
    /// <summary>Opens an overlay of a base, or makes one where no file is. The handle keeps others from opening it.</summary>
    /// <exception cref="InvalidDataException">The file is no overlay, or one of another base; the message says which.</exception>
    /// <exception cref="IOException">The file cannot be made, read or written, or is in use.</exception>
    public static SafeFileHandle OpenOrCreate(string path, OverlayFormat format, string baseName)
    {
        var header = format.Header(baseName);
        if (!File.Exists(path))
            Create(path, format, header);
        var file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
        try
        {
            Require(file, path, format, header, baseName);
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <exception cref="IOException">The file ends before the buffer is full.</exception>
    public static void ReadExactly(SafeFileHandle file, Span<byte> buffer, long offsetBytes)
    {
        while (!buffer.IsEmpty)
        {
            var count = RandomAccess.Read(file, buffer, offsetBytes);
            if (count == 0)
                throw new IOException($"The overlay file ends at byte {offsetBytes}, before its end: it was cut.");
            buffer = buffer[count..];
            offsetBytes += count;
        }
    }

    /// <summary>Makes a range zeros: a hole where the file system has them.</summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Zero(SafeFileHandle file, long offsetBytes, long lengthBytes)
    {
        if (LinuxFileCalls.Allocate(file, LinuxFileCalls.PunchHole, offsetBytes, lengthBytes) == 0)
            return;
        var zeros = new byte[Math.Min(lengthBytes, 256 * 1024)];
        for (var end = offsetBytes + lengthBytes; offsetBytes < end; offsetBytes += zeros.Length)
            RandomAccess.Write(file, zeros.AsSpan(0, (int)Math.Min(zeros.Length, end - offsetBytes)), offsetBytes);
    }

    /// <summary>Under another name until it is whole and durable: a file that has its name is an overlay.</summary>
    private static void Create(string path, OverlayFormat format, byte[] header)
    {
        var folder = Path.GetDirectoryName(path)!;
        var temporary = Path.Combine(folder, $".{Path.GetFileName(path)}.{Guid.NewGuid():N}.part");
        try
        {
            var options = new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                BufferSize = 0,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            };
            using (var stream = new FileStream(temporary, options))
            {
                stream.SetLength(format.FileLengthBytes);
                RandomAccess.Write(stream.SafeFileHandle, header, 0);
                stream.Flush(flushToDisk: true);
            }

            File.Move(temporary, path);
            FolderSync.Sync(folder);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    private static void Require(SafeFileHandle file, string path, OverlayFormat format, byte[] header, string baseName)
    {
        Span<byte> found = stackalloc byte[OverlayFormat.HeaderLengthBytes];
        if (RandomAccess.Read(file, found, 0) != found.Length || OverlayFormat.BaseNameOf(found) is not { } foundName)
            throw new InvalidDataException($"'{path}' is no overlay. Name another file; one that is not there is made.");
        if (!found.SequenceEqual(header))
            throw new InvalidDataException($"'{path}' holds changes to another disk ({foundName}), and not to this one ({baseName}). Name another file.");
        if (RandomAccess.GetLength(file) < format.FileLengthBytes)
            throw new InvalidDataException($"'{path}' is shorter than an overlay of this disk: it was cut. Remove it to begin anew.");
    }
}
