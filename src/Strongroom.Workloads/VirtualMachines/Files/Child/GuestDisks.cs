using System.Runtime.InteropServices;
using System.Text;
using Strongroom.Backup.FileRecovery.Browsing;

namespace Strongroom.Workloads.VirtualMachines.Files.Child;

/// <summary>Disks in an appliance of libguestfs: a small virtual machine without a network, in which the file systems are mounted. Used by one thread.</summary>
internal sealed class GuestDisks
{
    private const int NoSuchEntry = 2, NotAFolder = 20, LinkLoop = 40, NameTooLong = 36;

    private readonly nint _handle;
    private readonly Dictionary<string, string> _fileSystems = [];
    private string? _mounted;

    private GuestDisks(nint handle) => _handle = handle;

    /// <summary>False once the appliance is gone: a file system may bring its kernel down.</summary>
    public bool IsReady => Guestfs.IsReady(_handle) == 1;

    /// <summary>Adds the disks and starts the appliance.</summary>
    /// <param name="sockets">NBD servers on Unix sockets, in LUN order.</param>
    /// <exception cref="FileBrowsingException">NotInstalled, or Damaged.</exception>
    public static GuestDisks Launch(IEnumerable<string> sockets, bool usesKvm, int memoryMiB)
    {
        nint handle;
        try
        {
            handle = Guestfs.Create(0);
        }
        catch (DllNotFoundException)
        {
            throw new FileBrowsingException(FileBrowsingFault.NotInstalled, "libguestfs is not installed.");
        }

        var disks = new GuestDisks(handle);
        Guestfs.SetErrorHandler(handle, 0, 0);
        disks.Must(Guestfs.SetBackend(handle, "direct"));
        disks.Must(Guestfs.SetBackendSetting(handle, usesKvm ? "force_kvm" : "force_tcg", "1"));
        disks.Must(Guestfs.SetMemorySize(handle, memoryMiB));
        disks.Must(Guestfs.SetAutosync(handle, 0));
        foreach (var socket in sockets) disks.Add(socket);
        if (Guestfs.Launch(handle) == 0) return disks;
        throw new FileBrowsingException(FileBrowsingFault.NotInstalled, "The appliance of libguestfs does not start: " + disks.LastError());
    }

    /// <summary>The devices that are, or may be, file systems. Pairs are (device, file system, label, size in bytes).</summary>
    public IReadOnlyList<(string Device, string FileSystem, byte[] Label, long SizeBytes)> ListVolumes()
    {
        // One partition table that its tool refuses must not hide the other disks.
        var pairs = Guestfs.ListFileSystems(_handle) is var list && list != 0 ? TakeList(list) : ListOneByOne();
        var volumes = new List<(string, string, byte[], long)>();
        for (var i = 0; i + 1 < pairs.Count; i += 2)
        {
            // Subvolumes of btrfs are folders of the volume that they are in.
            if (!pairs[i].AsSpan().StartsWith("/dev/"u8)) continue;
            var (device, fileSystem) = (Encoding.UTF8.GetString(pairs[i]), Encoding.UTF8.GetString(pairs[i + 1]));
            var label = fileSystem is "unknown" or "swap" ? [] : Take(Guestfs.Label(_handle, Zeroed(pairs[i]))) ?? [];
            _fileSystems[device] = fileSystem;
            volumes.Add((device, fileSystem, label, Math.Max(0, Guestfs.SizeBytes(_handle, Zeroed(pairs[i])))));
        }

        return volumes;
    }

    /// <summary>As libguestfs lists file systems, with every device looked at by itself. What is on a device that cannot be looked at is not known.</summary>
    private List<byte[]> ListOneByOne()
    {
        var partitions = TakeList(Guestfs.ListPartitions(_handle));
        var whole = TakeList(Guestfs.ListDevices(_handle)).Where(device => !partitions.Exists(part => IsPartOf(part, device)));
        var pairs = new List<byte[]>();
        foreach (var device in whole.Concat(partitions).Concat(Guestfs.ListLogicalVolumes(_handle) is var volumes && volumes != 0 ? TakeList(volumes) : []))
        {
            var type = Take(Guestfs.FileSystemType(_handle, Zeroed(device)));
            // Members of something larger are shown as that.
            if (type is not null && type.AsSpan().EndsWith("_member"u8)) continue;
            pairs.Add(device);
            pairs.Add(type is { Length: > 0 } ? type : [.. "unknown"u8]);
        }

        return pairs;
    }

    private static bool IsPartOf(byte[] partition, byte[] disk) =>
        partition.Length > disk.Length && partition.AsSpan().StartsWith(disk) && char.IsAsciiDigit((char)partition[disk.Length]);

