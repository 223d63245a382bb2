using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Strongroom.Store.Blobs;

/// <summary>The flag FS_IMMUTABLE_FL of a file (ioctl_iflags(2)), which needs CAP_LINUX_IMMUTABLE to change.</summary>
internal static partial class ImmutableFlag
{
    // _IOR('f', 1, long) and _IOW('f', 2, long) where a long has 8 bytes; the kernel reads and writes an int all the same.
    private const nuint GetFlags = 0x8008_6601;
    private const nuint SetFlags = 0x4008_6602;
    private const long Immutable = 0x10;

    /// <exception cref="IOException">The file system does not know flags.</exception>
    public static bool IsSet(SafeFileHandle file) => (Read(file) & Immutable) != 0;

    /// <summary>False also where the file system does not know flags.</summary>
    public static bool TryIsSet(SafeFileHandle file)
    {
        long flags = 0;
        return Control(file, GetFlags, ref flags) == 0 && (flags & Immutable) != 0;
    }

    /// <exception cref="IOException">EPERM: this process has no right to; others: the file system does not know flags.</exception>
    public static void Set(SafeFileHandle file, bool isOn)
    {
        var flags = Read(file);
        flags = isOn ? flags | Immutable : flags & ~Immutable;
        if (Control(file, SetFlags, ref flags) != 0)
            throw Failure();
    }

    private static long Read(SafeFileHandle file)
    {
        long flags = 0;
        return Control(file, GetFlags, ref flags) == 0 ? flags : throw Failure();
    }

    private static IOException Failure() => new($"ioctl: {Marshal.GetLastPInvokeErrorMessage()}", Marshal.GetLastPInvokeError());

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static partial int Control(SafeFileHandle file, nuint request, ref long flags);
}
