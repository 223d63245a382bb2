using Microsoft.Extensions.Logging;
using Strongroom.Backup.Machines;
using Strongroom.Blocks;
using Strongroom.Workloads.VirtualMachines.Libvirt.Native;
using Strongroom.Workloads.VirtualMachines.Libvirt.Storage;

namespace Strongroom.Workloads.VirtualMachines.Libvirt.Restores;

/// <summary>A new domain: its disks first, the domain last. With its definition the machine is there, whole.</summary>
internal sealed class LibvirtCreation(NewMachine wanted, HostSetting setting, PoolStage stage, HostRun run, ILogger log) : IMachineRestore
{
    private readonly List<RestoredDisk> _disks = [];
    private readonly List<string> _notes = [];

    public bool IsCommitted => false;

    public IReadOnlyList<string> Notes => _notes;

    public Task<IDiskWriter> CreateDiskAsync(MachineDisk disk, CancellationToken cancellationToken)
    {
        var (restored, writer) = stage.CreateDisk(wanted.Name, disk, disk.Format, like: null);
        _disks.Add(restored);
        return Task.FromResult(writer);
    }

    public async Task CommitAsync(CancellationToken cancellationToken)
    {
        await setting.UseAsync(Define, cancellationToken);
        try
        {
            await setting.UseAsync(Start, CancellationToken.None);
        }
        catch (MachineException exception)
        {
            log.LogWarning(exception, "The restored machine '{Machine}' is there, but was not started", wanted.Name);
            _notes.Add($"The machine was not started: {exception.Message}");
        }
    }

    /// <summary>Removes what no domain has: all that was written, unless the domain was defined.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            setting.WarnOfKept(log, await stage.EndAsync());
        }
        catch (MachineException exception)
        {
            log.LogWarning(exception, "What the restore of '{Machine}' has left in storage pool '{Pool}' is removed at the server's next start", wanted.Name, stage.Pool);
        }
    }

    private void Define(LibvirtConnection connection)
    {
        stage.Require(connection);
        MachineDefinition.Define(connection, setting.Host, wanted, [.. _disks.Select(disk => stage.Place(connection, disk))], new(run, []));
    }

    private void Start(LibvirtConnection connection)
    {
        using var domain = setting.Host.StartsRestoredMachines ? connection.FindDomain(wanted.VmId) : null;
        if (domain is { IsActive: false }) domain.Start();
    }
}
