using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Strongroom.Blocks.Raw;

/// <summary>The file calls of Linux that .NET does not offer: lseek(2) for holes, open(2) with O_NOFOLLOW, statx(2).</summary>
/// <remarks>64-bit Linux only (off_t is a long). All calls are safe from many threads.</remarks>
internal static partial class LinuxFileCalls
{
    public const int SeekEnd = 2;
    public const int SeekData = 3;
    public const int SeekHole = 4;

    public const int NoSuchDeviceOrAddress = 6;
    public const int Busy = 16;
    public const int NotATerminal = 25;
    public const int InvalidArgument = 22;
    public const int TooManyLinks = 40;
    public const int NotSupported = 95;

    /// <summary>FALLOC_FL_PUNCH_HOLE and FALLOC_FL_KEEP_SIZE of linux/falloc.h.</summary>
    public const int PunchHole = 3;

    public const int ReadOnly = 0;
    public const int ReadWrite = 2;
    public const int Exclusive = 0x80;
    public const int NonBlocking = 0x800;
    public const int CloseOnExec = 0x80000;
    public const int PathOnly = 0x200000;

    public const int EmptyPath = 0x1000;
    public const int LinkItself = 0x100;
    public const uint BasicStatistics = 0x7ff;
    public const uint BirthTime = 0x800;

    /// <summary>BLKZEROOUT of linux/fs.h: the device makes a run of bytes zeros by its own means, or the kernel writes them.</summary>
    public const nuint ZeroOut = 0x127f;
    public const int StatxSizeBytes = 256;

    // The two flags below are among the few whose values differ between processor families.
    private static readonly bool IsArm = RuntimeInformation.ProcessArchitecture is Architecture.Arm64 or Architecture.Arm;

    public static int NoFollow => IsArm ? 0x8000 : 0x20000;

    public static int Directory => IsArm ? 0x4000 : 0x10000;

    [LibraryImport("libc", EntryPoint = "lseek", SetLastError = true)]
    public static partial long Seek(SafeFileHandle file, long offsetBytes, int whence);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    public static partial int Synchronise(SafeFileHandle file);

    [LibraryImport("libc", EntryPoint = "fallocate", SetLastError = true)]
    public static partial int Allocate(SafeFileHandle file, int mode, long offsetBytes, long lengthBytes);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    public static partial int Control(SafeFileHandle file, nuint request, ReadOnlySpan<ulong> argument);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Statx(SafeFileHandle folder, string path, int flags, uint mask, Span<byte> result);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Statx(int folder, string path, int flags, uint mask, Span<byte> result);

    [LibraryImport("libc", EntryPoint = "renameat2", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Rename(int fromFolder, string from, int toFolder, string to, uint flags);

    [LibraryImport("libc", EntryPoint = "link", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Link(string existing, string name);

    [LibraryImport("libc", EntryPoint = "lchown", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int ChangeOwner(string path, uint user, uint group);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    public static partial int FileControl(SafeFileHandle file, int command, ReadOnlySpan<ulong> argument);

    /// <summary>fcntl(2) with an argument that the kernel answers in.</summary>
    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    public static partial int FileQuery(SafeFileHandle file, int command, Span<ulong> argument);

    public static IOException Failure(string what, string path)
    {
        var error = Marshal.GetLastPInvokeError();
        return new IOException($"{what} '{path}': {Marshal.GetPInvokeErrorMessage(error)}.", error);
    }
}
