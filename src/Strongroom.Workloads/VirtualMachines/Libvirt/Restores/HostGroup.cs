using Microsoft.Extensions.Logging;
using Strongroom.Arm;
using Strongroom.Backup.Machines;
using Strongroom.Workloads.VirtualMachines.Libvirt.Native;

namespace Strongroom.Workloads.VirtualMachines.Libvirt.Restores;

/// <summary>The hosts of a resource group, of which one gets a new machine, or disks.</summary>
internal sealed class HostGroup
{
    private readonly LibvirtConnections _connections;
    private readonly ILogger _log;

    private HostGroup(LibvirtHost target, IReadOnlyList<LibvirtHost> hosts, LibvirtConnections connections, ILogger log) => (Target, Hosts, _connections, _log) = (target, hosts, connections, log);

    /// <summary>The source's own host where it is in the wanted group, else the first of the group by id, in the source's location.</summary>
    public LibvirtHost Target { get; }

    /// <summary>All hosts of the group.</summary>
    public IReadOnlyList<LibvirtHost> Hosts { get; }

    /// <exception cref="MachineException">The name cannot be that of a machine, or no host can take it.</exception>
    public static async Task<HostGroup> FindAsync(ILibvirtHosts hosts, NewMachine machine, LibvirtConnections connections, ILogger log, CancellationToken cancellationToken)
    {
        if (!ResourceNames.IsMachine(machine.Name)) throw new MachineException(MachineProblem.NotWritable, $"'{machine.Name}' is not a valid name of a virtual machine.");
        var candidates = await ListAsync(hosts, machine.SubscriptionId, machine.ResourceGroup, machine.Source, cancellationToken);
        var target = candidates.FirstOrDefault(host => Same(host.Location, machine.Source.Location))
            ?? throw new MachineException(MachineProblem.NoHost, $"Resource group '{machine.ResourceGroup}' has no host in '{machine.Source.Location}' that could take the machine.");
        return new(target, candidates, connections, log);
    }

    /// <summary>The host that gets disks without a machine, chosen as for a machine; null: the group has none in the source's location.</summary>
    public static async Task<LibvirtHost?> FindTargetAsync(ILibvirtHosts hosts, NewDisks disks, CancellationToken cancellationToken) =>
        (await ListAsync(hosts, disks.SubscriptionId, disks.ResourceGroup, disks.Source, cancellationToken)).FirstOrDefault(host => Same(host.Location, disks.Source.Location));

    /// <summary>Nothing, where no host of the group has a machine of the name.</summary>
    /// <exception cref="MachineException">One has.</exception>
    public async Task RequireFreeAsync(string name, CancellationToken cancellationToken)
    {
        foreach (var host in Hosts) await RequireFreeAsync(host, name, cancellationToken);
    }

    /// <summary>One that is not restored onto, and cannot be reached, is taken not to.</summary>
    private async Task RequireFreeAsync(LibvirtHost host, string name, CancellationToken cancellationToken)
    {
        try
        {
            if (await _connections.UseAsync(host, connection => HasDomain(connection, name), cancellationToken))
                throw new MachineException(MachineProblem.NameTaken, $"Resource group '{host.ResourceGroup}' has a virtual machine '{name}' already.");
        }
        catch (MachineException exception) when (host != Target && exception.Problem is MachineProblem.HostUnreachable or MachineProblem.HostFailed)
        {
            _log.LogWarning(exception, "Host '{Host}' cannot be asked whether it has a machine '{Machine}'", host.Id, name);
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

    private static async Task<IReadOnlyList<LibvirtHost>> ListAsync(ILibvirtHosts hosts, string subscriptionId, string resourceGroup, VirtualMachine source, CancellationToken cancellationToken) =>
        [.. (await hosts.ListAsync(subscriptionId, cancellationToken))
            .Where(host => Same(host.ResourceGroup, resourceGroup))
            .OrderBy(host => Same(host.Id, source.HostId) ? 0 : 1).ThenBy(host => host.Id, StringComparer.OrdinalIgnoreCase)];

    private static bool Same(string left, string right) => left.Equals(right, StringComparison.OrdinalIgnoreCase);
}
