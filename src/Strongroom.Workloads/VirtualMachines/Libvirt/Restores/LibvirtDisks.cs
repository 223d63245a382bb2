using Microsoft.Extensions.Logging;
using Strongroom.Backup.Machines;
using Strongroom.Blocks;
using Strongroom.Workloads.VirtualMachines.Libvirt.Native;
using Strongroom.Workloads.VirtualMachines.Libvirt.Storage;

namespace Strongroom.Workloads.VirtualMachines.Libvirt.Restores;

/// <summary>Disks in a host's pool that no domain has. What a domain's definition is to a new machine, their stored resources are to them (docs/adr/0030-restored-disks-in-pools.md).</summary>
internal sealed class LibvirtDisks(string machine, HostSetting setting, PoolStage stage, ILibvirtHosts hosts, ILogger log) : IDiskRestore
{
    private readonly List<RestoredDisk> _disks = [];

    public Task<IDiskWriter> CreateDiskAsync(MachineDisk disk, CancellationToken cancellationToken)
    {
        var (restored, writer) = stage.CreateDisk(machine, disk, disk.Format, like: null);
        _disks.Add(restored);
        return Task.FromResult(writer);
    }

    public Task<IReadOnlyDictionary<int, HostVolume>> FinishAsync(CancellationToken cancellationToken) => setting.UseAsync<IReadOnlyDictionary<int, HostVolume>>(connection =>
    {
        stage.Require(connection);
        return _disks.ToDictionary(disk => disk.Disk.Lun, disk => Find(connection, stage.Place(connection, disk)));
    }, cancellationToken);

    /// <summary>Removes the mark, and the disks whose resources were not stored. Whether they were is looked up: a database that failed may have stored them all the same.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            setting.WarnOfKept(log, await stage.EndAsync(await hosts.ListVolumesAsync(setting.Host, CancellationToken.None)));
        }
        catch (Exception exception)
        {
            log.LogWarning(exception, "What the restore of disks of '{Machine}' has left in storage pool '{Pool}' is removed at the server's next start", machine, stage.Pool);
        }
    }

    private HostVolume Find(LibvirtConnection connection, RestoredDisk disk)
    {
        using var volume = StoragePools.FindVolume(connection, disk.Path)
            ?? throw new MachineException(MachineProblem.HostFailed, $"Disk '{disk.Disk.Name}' has gone from storage pool '{stage.Pool}' of host '{setting.Host.Name}'.");
        return new(setting.Host.Id, stage.Pool, volume.Name, disk.Path, disk.Format);
    }
}
