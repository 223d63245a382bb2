using Microsoft.Extensions.Logging;
using Strongroom.Backup.Machines;
using Strongroom.Workloads.VirtualMachines.Libvirt.Native;
using Strongroom.Workloads.VirtualMachines.Libvirt.Storage;

namespace Strongroom.Workloads.VirtualMachines.Libvirt.Restores;

/// <summary>Restores machines, and disks alone, onto hosts of kind <c>Libvirt</c> (docs/adr/0029-restores-onto-libvirt-hosts.md, docs/adr/0030-restored-disks-in-pools.md).</summary>
/// <param name="stagingFolder">Folder of this server, of this class alone, for disks on their way to hosts whose pools it cannot write into. What is in it at a start is removed.</param>
/// <param name="serverId">Another for each server, and the same after each start: the server removes only what it has left itself.</param>
/// <remarks>Thread-safe.</remarks>
public sealed class LibvirtRestorer(ILibvirtHosts hosts, LibvirtFabric fabric, string stagingFolder, Guid serverId, TimeProvider time, ILogger<LibvirtRestorer> log) : IMachineRestorer, IDiskRestorer
{
    private readonly LibvirtConnections _connections = fabric.Connections;

    /// <inheritdoc/>
    /// <remarks>The host is the source's own where it is in the wanted group, else the first of the group by id, in the source's location.</remarks>
    public async Task<IMachineRestore> CreateAsync(NewMachine machine, HostRun run, CancellationToken cancellationToken)
    {
        var group = await HostGroup.FindAsync(hosts, machine, _connections, log, cancellationToken);
        var setting = Setting(group.Target);
        if (await setting.UseAsync(connection => EndIfCommitted(connection, setting, machine), cancellationToken)) return CommittedRestore.Instance;
        await group.RequireFreeAsync(machine.Name, cancellationToken);
        setting.WarnOfKept(log, await setting.UseAsync(connection => HostSweep.Run(connection, setting, marked => marked.JobId == run.JobId && marked.Fence <= run.Fence, known: null), cancellationToken));
        return new LibvirtCreation(machine, setting, await PoolStage.BeginAsync(setting, setting.Host.DiskPool, run, cancellationToken), run, log);
    }

    /// <inheritdoc/>
    /// <remarks>The host is chosen as for a new machine.</remarks>
    public async Task<IDiskRestore?> CreateDisksAsync(NewDisks disks, HostRun run, CancellationToken cancellationToken)
    {
        if (await HostGroup.FindTargetAsync(hosts, disks, cancellationToken) is not { } host) return null;
        var setting = Setting(host);
        var known = await hosts.ListVolumesAsync(host, cancellationToken);
        setting.WarnOfKept(log, await setting.UseAsync(connection => HostSweep.Run(connection, setting, marked => marked.JobId == run.JobId && marked.Fence <= run.Fence, known), cancellationToken));
        return new LibvirtDisks(disks.Source.Name, setting, await PoolStage.BeginAsync(setting, host.DiskPool, run, cancellationToken), hosts, log);
    }

    /// <inheritdoc/>
    public async Task<IMachineRestore> ReplaceAsync(VirtualMachine machine, HostRun run, CancellationToken cancellationToken)
    {
        var host = (await hosts.ListAsync(machine.SubscriptionId, cancellationToken)).FirstOrDefault(host => Same(host.Id, machine.HostId))
            ?? throw new MachineException(MachineProblem.NotFound, $"The host of virtual machine '{machine.Name}' does not exist any more.");
        var setting = Setting(host);
        var isCommitted = await setting.UseAsync(connection =>
        {
            HostSweep.Run(connection, setting, marked => marked.JobId == run.JobId && marked.Fence <= run.Fence, known: null);
            using var domain = connection.FindDomain(machine.VmId);
            return domain is not null && RestoreMetadata.Find(DomainDescription.Load(domain.InactiveXml))?.Run.JobId == run.JobId;
        }, cancellationToken);
        return isCommitted ? CommittedRestore.Instance : await LibvirtReplacement.BeginAsync(machine, setting, run, log, cancellationToken);
    }

    /// <inheritdoc/>
    public async Task SweepAsync(string subscriptionId, CancellationToken cancellationToken)
    {
        if (Directory.Exists(stagingFolder))
        {
            foreach (var file in Directory.GetFiles(stagingFolder)) File.Delete(file);
        }

        foreach (var host in await hosts.ListAsync(subscriptionId, cancellationToken))
        {
            try
            {
                var setting = Setting(host);
                var known = await hosts.ListVolumesAsync(host, cancellationToken);
                setting.WarnOfKept(log, await setting.UseAsync(connection => HostSweep.Run(connection, setting, static _ => true, known), cancellationToken));
            }
            catch (MachineException exception)
            {
                log.LogWarning(exception, "What restores may have left on host '{Host}' could not be removed", host.Id);
            }
        }
    }

    private HostSetting Setting(LibvirtHost host) => new(host, _connections, stagingFolder, time) { ServerId = serverId };

    /// <summary>Whether an earlier run of the job has made the machine; what it did not come to is done.</summary>
    private static bool EndIfCommitted(LibvirtConnection connection, HostSetting setting, NewMachine machine)
    {
        // Its id is the job's.
        using var made = connection.FindDomain(machine.VmId);
        if (made is null) return false;
        HostSweep.Run(connection, setting, marked => marked.JobId == machine.VmId, known: null);
        if (setting.Host.StartsRestoredMachines && !made.IsActive) made.Start();
        return true;
    }

    private static bool Same(string left, string right) => left.Equals(right, StringComparison.OrdinalIgnoreCase);
}
