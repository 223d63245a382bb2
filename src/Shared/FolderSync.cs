using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Strongroom;

/// <summary>fsync(2) of a folder, which .NET does not offer. Compiled into each project that needs it: they do not know each other.</summary>
internal static partial class FolderSync
{
    private const int ReadOnlyFlag = 0;
    private const int CloseOnExecFlag = 0x80000;

    /// <summary>Makes the names in a folder durable; without it a crash may lose a file that was itself synced.</summary>
    /// <exception cref="IOException">The folder is not there, or the disk fails; its HResult is the errno.</exception>
    public static void Sync(string folder)
    {
        using var handle = new SafeFileHandle(Open(folder, ReadOnlyFlag | CloseOnExecFlag), ownsHandle: true);
        if (handle.IsInvalid)
            throw Failure("open", folder);
        if (Fsync(handle) != 0)
            throw Failure("fsync", folder);
    }

    private static IOException Failure(string call, string path)
    {
        var error = Marshal.GetLastPInvokeError();
        return new($"{call} {path}: {Marshal.GetPInvokeErrorMessage(error)}", error);
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Fsync(SafeFileHandle file);
}
