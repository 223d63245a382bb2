using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Strongroom.Store.Trees;

internal sealed partial class FolderHandle
{
    private const uint PrivateFileMode = 0x180; // 0600
    private const uint PrivateFolderMode = 0x1C0; // 0700
    private const uint PlainFolderMode = 0x1FF; // 0777

    /// <summary>A file without a name, or null where the file system knows none.</summary>
    public SafeFileHandle? TryCreateNameless()
    {
        var descriptor = LinuxCalls.OpenAt(handle, ".\0"u8, LinuxCalls.WriteOnly | LinuxCalls.Nameless | LinuxCalls.CloseOnExec, PrivateFileMode);
        if (descriptor >= 0)
            return new(descriptor, ownsHandle: true);
        var error = Marshal.GetLastPInvokeError();
        return error is LinuxCalls.NotSupported or LinuxCalls.IsAFolder or LinuxCalls.Invalid ? null : throw LinuxCalls.Failure("create", error);
    }

    public SafeFileHandle CreateFile(ReadOnlySpan<byte> name) => Require(
        LinuxCalls.OpenAt(
            handle,
            LinuxCalls.Terminated(name),
            LinuxCalls.WriteOnly | LinuxCalls.Create | LinuxCalls.Exclusive | LinuxCalls.NoFollow | LinuxCalls.CloseOnExec,
            PrivateFileMode),
        "create");

    /// <summary>Makes a folder of one's own, so that nobody gets in before it is complete; false when the name is taken.</summary>
    public bool TryMakeFolder(ReadOnlySpan<byte> name) => TryMakeFolder(name, PrivateFolderMode);

    /// <summary>A folder as others make them: what they may do is the process's and the parent's choice (umask, default ACL).</summary>
    public bool TryMakePlainFolder(ReadOnlySpan<byte> name) => TryMakeFolder(name, PlainFolderMode);

    public void MakeSymbolicLink(ReadOnlySpan<byte> name, ReadOnlySpan<byte> target) =>
        Require0(LinuxCalls.MakeSymbolicLinkAt(LinuxCalls.Terminated(target), handle, LinuxCalls.Terminated(name)), "symlink");

    public void MakeNode(ReadOnlySpan<byte> name, TreeEntryKind kind, uint major, uint minor)
    {
        var bits = kind switch
        {
            TreeEntryKind.Fifo => 0x1000u,
            TreeEntryKind.Socket => 0xC000u,
            TreeEntryKind.CharacterDevice => 0x2000u,
            _ => 0x6000u,
        };
        Require0(LinuxCalls.MakeNodeAt(handle, LinuxCalls.Terminated(name), bits | PrivateFileMode, LinuxCalls.MakeDevice(major, minor)), "mknod");
    }

    /// <summary>Gives a file of another folder a further name here; false when the name is taken.</summary>
    public bool TryLink(FolderHandle from, ReadOnlySpan<byte> fromName, ReadOnlySpan<byte> name) =>
        IsDone(LinuxCalls.LinkAt(from.handle, LinuxCalls.Terminated(fromName), handle, LinuxCalls.Terminated(name), 0), "link");

    /// <summary>Gives a nameless file its name; false when it is taken.</summary>
    public bool TryLink(SafeFileHandle nameless, ReadOnlySpan<byte> name) => IsDone(
        LinuxCalls.LinkAt(handle, KernelName(nameless), handle, LinuxCalls.Terminated(name), LinuxCalls.AtFollow), "link");

    public void Unlink(ReadOnlySpan<byte> name) => Require0(LinuxCalls.UnlinkAt(handle, LinuxCalls.Terminated(name), 0), "unlink");

    public void UnlinkIfThere(ReadOnlySpan<byte> name)
    {
        if (LinuxCalls.UnlinkAt(handle, LinuxCalls.Terminated(name), 0) != 0 && Marshal.GetLastPInvokeError() is var error and not LinuxCalls.NoEntry)
            throw LinuxCalls.Failure("unlink", error);
    }

