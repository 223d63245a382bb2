using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Strongroom.Demo;

/// <summary>A run of bytes in a file.</summary>
internal readonly record struct ByteRun(long OffsetBytes, long LengthBytes)
{
    public long EndBytes => OffsetBytes + LengthBytes;
}

/// <summary>Where a file has data and where it has holes, as its file system knows it (lseek(2), SEEK_DATA and SEEK_HOLE).</summary>
internal static partial class SparseFile
{
    private const int SeekData = 3;
    private const int SeekHole = 4;
    private const int NoSuchDeviceOrAddress = 6; // ENXIO: no data from here to the end.

    /// <summary>The runs with data in the first <paramref name="lengthBytes"/> bytes, in order. The rest reads as zeros.</summary>
    /// <remarks>Where the system cannot tell, the whole file is one run. Safe beside positional reads; moves the file's own position.</remarks>
    public static IEnumerable<ByteRun> DataRuns(SafeFileHandle file, long lengthBytes)
    {
        if (!OperatingSystem.IsLinux())
        {
            if (lengthBytes > 0)
                yield return new ByteRun(0, lengthBytes);
            yield break;
        }

        for (var offset = 0L; offset < lengthBytes;)
        {
            var start = Seek(file, offset, SeekData);
            if (start is null && Marshal.GetLastPInvokeError() == NoSuchDeviceOrAddress)
                yield break;
            var from = start ?? offset;
            if (from >= lengthBytes)
                yield break;
            var end = (start is null ? null : Seek(file, from, SeekHole)) ?? lengthBytes;
            end = Math.Min(end, lengthBytes);
            yield return new ByteRun(from, end - from);
            offset = end;
        }
    }

    /// <summary>The runs without data in the first <paramref name="lengthBytes"/> bytes, in order.</summary>
    public static IEnumerable<ByteRun> Holes(SafeFileHandle file, long lengthBytes)
    {
        var offset = 0L;
        foreach (var run in DataRuns(file, lengthBytes))
        {
            if (run.OffsetBytes > offset)
                yield return new ByteRun(offset, run.OffsetBytes - offset);
            offset = run.EndBytes;
        }

        if (offset < lengthBytes)
            yield return new ByteRun(offset, lengthBytes - offset);
    }

    private static long? Seek(SafeFileHandle file, long offset, int whence)
    {
        var found = lseek(file, offset, whence);
        return found < 0 ? null : found;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial long lseek(SafeFileHandle fd, long offset, int whence);
}
