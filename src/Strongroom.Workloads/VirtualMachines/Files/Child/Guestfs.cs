using System.Runtime.InteropServices;

namespace Strongroom.Workloads.VirtualMachines.Files.Child;

/// <summary>The functions of libguestfs that are used (guestfs(3); its C interface does not change).</summary>
internal static partial class Guestfs
{
    private const string Library = "libguestfs.so.0";

    public const ulong DriveReadOnly = 1 << 0, DriveFormat = 1 << 1, DriveProtocol = 1 << 5, DriveServer = 1 << 6;

    /// <summary><c>struct guestfs_add_drive_opts_argv</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct DriveOptions
    {
        public ulong Bitmask;
        public int ReadOnly;
        public nint Format, Interface, Name, Label, Protocol, Server, UserName, Secret, CacheMode, Discard;
        public int CopyOnRead, BlockSize;
    }

    /// <summary>The beginning of <c>struct guestfs_statns</c>, which is <see cref="StatLengthBytes"/> long.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Stat
    {
        public long Device, Inode, Mode, LinkCount, User, Group, OfDevice, Size, BlockSize, Blocks, AccessSeconds, AccessNanoseconds, ModifiedSeconds, ModifiedNanoseconds;
    }

    public const int StatLengthBytes = 22 * sizeof(long);

    [LibraryImport(Library, EntryPoint = "guestfs_create_flags")]
    public static partial nint Create(uint flags);

    [LibraryImport(Library, EntryPoint = "guestfs_set_error_handler")]
    public static partial void SetErrorHandler(nint handle, nint handler, nint opaque);

    [LibraryImport(Library, EntryPoint = "guestfs_last_error")]
    public static partial nint LastError(nint handle);

    [LibraryImport(Library, EntryPoint = "guestfs_last_errno")]
    public static partial int LastErrno(nint handle);

    [LibraryImport(Library, EntryPoint = "guestfs_set_backend", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int SetBackend(nint handle, string backend);

    [LibraryImport(Library, EntryPoint = "guestfs_set_backend_setting", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int SetBackendSetting(nint handle, string name, string value);

    [LibraryImport(Library, EntryPoint = "guestfs_set_memsize")]
    public static partial int SetMemorySize(nint handle, int mebibytes);

    [LibraryImport(Library, EntryPoint = "guestfs_set_autosync")]
    public static partial int SetAutosync(nint handle, int isOn);

    [LibraryImport(Library, EntryPoint = "guestfs_add_drive_opts_argv", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int AddDrive(nint handle, string fileName, in DriveOptions options);

    [LibraryImport(Library, EntryPoint = "guestfs_launch")]
    public static partial int Launch(nint handle);

    /// <returns>1 when the appliance runs and waits for calls.</returns>
    [LibraryImport(Library, EntryPoint = "guestfs_is_ready")]
    public static partial int IsReady(nint handle);

    /// <returns>Pairs of a device and its file system, then null.</returns>
    [LibraryImport(Library, EntryPoint = "guestfs_list_filesystems")]
    public static partial nint ListFileSystems(nint handle);

    /// <returns>The disks, then null.</returns>
    [LibraryImport(Library, EntryPoint = "guestfs_list_devices")]
    public static partial nint ListDevices(nint handle);

    /// <returns>The partitions that the appliance's kernel sees, then null.</returns>
    [LibraryImport(Library, EntryPoint = "guestfs_list_partitions")]
    public static partial nint ListPartitions(nint handle);

    /// <returns>The devices of LVM's logical volumes, then null.</returns>
    [LibraryImport(Library, EntryPoint = "guestfs_lvs")]
    public static partial nint ListLogicalVolumes(nint handle);

    /// <returns>A file system's type, empty for none; null: it failed.</returns>
    [LibraryImport(Library, EntryPoint = "guestfs_vfs_type")]
    public static partial nint FileSystemType(nint handle, [In] byte[] device);

    [LibraryImport(Library, EntryPoint = "guestfs_vfs_label")]
    public static partial nint Label(nint handle, [In] byte[] device);

    [LibraryImport(Library, EntryPoint = "guestfs_blockdev_getsize64")]
    public static partial long SizeBytes(nint handle, [In] byte[] device);

    [LibraryImport(Library, EntryPoint = "guestfs_mount_options", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Mount(nint handle, string options, [In] byte[] device, string at);

    [LibraryImport(Library, EntryPoint = "guestfs_umount_all")]
    public static partial int UnmountAll(nint handle);

    /// <returns>To be freed; null: it failed.</returns>
    [LibraryImport(Library, EntryPoint = "guestfs_lstatns")]
    public static partial nint LinkStat(nint handle, [In] byte[] path);

    /// <returns>A count (u32) and a pointer to so many <see cref="Stat"/>; an inode of -1 stands for a failure.</returns>
    [LibraryImport(Library, EntryPoint = "guestfs_lstatnslist")]
    public static partial nint LinkStats(nint handle, [In] byte[] folder, nint names);

    [LibraryImport(Library, EntryPoint = "guestfs_free_statns")]
    public static partial void FreeStat(nint stat);

    [LibraryImport(Library, EntryPoint = "guestfs_free_statns_list")]
    public static partial void FreeStats(nint stats);

    [LibraryImport(Library, EntryPoint = "guestfs_readlink")]
    public static partial nint ReadLink(nint handle, [In] byte[] path);

    /// <summary>Writes the names in a folder into a file of ours, each with a zero after it.</summary>
    [LibraryImport(Library, EntryPoint = "guestfs_ls0", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int ListNames(nint handle, [In] byte[] folder, string file);

    [LibraryImport(Library, EntryPoint = "guestfs_pread")]
    public static partial nint Read(nint handle, [In] byte[] path, int count, long offset, out nuint read);

    [LibraryImport("libc", EntryPoint = "free")]
    public static partial void Free(nint memory);
}