    /// <summary>Mounts a volume where all paths begin; read-only, but what its journal holds is replayed into the appliance's throw-away copy.</summary>
    /// <exception cref="FileBrowsingException">NotFound or Unreadable.</exception>
    public void Mount(string device)
    {
        if (_mounted == device) return;
        if (!_fileSystems.TryGetValue(device, out var fileSystem)) throw new FileBrowsingException(FileBrowsingFault.NotFound, $"There is no volume '{device}'.");
        if (_mounted is not null) Must(Guestfs.UnmountAll(_handle));
        _mounted = null;
        foreach (var options in MountOptions(fileSystem))
        {
            if (Guestfs.Mount(_handle, options, Zeroed(Encoding.UTF8.GetBytes(device)), "/") != 0) continue;
            _mounted = device;
            return;
        }

        throw new FileBrowsingException(FileBrowsingFault.Unreadable, "The volume cannot be mounted: " + LastError());
    }

    /// <exception cref="FileBrowsingException">NotFound or Damaged.</exception>
    public Guestfs.Stat Stat(byte[] path)
    {
        var stat = Guestfs.LinkStat(_handle, Zeroed(path));
        if (stat == 0) throw Failure();
        var copy = Marshal.PtrToStructure<Guestfs.Stat>(stat);
        Guestfs.FreeStat(stat);
        return copy;
    }

    /// <summary>Of each name in a folder, in order; an inode of -1 where it cannot be told.</summary>
    public Guestfs.Stat[] Stats(byte[] folder, IReadOnlyList<byte[]> names)
    {
        var strings = new NativeStrings(names);
        var list = Guestfs.LinkStats(_handle, Zeroed(folder), strings.Pointer);
        strings.Dispose();
        if (list == 0) throw Failure();
        var stats = new Guestfs.Stat[names.Count];
        var (count, values) = (Marshal.ReadInt32(list), Marshal.ReadIntPtr(list, nint.Size));
        for (var i = 0; i < stats.Length; i++) stats[i] = i < count ? Marshal.PtrToStructure<Guestfs.Stat>(values + (i * Guestfs.StatLengthBytes)) : new() { Inode = -1 };
        Guestfs.FreeStats(list);
        return stats;
    }

    public byte[] ReadLink(byte[] path) => Take(Guestfs.ReadLink(_handle, Zeroed(path))) ?? [];

    /// <summary>Writes the names in a folder into a file, each with a zero after it.</summary>
    public void ListNames(byte[] folder, string file)
    {
        if (Guestfs.ListNames(_handle, Zeroed(folder), file) != 0) throw Failure();
    }

    /// <summary>Hands what was read to <paramref name="use"/>.</summary>
    public void Read(byte[] path, long offsetBytes, int count, Action<nint, int> use)
    {
        var data = Guestfs.Read(_handle, Zeroed(path), count, offsetBytes, out var read);
        if (data == 0) throw Failure();
        use(data, (int)read);
        Guestfs.Free(data);
    }

    private static string[] MountOptions(string fileSystem) => fileSystem switch
    {
        "ext2" or "ext3" or "ext4" => ["ro", "ro,noload"],
        "xfs" => ["ro,nouuid", "ro,nouuid,norecovery"],
        "btrfs" => ["ro,subvolid=5", "ro"],
        "vfat" => ["ro,utf8", "ro"],
        _ => ["ro"],
    };

    private void Add(string socket)
    {
        using var words = new NativeStrings([.. new[] { "raw", "nbd", "unix:" + socket }.Select(Encoding.UTF8.GetBytes)]);
        using var server = new NativeStrings([Encoding.UTF8.GetBytes("unix:" + socket)]);
        var options = new Guestfs.DriveOptions
        {
            Bitmask = Guestfs.DriveReadOnly | Guestfs.DriveFormat | Guestfs.DriveProtocol | Guestfs.DriveServer,
            ReadOnly = 1,
            Format = words[0],
            Protocol = words[1],
            Server = server.Pointer,
        };
        Must(Guestfs.AddDrive(_handle, "", options));
    }

    private void Must(int result)
    {
        if (result != 0) throw Failure();
    }

    private FileBrowsingException Failure() => Guestfs.LastErrno(_handle) switch
    {
        NoSuchEntry or NotAFolder or LinkLoop or NameTooLong => new(FileBrowsingFault.NotFound, "There is nothing at this path."),
        _ => new(FileBrowsingFault.Damaged, LastError()),
    };

    private string LastError() => Marshal.PtrToStringUTF8(Guestfs.LastError(_handle)) ?? "no reason was given";

    private static byte[]? Take(nint text)
    {
        if (text == 0) return null;
        var copy = Copy(text);
        Guestfs.Free(text);
        return copy;
    }

    private List<byte[]> TakeList(nint list)
    {
        if (list == 0) throw Failure();
        var all = new List<byte[]>();
        for (var i = 0; Marshal.ReadIntPtr(list, i * nint.Size) is var item && item != 0; i++) all.Add(Take(item)!);
        Guestfs.Free(list);
        return all;
    }

    private static unsafe byte[] Copy(nint text) => MemoryMarshal.CreateReadOnlySpanFromNullTerminated((byte*)text).ToArray();

    private static byte[] Zeroed(byte[] text) => [.. text, 0];
}
