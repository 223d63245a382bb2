using System.Xml.Linq;
using Strongroom.Backup.Machines;
using Strongroom.Workloads.VirtualMachines.Libvirt.Native;

namespace Strongroom.Workloads.VirtualMachines.Libvirt.Restores;

/// <summary>Makes the domain of a new machine, whose disks are there.</summary>
internal static class MachineDefinition
{
    /// <param name="change">Changes the description at last.</param>
    /// <exception cref="MachineException">The name is taken, or the host does not take the description.</exception>
    public static void Define(
        LibvirtConnection connection, LibvirtHost host, NewMachine wanted, IReadOnlyCollection<RestoredDisk> disks, RestoreMetadata restore, Action<XElement>? change = null)
    {
        var domain = Describe(connection, host, wanted, disks);
        restore.Write(domain);
        change?.Invoke(domain);
        try
        {
            using var defined = connection.DefineDomain(domain.ToString());
        }
        catch (LibvirtException exception) when (!exception.IsOfConnection)
        {
            using var other = connection.FindDomain(wanted.Name);
            throw other is not null && other.Id != wanted.VmId
                ? new MachineException(MachineProblem.NameTaken, $"Host '{host.Name}' has a virtual machine '{wanted.Name}' already.", exception)
                : new MachineException(MachineProblem.HostFailed, $"Host '{host.Name}' does not take the machine: {exception.Message}", exception);
        }
    }

    /// <summary>The host's network for a new machine: the host's own setting, else that of the request where the host has one of its name; null: as the machine had it.</summary>
    private static string? NetworkOf(LibvirtHost host, NewMachine wanted, IReadOnlyList<string> networks)
    {
        if (host.Network is { } set) return set;
        var asked = new[] { wanted.SubnetId, wanted.VirtualNetworkId }.OfType<string>().SelectMany(id => id.Split('/').Reverse());
        return asked.Select(name => networks.FirstOrDefault(network => network.Equals(name, StringComparison.OrdinalIgnoreCase))).FirstOrDefault(found => found is not null);
    }

    private static XElement Describe(LibvirtConnection connection, LibvirtHost host, NewMachine wanted, IReadOnlyCollection<RestoredDisk> disks)
    {
        var networks = connection.ListNetworks();
        var network = NetworkOf(host, wanted, networks);
        if (wanted.Source.HostKind != LibvirtFabric.Kind || wanted.Source.Definition is not { } definition)
            return DefaultDomain.Make(wanted, disks, network ?? (networks.Contains("default") ? "default" : networks.Count > 0 ? networks[0] : null), connection.Capabilities);
        try
        {
            return NewDomain.Make(definition, wanted, disks, network, isOwnHost: host.Id.Equals(wanted.Source.HostId, StringComparison.OrdinalIgnoreCase));
        }
        catch (InvalidDataException exception)
        {
            throw new MachineException(MachineProblem.BadDescription, $"What the recovery point holds of the machine cannot be understood: {exception.Message}", exception);
        }
    }
}
