using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Strongroom.Workloads.FileShares;

/// <summary>System calls on open folders, by single names and never through a symbolic link. Failures are <see cref="IOException"/>s with the error's number as HResult.</summary>
internal static partial class ShareFolderCalls
{
    public const int NotPermitted = 1;
    public const int NoEntry = 2;
    public const int NoAccess = 13;
    public const int Exists = 17;
    public const int ReadOnlyFileSystem = 30;

    private const int FolderMask = 0xF000;
    private const int FolderFormat = 0x4000;
    private const int AccessMask = 0xFFF;
    private const int PrivateMode = 0x1C0; // 0700
    private const int ReadOnly = 0;
    private const int CloseOnExec = 0x80000;
    private const int RemoveFolder = 0x200;
    private const int EmptyPath = 0x1000;
    private const uint BasicStatistics = 0x7FF;
    private const int StatLengthBytes = 256;
    private const int WriteAndSearch = 3;

    // The two flags that Linux numbers differently on ARM.
    private static readonly bool IsArm = RuntimeInformation.ProcessArchitecture is Architecture.Arm64 or Architecture.Arm;
    private static readonly int FolderOnly = IsArm ? 0x4000 : 0x10000;
    private static readonly int NoFollow = IsArm ? 0x8000 : 0x20000;

    /// <summary>Opens a folder by a path of the server's own, which may lead through links.</summary>
    public static SafeFileHandle Open(string path) => Require(OpenPath(path, ReadOnly | FolderOnly | CloseOnExec), "open");

    /// <summary>Opens a folder in a folder.</summary>
    public static SafeFileHandle Open(SafeFileHandle folder, string name) => Require(OpenAt(folder, name, ReadOnly | FolderOnly | NoFollow | CloseOnExec), "open");

    /// <summary>Opens a folder below a folder, by the names that lead to it.</summary>
    public static SafeFileHandle Open(SafeFileHandle folder, IEnumerable<string> names)
    {
        var opened = Open(folder, ".");
        foreach (var name in names)
        {
            using var upper = opened;
            opened = Open(upper, name);
        }

        return opened;
    }

    /// <summary>A path to an open folder, for this process and as long as it is open.</summary>
    public static string PathOf(SafeFileHandle folder) => $"/proc/self/fd/{folder.DangerousGetHandle()}";

    /// <summary>False when the process may not change what is in the folder, or its file system is read-only.</summary>
    public static bool IsWritable(SafeFileHandle folder) => Access(PathOf(folder), WriteAndSearch) == 0;

    /// <summary>Makes a folder for the server alone; one that is there already is left as it is.</summary>
    public static void MakePrivateFolder(SafeFileHandle folder, string name)
    {
        if (MakeFolderAt(folder, name, PrivateMode) != 0 && Marshal.GetLastPInvokeError() != Exists)
            throw Failure("mkdir");
    }

    /// <summary>Removes an empty folder.</summary>
    /// <returns>False when it is not empty, or not there.</returns>
    public static bool TryRemoveFolder(SafeFileHandle folder, string name) => UnlinkAt(folder, name, RemoveFolder) == 0;

    /// <summary>Sets when a folder was last modified, in nanoseconds since 1970 UTC; when it was last read stays.</summary>
    public static void SetModified(SafeFileHandle folder, long nanoseconds)
    {
        const long omit = 0x3FFFFFFE; // UTIME_OMIT
        var (seconds, rest) = Math.DivRem(nanoseconds, 1_000_000_000);
        if (rest < 0)
            (seconds, rest) = (seconds - 1, rest + 1_000_000_000);
        if (ChangeTimes(folder, [0, omit, seconds, rest]) != 0)
            throw Failure("utimens");
    }

    /// <summary>True when the open folder is the server's own, and nobody else's to look into.</summary>
    public static bool IsPrivate(SafeFileHandle folder)
    {
        Span<byte> stat = stackalloc byte[StatLengthBytes];
        if (Statx(folder, "", EmptyPath, BasicStatistics, stat) != 0)
            throw Failure("stat");
        // Offsets of struct statx (statx(2)): mode and owner.
        var mode = BitConverter.ToUInt16(stat[28..]);
        return (mode & FolderMask) == FolderFormat && (mode & AccessMask) == PrivateMode && BitConverter.ToUInt32(stat[20..]) == EffectiveUser();
    }

    /// <summary>The number of the file system's kind (statfs(2)).</summary>
    public static long FileSystemOf(SafeFileHandle folder)
    {
        // Longer than the structure on any processor.
        Span<long> found = stackalloc long[32];
        return StatFileSystem(folder, found) == 0 ? found[0] : throw Failure("statfs");
    }

    /// <summary>ioctl(2) with an argument that the kernel reads, and may answer in.</summary>
    public static void Control(SafeFileHandle file, nuint request, Span<byte> argument)
    {
        if (Ioctl(file, request, argument) != 0)
            throw Failure("ioctl");
    }

    private static SafeFileHandle Require(int descriptor, string call) => descriptor >= 0 ? new SafeFileHandle(descriptor, ownsHandle: true) : throw Failure(call);

    private static IOException Failure(string call)
    {
        var error = Marshal.GetLastPInvokeError();
        return new IOException($"{call}: {Marshal.GetPInvokeErrorMessage(error)}", error);
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenPath(string path, int flags);

    [LibraryImport("libc", EntryPoint = "openat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenAt(SafeFileHandle folder, string name, int flags);

    [LibraryImport("libc", EntryPoint = "access", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Access(string path, int mode);

    [LibraryImport("libc", EntryPoint = "mkdirat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MakeFolderAt(SafeFileHandle folder, string name, uint mode);

    [LibraryImport("libc", EntryPoint = "unlinkat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int UnlinkAt(SafeFileHandle folder, string name, int flags);

    [LibraryImport("libc", EntryPoint = "futimens", SetLastError = true)]
    private static partial int ChangeTimes(SafeFileHandle file, ReadOnlySpan<long> times);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(SafeFileHandle folder, string name, int flags, uint mask, Span<byte> result);

    [LibraryImport("libc", EntryPoint = "fstatfs", SetLastError = true)]
    private static partial int StatFileSystem(SafeFileHandle folder, Span<long> result);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static partial int Ioctl(SafeFileHandle file, nuint request, Span<byte> argument);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint EffectiveUser();
}