    /// <summary>Renames in one step; false when the new name is taken.</summary>
    public bool TryRename(ReadOnlySpan<byte> from, ReadOnlySpan<byte> to)
    {
        var result = LinuxCalls.RenameAt2(handle, LinuxCalls.Terminated(from), handle, LinuxCalls.Terminated(to), LinuxCalls.RenameNoReplace);
        if (result == 0 || Marshal.GetLastPInvokeError() is not (LinuxCalls.Invalid or LinuxCalls.NoSuchCall))
            return IsDone(result, "rename");

        // A file system that knows no such rename: a link does not replace either.
        if (!TryLink(this, from, to))
            return false;
        Unlink(from);
        return true;
    }

    /// <summary>Renames in one step, in the place of what is there. Fails where that is a folder.</summary>
    public void Rename(ReadOnlySpan<byte> from, ReadOnlySpan<byte> to) =>
        Require0(LinuxCalls.RenameAt(handle, LinuxCalls.Terminated(from), handle, LinuxCalls.Terminated(to)), "rename");

    /// <summary>Has the folder's names and metadata on the disk.</summary>
    public void Sync() => Require0(LinuxCalls.Sync(handle), "fsync");

    /// <summary>Has all that was written to the folder's file system on the disk.</summary>
    public void SyncFileSystem() => Require0(LinuxCalls.SyncFileSystem(handle), "syncfs");

    public void SetMode(ReadOnlySpan<byte> name, int mode) =>
        Require0(LinuxCalls.ChangeModeAt(handle, LinuxCalls.Terminated(name), (uint)mode, LinuxCalls.AtNoFollow), "chmod");

    /// <summary>False when only root may do that.</summary>
    public bool TrySetOwner(ReadOnlySpan<byte> name, uint user, uint group) =>
        IsPermitted(LinuxCalls.ChangeOwnerAt(handle, LinuxCalls.Terminated(name), user, group, LinuxCalls.AtNoFollow), "chown");

    public void SetModified(ReadOnlySpan<byte> name, FileTime time) => Require0(
        LinuxCalls.ChangeTimesAt(handle, LinuxCalls.Terminated(name), TimesOf(time), LinuxCalls.AtNoFollow), "utimens");

    public static void SetMode(SafeFileHandle file, int mode) => Require0(LinuxCalls.ChangeMode(file, (uint)mode), "chmod");

    public static bool TrySetOwner(SafeFileHandle file, uint user, uint group) => IsPermitted(LinuxCalls.ChangeOwner(file, user, group), "chown");

    public static void SetModified(SafeFileHandle file, FileTime time) => Require0(LinuxCalls.ChangeTimes(file, TimesOf(time)), "utimens");

    /// <summary>Both times of a file: nobody keeps when it was last read.</summary>
    private static long[] TimesOf(FileTime time) => [time.Seconds, time.Nanoseconds, time.Seconds, time.Nanoseconds];

    private bool TryMakeFolder(ReadOnlySpan<byte> name, uint mode) =>
        IsDone(LinuxCalls.MakeFolderAt(handle, LinuxCalls.Terminated(name), mode), "mkdir");

    /// <summary>False when it failed because the name is taken.</summary>
    private static bool IsDone(int result, string call)
    {
        if (result == 0)
            return true;
        var error = Marshal.GetLastPInvokeError();
        return error == LinuxCalls.Exists ? false : throw LinuxCalls.Failure(call, error);
    }

    private static byte[] KernelName(SafeFileHandle file) => Encoding.ASCII.GetBytes($"/proc/self/fd/{file.DangerousGetHandle()}\0");

    private static bool IsPermitted(int result, string call)
    {
        if (result == 0)
            return true;
        var error = Marshal.GetLastPInvokeError();
        return error is LinuxCalls.NotPermitted or LinuxCalls.Invalid ? false : throw LinuxCalls.Failure(call, error);
    }

    private static void Require0(int result, string call)
    {
        if (result != 0)
            throw LinuxCalls.Failure(call);
    }
}
