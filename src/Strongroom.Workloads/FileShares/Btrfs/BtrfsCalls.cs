using System.Buffers.Binary;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Strongroom.Workloads.FileShares.Btrfs;

/// <summary>The controls of btrfs (linux/btrfs.h): each takes a structure of 4096 bytes. Failures are <see cref="IOException"/>s with the error's number as HResult.</summary>
/// <remarks>Names are single names in an open folder, so that no symbolic link leads elsewhere.</remarks>
internal static class BtrfsCalls
{
    /// <summary>BTRFS_FIRST_FREE_OBJECTID: the inode of every subvolume's own folder.</summary>
    public const ulong SubvolumeInode = 256;

    private const long Magic = 0x9123683E;
    private const int ArgumentLengthBytes = 4096;
    private const int ShortNameAt = 8; // struct btrfs_ioctl_vol_args
    private const int LongNameAt = 56; // struct btrfs_ioctl_vol_args_v2
    private const int FlagsAt = 16;
    private const int ReferencesPerCall = 255;
    private const int ReferenceCountAt = 8 + (ReferencesPerCall * 16);
    private const int NameLengthBytes = 256;
    private const ulong ReadOnlyFlag = 2;
    private const int TooMany = 75; // EOVERFLOW

    // _IOW and _IOWR of asm-generic/ioctl.h, type 0x94; the same on x86, ARM and RISC-V.
    private const nuint CreateSubvolumeCall = 0x5000940E;
    private const nuint DestroyCall = 0x5000940F;
    private const nuint SnapshotCall = 0x50009417;
    private const nuint GetFlagsCall = 0x80089419;
    private const nuint SetFlagsCall = 0x4008941A;
    private const nuint ListReferencesCall = 0xD000943D;
    private const nuint FindNameCall = 0xD000943E;

    /// <summary>True when an open folder lies on btrfs.</summary>
    public static bool IsBtrfs(SafeFileHandle folder) => ShareFolderCalls.FileSystemOf(folder) == Magic;

    /// <summary>Makes an empty subvolume.</summary>
    public static void CreateSubvolume(SafeFileHandle folder, string name) => Call(folder, CreateSubvolumeCall, name, ShortNameAt);

    /// <summary>Makes a snapshot of a subvolume, in which subvolumes within it are empty folders.</summary>
    /// <param name="source">The subvolume's own folder.</param>
    /// <param name="folder">On the same file system.</param>
    public static void Snapshot(SafeFileHandle source, SafeFileHandle folder, string name, bool isReadOnly)
    {
        Span<byte> argument = new byte[ArgumentLengthBytes];
        BinaryPrimitives.WriteInt64LittleEndian(argument, source.DangerousGetHandle());
        BinaryPrimitives.WriteUInt64LittleEndian(argument[FlagsAt..], isReadOnly ? ReadOnlyFlag : 0);
        Encoding.UTF8.GetBytes(name, argument[LongNameAt..]);
        ShareFolderCalls.Control(folder, SnapshotCall, argument);
        GC.KeepAlive(source);
    }

    /// <summary>Whether the subvolume of an open folder may be changed by anybody.</summary>
    /// <param name="subvolume">The subvolume's own folder.</param>
    public static bool IsReadOnly(SafeFileHandle subvolume)
    {
        Span<byte> flags = stackalloc byte[sizeof(ulong)];
        ShareFolderCalls.Control(subvolume, GetFlagsCall, flags);
        return (BinaryPrimitives.ReadUInt64LittleEndian(flags) & ReadOnlyFlag) != 0;
    }

    /// <summary>Removes a subvolume with all that is in it; there must be no subvolumes within it.</summary>
    /// <returns>False when there is none of that name.</returns>
    public static bool Destroy(SafeFileHandle folder, string name)
    {
        try
        {
            Call(folder, DestroyCall, name, ShortNameAt);
            return true;
        }
        catch (IOException failure) when (failure.HResult == ShareFolderCalls.NoEntry)
        {
            return false;
        }
        catch (IOException failure) when (failure.HResult is ShareFolderCalls.NotPermitted or ShareFolderCalls.NoAccess or ShareFolderCalls.ReadOnlyFileSystem)
        {
            // Others than root remove what they may write to, where the mount allows it (user_subvol_rm_allowed).
            using (var subvolume = ShareFolderCalls.Open(folder, name))
                ShareFolderCalls.Control(subvolume, SetFlagsCall, new byte[sizeof(ulong)]);
            Call(folder, DestroyCall, name, ShortNameAt);
            return true;
        }
    }

    /// <summary>The subvolumes directly within the folder's own that lie below the folder: their paths from it, in no order.</summary>
    public static List<string> ListNested(SafeFileHandle folder)
    {
        var paths = new List<string>();
        Span<byte> references = new byte[ArgumentLengthBytes];
        bool isMore;
        do
        {
            isMore = false;
            try
            {
                ShareFolderCalls.Control(folder, ListReferencesCall, references);
            }
            catch (IOException failure) when (failure.HResult == TooMany)
            {
                // The kernel has put the number to go on with into the structure.
                isMore = true;
            }

            int count = references[ReferenceCountAt];
            for (var i = 0; i < count; i++)
            {
                var reference = references[(8 + (i * 16))..];
                if (FindPath(folder, BinaryPrimitives.ReadUInt64LittleEndian(reference), BinaryPrimitives.ReadUInt64LittleEndian(reference[8..])) is { } path)
                    paths.Add(path);
            }
        }
        while (isMore);
        return paths;
    }

    private static string? FindPath(SafeFileHandle folder, ulong subvolume, ulong parentFolder)
    {
        Span<byte> argument = new byte[ArgumentLengthBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(argument, parentFolder);
        BinaryPrimitives.WriteUInt64LittleEndian(argument[8..], subvolume);
        try
        {
            ShareFolderCalls.Control(folder, FindNameCall, argument);
        }
        catch (IOException failure) when (failure.HResult is ShareFolderCalls.NoAccess or ShareFolderCalls.NoEntry)
        {
            // It lies elsewhere, or went meanwhile.
            return null;
        }

        var text = argument[16..];
        return Text(text[NameLengthBytes..]) + Text(text[..NameLengthBytes]);
    }

    private static string Text(ReadOnlySpan<byte> source) => Encoding.UTF8.GetString(source[..source.IndexOf((byte)0)]);

    private static void Call(SafeFileHandle folder, nuint request, string name, int nameAt)
    {
        Span<byte> argument = new byte[ArgumentLengthBytes];
        Encoding.UTF8.GetBytes(name, argument[nameAt..]);
        ShareFolderCalls.Control(folder, request, argument);
    }
}
