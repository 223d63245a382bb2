using System.Xml.Linq;
using Strongroom.Backup.Machines;
using Strongroom.Blocks;
using Strongroom.Workloads.VirtualMachines.Libvirt.Native;
using Strongroom.Workloads.VirtualMachines.Libvirt.Storage;

namespace Strongroom.Workloads.VirtualMachines.Libvirt.Restores;

/// <summary>The disks that one run of a restore makes in one storage pool. As long as they are under work the pool has a small volume that says so.</summary>
/// <remarks>
/// Where the server sees the pool's folder, as it sees the marker that libvirt has made there, disks are written into it at once. Elsewhere (hosts that are other
/// machines, pools of devices) each is written into a file of the server's first, and then sent: the store gives its blocks in no order, and libvirt takes them in order only.
/// </remarks>
internal sealed class PoolStage
{
    private const long MarkerBytes = 1 << 20;

    private readonly HostSetting _setting;
    private readonly HostRun _run;
    private readonly string? _folder;
    private readonly bool _isFiles;

    private PoolStage(HostSetting setting, string pool, HostRun run, bool isFiles, string? folder) => (_setting, Pool, _run, _isFiles, _folder) = (setting, pool, run, isFiles, folder);

    /// <summary>The pool's name.</summary>
    public string Pool { get; }

    /// <summary>Marks a pool as one that this run works in.</summary>
    /// <exception cref="MachineException">The pool cannot take disks.</exception>
    public static Task<PoolStage> BeginAsync(HostSetting setting, string pool, HostRun run, CancellationToken cancellationToken) => setting.UseAsync(connection =>
    {
        using var opened = StoragePools.Open(connection, setting.Host, pool);
        var isFiles = StoragePools.IsFolder(opened);
        // What has the names of this run's disks is not this run's, and would be taken for it once there is a mark.
        if (isFiles) opened.Refresh();
        if (FindDisk(opened, run) is { } taken) throw new MachineException(MachineProblem.NotWritable, $"Storage pool '{pool}' of host '{setting.Host.Name}' has a volume '{taken}', which is a name of this restore's.");
        using var marker = setting.Writing(pool, () => opened.CreateVolume(VolumeXml(VolumeNames.Marker(run, setting.Owner), MarkerBytes, isSparse: isFiles)));
        var path = marker.Path;
        return new PoolStage(setting, pool, run, isFiles, isFiles && setting.Host.IsLocal && CanWrite(path) ? Path.GetDirectoryName(path) : null);
    }, cancellationToken);

    /// <summary>Begins a disk.</summary>
    /// <param name="machine">The machine's name, for the volume's.</param>
    /// <param name="format">In a pool of devices it is <c>raw</c> all the same.</param>
    /// <param name="like">Path of a file on this machine whose owner and mode the new one gets; null: the owner of the pool's folder.</param>
    /// <returns>The disk as the domain will have it, and what fills it.</returns>
    public (RestoredDisk Disk, IDiskWriter Writer) CreateDisk(string machine, MachineDisk disk, string format, string? like)
    {
        format = _isFiles && format != "raw" ? "qcow2" : "raw";
        var name = VolumeNames.Disk(machine, disk.Name, _run, _isFiles ? "." + format : "");
        try
        {
            if (_folder is null)
            {
                var upload = new DiskUpload(_setting, Pool, name, disk.SizeBytes, !_isFiles);
                return (new(disk, name, !_isFiles, format), StagedDiskWriter.Create(_setting, disk, format, upload));
            }

            var path = Path.Combine(_folder, name);
            var writer = DiskWriters.Create(path, format == "raw" ? DiskFormat.Raw : DiskFormat.Qcow2, disk.SizeBytes, Guid.NewGuid(), _setting.Time.GetUtcNow());
            return (new(disk, path, false, format), new PoolFileWriter(_setting, Pool, disk, writer, path, like ?? _folder));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw _setting.NotWritable(Pool, disk, exception);
        }
    }

    /// <summary>Makes an empty disk over something that the host's QEMU reads.</summary>
    /// <param name="backing">As QEMU names it; what is there is raw.</param>
    /// <exception cref="MachineException">The server cannot write into the pool.</exception>
    public async Task<RestoredDisk> CreateOverlayAsync(string machine, MachineDisk disk, string backing, CancellationToken cancellationToken)
    {
        if (_folder is null)
            throw new MachineException(MachineProblem.NotWritable, $"Storage pool '{Pool}' of host '{_setting.Host.Name}' is not a folder that the server can write to. A machine that runs from the vault needs one.");
        var path = Path.Combine(_folder, VolumeNames.Disk(machine, disk.Name, _run, ".qcow2"));
        try
        {
            await DiskWriters.CreateOverlayAsync(path, disk.SizeBytes, backing, cancellationToken);
            FolderChanges.CopyOwner(_folder, path);
            return new(disk, path, false, "qcow2");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw _setting.NotWritable(Pool, disk, exception);
        }
    }

    /// <summary>The disk with its path on the host, which is known for certain once it is written.</summary>
    public RestoredDisk Place(LibvirtConnection connection, RestoredDisk disk)
    {
        if (_folder is not null) return disk;
        using var pool = StoragePools.Open(connection, _setting.Host, Pool);
        using var volume = pool.FindVolume(disk.Path) ?? throw new MachineException(MachineProblem.HostFailed, $"Volume '{disk.Path}' has gone from storage pool '{Pool}' of host '{_setting.Host.Name}'.");
        return disk with { Path = volume.Path };
    }

    /// <exception cref="MachineException">The pool is not marked for this run any more: a later run of the job, or a sweep, has taken what this one has made.</exception>
    public void Require(LibvirtConnection connection)
    {
        using var pool = StoragePools.Open(connection, _setting.Host, Pool);
        using var marker = pool.FindVolume(VolumeNames.Marker(_run, _setting.Owner)) ?? throw new MachineException(MachineProblem.HostFailed, "The restore was taken over by another run of its job.");
    }

    /// <summary>Removes the mark, and of the disks those that neither a domain nor a stored resource has.</summary>
    /// <param name="known">Names of volumes that stored resources have; null: this run makes none that become resources.</param>
    /// <returns>Paths of disks that stay, as does the mark.</returns>
    public Task<IReadOnlyList<string>> EndAsync(IReadOnlySet<string>? known = null) => _setting.UseAsync(connection =>
    {
        using var pool = StoragePools.Open(connection, _setting.Host, Pool);
        return PoolSweep.Clear(connection, _setting, pool, _run, known);
    }, CancellationToken.None);

    /// <param name="isSparse">It takes room as it is written.</param>
    public static string VolumeXml(string name, long lengthBytes, bool isSparse) => new XElement("volume",
        new XElement("name", name),
        new XElement("capacity", new XAttribute("unit", "bytes"), lengthBytes),
        new XElement("allocation", new XAttribute("unit", "bytes"), isSparse ? 0 : lengthBytes),
        new XElement("target", new XElement("format", new XAttribute("type", "raw")))).ToString();

    /// <summary>The name of a volume that a run could have made, or null.</summary>
    private static string? FindDisk(LibvirtPool pool, HostRun run)
    {
        string? found = null;
        foreach (var volume in pool.ListVolumes())
        {
            using (volume)
            {
                if (VolumeNames.IsDiskOf(volume.Name, run)) found = volume.Name;
            }
        }

        return found;
    }

    /// <summary>The file is where this server sees it, and in a folder that it may write to.</summary>
    private static bool CanWrite(string marker)
    {
        try
        {
            using var file = File.OpenWrite(marker);
            return true;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
