using System.Runtime.InteropServices;
using Strongroom.Blocks.Raw;

namespace Strongroom.Blocks;

/// <summary>Changes of names that .NET does not offer: each happens whole or not at all, whenever the machine stops.</summary>
public static class FolderChanges
{
    private const int CurrentFolder = -100;
    private const uint NoReplace = 1;
    private const uint ExchangeFlag = 2;
    private const int UserOffset = 20;
    private const int NotPermitted = 1;

    /// <summary>Two names of one file system change places (renameat2(2), RENAME_EXCHANGE). Durable on return.</summary>
    /// <exception cref="IOException">One is not there, they are on two file systems, or the file system cannot do it.</exception>
    public static void Exchange(string first, string second) => Rename(first, second, ExchangeFlag, "Cannot exchange");

    /// <summary>Renames to a name that is free (renameat2(2), RENAME_NOREPLACE). Durable on return.</summary>
    /// <exception cref="IOException">The name is taken, or the file system cannot do it.</exception>
    public static void MoveNew(string from, string to) => Rename(from, to, NoReplace, "Cannot rename to");

    /// <summary>Gives a file a second name on its file system.</summary>
    /// <exception cref="IOException">The name is taken, or the file system or the kernel's rules do not allow it.</exception>
    public static void Link(string existing, string name)
    {
        if (LinuxFileCalls.Link(existing, name) != 0) throw LinuxFileCalls.Failure("Cannot link", name);
    }

    /// <summary>Gives a file or folder the owner of another, where this process may.</summary>
    /// <exception cref="IOException">One is not there, or the file system fails.</exception>
    public static void CopyOwner(string from, string to)
    {
        Span<byte> state = stackalloc byte[LinuxFileCalls.StatxSizeBytes];
        if (LinuxFileCalls.Statx(CurrentFolder, from, 0, LinuxFileCalls.BasicStatistics, state) != 0) throw LinuxFileCalls.Failure("Cannot examine", from);
        var (user, group) = (BitConverter.ToUInt32(state[UserOffset..]), BitConverter.ToUInt32(state[(UserOffset + 4)..]));
        if (LinuxFileCalls.ChangeOwner(to, user, group) != 0 && Marshal.GetLastPInvokeError() != NotPermitted) throw LinuxFileCalls.Failure("Cannot give to its owner", to);
    }

    /// <summary>Makes the names in a folder durable.</summary>
    /// <exception cref="IOException">The folder is not there, or the disk fails.</exception>
    public static void Synchronise(string folder) => FolderSync.Sync(folder);

    private static void Rename(string from, string to, uint flags, string what)
    {
        if (LinuxFileCalls.Rename(CurrentFolder, from, CurrentFolder, to, flags) != 0) throw LinuxFileCalls.Failure(what, to);
        foreach (var folder in new[] { from, to }.Select(path => Path.GetDirectoryName(path)!).Distinct(StringComparer.Ordinal)) FolderSync.Sync(folder);
    }
}
