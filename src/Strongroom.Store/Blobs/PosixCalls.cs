using System.Runtime.InteropServices;

namespace Strongroom.Store.Blobs;

/// <summary>The few calls that .NET does not offer: link(2) as the atomic create-only commit, unlink(2) that tells what it found, and rename(2) of folders alone.</summary>
internal static partial class PosixCalls
{
    public const int Eperm = 1;
    public const int Eisdir = 21;
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

    /// <summary>Moves a folder. False when there is no folder (any more): a file that took the name meanwhile stays where it is.</summary>
    public static bool TryMoveFolder(string path, string newPath)
    {
        // With a slash at its end a name is a folder's only.
        if (Rename(path + "/", newPath) == 0)
            return true;
        var error = Marshal.GetLastPInvokeError();
        return error is Enoent or Enotdir ? false : throw Failure("rename", path, error);
    }

    private static IOException Failure(string call, string path, int error) =>
        new($"{call} {path}: {Marshal.GetPInvokeErrorMessage(error)}", error);

    [LibraryImport("libc", EntryPoint = "link", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Link(string existingPath, string newPath);

    [LibraryImport("libc", EntryPoint = "rename", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Rename(string path, string newPath);

    [LibraryImport("libc", EntryPoint = "unlink", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Unlink(string path);
}
