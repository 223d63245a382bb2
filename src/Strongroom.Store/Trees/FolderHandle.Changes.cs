using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Strongroom.Store.Trees;

internal sealed partial class FolderHandle
{
    private const uint PrivateFileMode = 0x180; // 0600
    private const uint PrivateFolderMode = 0x1C0; // 0700

    /// <summary>A name that nobody else will think of, for what is not complete yet.</summary>
    public static byte[] TemporaryName() => Encoding.ASCII.GetBytes($".strongroom-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8))}.tmp");

    public SafeFileHandle CreateFile(ReadOnlySpan<byte> name) => Require(
        LinuxCalls.OpenAt(
            handle,
            LinuxCalls.Terminated(name),
            LinuxCalls.WriteOnly | LinuxCalls.Create | LinuxCalls.Exclusive | LinuxCalls.NoFollow | LinuxCalls.CloseOnExec,
            PrivateFileMode),
        "create");

    /// <summary>False when the name is taken.</summary>
    public bool TryMakeFolder(ReadOnlySpan<byte> name)
    {
        if (LinuxCalls.MakeFolderAt(handle, LinuxCalls.Terminated(name), PrivateFolderMode) == 0)
            return true;
        var error = Marshal.GetLastPInvokeError();
        return error == LinuxCalls.Exists ? false : throw LinuxCalls.Failure("mkdir", error);
    }

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

    /// <summary>Gives a file of another folder a second name here.</summary>
    public void Link(FolderHandle from, ReadOnlySpan<byte> fromName, ReadOnlySpan<byte> name) =>
        Require0(LinuxCalls.LinkAt(from.handle, LinuxCalls.Terminated(fromName), handle, LinuxCalls.Terminated(name), 0), "link");

    public void Unlink(ReadOnlySpan<byte> name) => Require0(LinuxCalls.UnlinkAt(handle, LinuxCalls.Terminated(name), 0), "unlink");

    /// <summary>Puts a complete file in its place, in one step.</summary>
    /// <param name="temporaryName">What it is called now.</param>
    /// <param name="name">What it is to be called.</param>
    /// <param name="mayReplace">False: fails with EEXIST where the name is taken.</param>
    public void Place(ReadOnlySpan<byte> temporaryName, ReadOnlySpan<byte> name, bool mayReplace)
    {
        var (from, to) = (LinuxCalls.Terminated(temporaryName), LinuxCalls.Terminated(name));
        if (!mayReplace)
        {
            if (LinuxCalls.RenameAt2(handle, from, handle, to, LinuxCalls.RenameNoReplace) == 0)
                return;
            var error = Marshal.GetLastPInvokeError();
            if (error is not (LinuxCalls.Invalid or LinuxCalls.NoSuchCall))
                throw LinuxCalls.Failure("rename", error);

            // A file system that knows no such rename: then what is there is looked for first.
            if (TryStat(name) is not null)
                throw LinuxCalls.Failure("rename", LinuxCalls.Exists);
        }

        Require0(LinuxCalls.RenameAt(handle, from, handle, to), "rename");

        // Two names of one file: rename(2) does nothing then, and leaves both.
        if (TryStat(temporaryName) is not null)
            Unlink(temporaryName);
    }

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
