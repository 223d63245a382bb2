using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Strongroom.Workloads.VirtualMachines.Files;

/// <summary>Folders and files that readers get, without ever following a link that a reader may have put there.</summary>
internal static partial class ReaderPaths
{
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    // A reader has to get through to its own.
    private const UnixFileMode PassedThrough = Private | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    /// <summary>Whether the server is root, so that readers can be other users.</summary>
    public static bool IsRoot { get; } = EffectiveUser() == 0;

    /// <summary>A folder that only the server may change; where it is root, others get through it.</summary>
    /// <exception cref="IOException">There is something of another's.</exception>
    /// <exception cref="UnauthorizedAccessException">It cannot be made.</exception>
    public static string MakeFolder(string path)
    {
        Directory.CreateDirectory(path, IsRoot ? PassedThrough : Private);
        if (new DirectoryInfo(path).LinkTarget is not null) throw new IOException($"'{path}' is a link.");
        // Only its owner and root may: with another owner this fails for all but root, for whom the owner is set first.
        if (IsRoot) Give(path, 0);
        File.SetUnixFileMode(path, IsRoot ? PassedThrough : Private);
        return path;
    }

    /// <summary>Makes somebody the owner of a file or a folder in a folder of the server's; of a link itself, not of what it points at.</summary>
    /// <exception cref="IOException">That cannot be.</exception>
    public static void Give(string path, uint user)
    {
        if (ChangeOwner(path, user, user) != 0) throw new IOException($"'{path}' cannot be given to user {user}: error {Marshal.GetLastPInvokeError()}.");
    }

    /// <summary>Removes a folder with all that is in it, as far as that is possible.</summary>
    /// <remarks>
    /// By rm(1), which goes down by open folders and not by paths: a reader that still runs could put a link in the place of a folder between
    /// a look and a deletion.
    /// </remarks>
    public static async Task RemoveAsync(string path)
    {
        var start = new ProcessStartInfo("/bin/rm", ["-rf", "--one-file-system", "--", path]) { RedirectStandardError = true };
        start.Environment.Clear();
        using var rm = Process.Start(start) ?? throw new IOException("rm did not start.");
        var said = await rm.StandardError.ReadToEndAsync();
        await rm.WaitForExitAsync();
        if (rm.ExitCode != 0) throw new IOException($"'{path}' cannot be removed: {ReaderAnswers.Plain(said, 400)}");
    }

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint EffectiveUser();

    [LibraryImport("libc", EntryPoint = "lchown", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int ChangeOwner(string path, uint user, uint group);
}
