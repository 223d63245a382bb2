using Microsoft.Extensions.Logging;
using Strongroom.Backup.Machines;
using Strongroom.Workloads.VirtualMachines.Folder;
using Strongroom.Workloads.VirtualMachines.Libvirt.Native;

namespace Strongroom.Workloads.VirtualMachines.Libvirt.Restores;

/// <summary>Restores machines onto hosts of kind <c>Libvirt</c> (docs/adr/0027-restores-onto-libvirt-hosts.md).</summary>
/// <param name="stagingFolder">Folder of this server, of this class alone, for disks on their way to hosts whose pools it cannot write into. What is in it at a start is removed.</param>
/// <remarks>Thread-safe.</remarks>
public sealed class LibvirtRestorer(ILibvirtHosts hosts, LibvirtFabric fabric, string stagingFolder, TimeProvider time, ILogger<LibvirtRestorer> log) : IMachineRestorer
{
    private readonly LibvirtConnections _connections = fabric.Connections;

    /// <inheritdoc/>
    /// <remarks>The host is the source's own where it is in the wanted group, else the first of the group by id, in the source's location.</remarks>
    public async Task<IMachineRestore> CreateAsync(NewMachine machine, HostRun run, CancellationToken cancellationToken)
    {
        if (!MachineNames.IsValid(machine.Name)) throw new MachineException(MachineProblem.NotWritable, $"'{machine.Name}' is not a valid name of a virtual machine.");
        var candidates = (await hosts.ListAsync(machine.SubscriptionId, cancellationToken))
            .Where(host => Same(host.ResourceGroup, machine.ResourceGroup))
            .OrderBy(host => Same(host.Id, machine.Source.HostId) ? 0 : 1).ThenBy(host => host.Id, StringComparer.OrdinalIgnoreCase).ToList();
        var setting = Setting(candidates.FirstOrDefault(host => Same(host.Location, machine.Source.Location))
            ?? throw new MachineException(MachineProblem.NoHost, $"Resource group '{machine.ResourceGroup}' has no host in '{machine.Source.Location}' that could take the machine."));
        if (await setting.UseAsync(connection => EndIfCommitted(connection, setting.Host, machine), cancellationToken)) return CommittedRestore.Instance;
        foreach (var host in candidates) await RequireFreeAsync(host, machine.Name, isTarget: host == setting.Host, cancellationToken);
        await setting.UseAsync(connection => HostSweep.Run(connection, marked => marked.JobId == run.JobId && marked.Fence <= run.Fence), cancellationToken);
        return new LibvirtCreation(machine, setting, await PoolStage.BeginAsync(setting, setting.Host.DiskPool, run, cancellationToken), run, log);
    }

    /// <inheritdoc/>
    public async Task<IMachineRestore> ReplaceAsync(VirtualMachine machine, HostRun run, CancellationToken cancellationToken)
    {
        var host = (await hosts.ListAsync(machine.SubscriptionId, cancellationToken)).FirstOrDefault(host => Same(host.Id, machine.HostId))
            ?? throw new MachineException(MachineProblem.NotFound, $"The host of virtual machine '{machine.Name}' does not exist any more.");
        var setting = Setting(host);
        var isCommitted = await setting.UseAsync(connection =>
        {
            HostSweep.Run(connection, marked => marked.JobId == run.JobId && marked.Fence <= run.Fence);
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
                await _connections.UseAsync(host, connection => HostSweep.Run(connection, static _ => true), cancellationToken);
            }
            catch (MachineException exception)
            {
                log.LogWarning(exception, "What restores may have left on host '{Host}' could not be removed", host.Id);
            }
        }
    }

    private HostSetting Setting(LibvirtHost host) => new(host, _connections, stagingFolder, time);

    /// <summary>Whether an earlier run of the job has made the machine; what it did not come to is done.</summary>
    private static bool EndIfCommitted(LibvirtConnection connection, LibvirtHost host, NewMachine machine)
    {
        // Its id is the job's.
        using var made = connection.FindDomain(machine.VmId);
        if (made is null) return false;
        HostSweep.Run(connection, marked => marked.JobId == machine.VmId);
        if (host.StartsRestoredMachines && !made.IsActive) made.Start();
        return true;
    }

    /// <summary>No host of the group has a machine of the name. One that is not restored onto, and cannot be reached, is taken not to.</summary>
    private async Task RequireFreeAsync(LibvirtHost host, string name, bool isTarget, CancellationToken cancellationToken)
    {
        try
        {
            if (await _connections.UseAsync(host, connection => HasDomain(connection, name), cancellationToken))
                throw new MachineException(MachineProblem.NameTaken, $"Resource group '{host.ResourceGroup}' has a virtual machine '{name}' already.");
        }
        catch (MachineException exception) when (!isTarget && exception.Problem is MachineProblem.HostUnreachable or MachineProblem.HostFailed)
        {
            log.LogWarning(exception, "Host '{Host}' cannot be asked whether it has a machine '{Machine}'", host.Id, name);
        }
    }

    private static bool HasDomain(LibvirtConnection connection, string name)
    {
        var names = connection.ListDomains().Select(domain =>
        {
            using (domain) return domain.Name;
        });
        return names.ToList().Any(taken => Same(taken, name));
    }

    private static bool Same(string left, string right) => left.Equals(right, StringComparison.OrdinalIgnoreCase);
}
