using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Strongroom.Store.Blobs;

/// <summary>The extended attribute <c>user.strongroom.retain-until</c> of a blob's file: Unix seconds, i64, little-endian.</summary>
internal static partial class RetentionAttribute
{
    private const string Name = "user.strongroom.retain-until";

    /// <summary>Null when there is none.</summary>
    public static byte[]? Read(SafeFileHandle file)
    {
        var value = new byte[16];
        var length = Get(file, Name, value, value.Length);
        return length < 0 ? null : value[..(int)length];
    }

    /// <exception cref="IOException">The file system does not take it, or the file is immutable.</exception>
    public static void Write(SafeFileHandle file, byte[] value)
    {
        if (Set(file, Name, value, value.Length, 0) != 0)
            throw new IOException($"fsetxattr: {Marshal.GetLastPInvokeErrorMessage()}", Marshal.GetLastPInvokeError());
    }

    [LibraryImport("libc", EntryPoint = "fgetxattr", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint Get(SafeFileHandle file, string name, byte[] value, nint length);

    [LibraryImport("libc", EntryPoint = "fsetxattr", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Set(SafeFileHandle file, string name, byte[] value, nint length, int flags);
}
