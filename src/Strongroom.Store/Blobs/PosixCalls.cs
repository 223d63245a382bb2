using System.Runtime.InteropServices;

namespace Strongroom.Store.Blobs;

/// <summary>The few calls that .NET does not offer: link(2) as the atomic create-only commit, unlink(2) that tells what it found, and fsync(2) of a folder.</summary>
internal static partial class PosixCalls
{
    public const int Eperm = 1;
    private const int ReadOnlyFlag = 0;
    private const int Enoent = 2;
    private const int Eexist = 17;
    private const int Enotdir = 20;

    /// <summary>Gives a second name to a file. False when the name is taken (EEXIST).</summary>
    public static bool TryLink(string existingPath, string newPath)
    {
        if (Link(existingPath, newPath) == 0)
            return true;
        var error = Marshal.GetLastPInvokeError();
        return error == Eexist ? false : throw Failure("link", newPath, error);
    }

    /// <summary>Removes a file's name. False when there is none.</summary>
    public static bool TryUnlink(string path)
    {
        if (Unlink(path) == 0)
            return true;
        var error = Marshal.GetLastPInvokeError();
        return error is Enoent or Enotdir ? false : throw Failure("unlink", path, error);
    }

    /// <summary>Makes the names in a folder durable; without it a crash may lose a file that was itself synced.</summary>
    public static void SyncFolder(string path)
    {
        var descriptor = Open(path, ReadOnlyFlag);
        if (descriptor < 0)
            throw Failure("open", path, Marshal.GetLastPInvokeError());
        try
        {
            if (Fsync(descriptor) != 0)
                throw Failure("fsync", path, Marshal.GetLastPInvokeError());
        }
        finally
        {
            _ = Close(descriptor);
        }
    }

    private static IOException Failure(string call, string path, int error) =>
        new($"{call} {path}: {Marshal.GetPInvokeErrorMessage(error)}", error);

    [LibraryImport("libc", EntryPoint = "link", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Link(string existingPath, string newPath);

    [LibraryImport("libc", EntryPoint = "unlink", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Unlink(string path);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Fsync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int descriptor);
}
