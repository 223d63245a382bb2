using System.Xml.Linq;
using Microsoft.Extensions.Logging;
using Strongroom.Backup.Machines;
using Strongroom.Blocks;
using Strongroom.Workloads.VirtualMachines.Libvirt.Native;

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
            await stage.EndAsync();
        }
        catch (MachineException exception)
        {
            log.LogWarning(exception, "What the restore of '{Machine}' has left in storage pool '{Pool}' is removed at the server's next start", wanted.Name, stage.Pool);
        }
    }

    /// <summary>The host's network for a new machine: the host's own setting, else that of the request where the host has one of its name; null: as the machine had it.</summary>
    public static string? NetworkOf(LibvirtHost host, NewMachine wanted, IReadOnlyList<string> networks)
    {
        if (host.Network is { } set) return set;
        var asked = new[] { wanted.SubnetId, wanted.VirtualNetworkId }.OfType<string>().SelectMany(id => id.Split('/').Reverse());
        return asked.Select(name => networks.FirstOrDefault(network => network.Equals(name, StringComparison.OrdinalIgnoreCase))).FirstOrDefault(found => found is not null);
    }

    private void Define(LibvirtConnection connection)
    {
        stage.Require(connection);
        var domain = Describe(connection, [.. _disks.Select(disk => stage.Place(connection, disk))]);
        new RestoreMetadata(run, []).Write(domain);
        try
        {
            using var defined = connection.DefineDomain(domain.ToString());
        }
        catch (LibvirtException exception) when (!exception.IsOfConnection)
        {
            using var other = connection.FindDomain(wanted.Name);
            throw other is not null && other.Id != wanted.VmId
                ? new MachineException(MachineProblem.NameTaken, $"Host '{setting.Host.Name}' has a virtual machine '{wanted.Name}' already.", exception)
                : new MachineException(MachineProblem.HostFailed, $"Host '{setting.Host.Name}' does not take the machine: {exception.Message}", exception);
        }
    }

    private XElement Describe(LibvirtConnection connection, IReadOnlyCollection<RestoredDisk> disks)
    {
        var networks = connection.ListNetworks();
        var network = NetworkOf(setting.Host, wanted, networks);
        if (wanted.Source.HostKind != LibvirtFabric.Kind || wanted.Source.Definition is not { } definition)
            return DefaultDomain.Make(wanted, disks, network ?? (networks.Contains("default") ? "default" : networks.Count > 0 ? networks[0] : null), connection.Capabilities);
        try
        {
            return NewDomain.Make(definition, wanted, disks, network, isOwnHost: setting.Host.Id.Equals(wanted.Source.HostId, StringComparison.OrdinalIgnoreCase));
        }
        catch (InvalidDataException exception)
        {
            throw new MachineException(MachineProblem.BadDescription, $"What the recovery point holds of the machine cannot be understood: {exception.Message}", exception);
        }
    }

    private void Start(LibvirtConnection connection)
    {
        using var domain = setting.Host.StartsRestoredMachines ? connection.FindDomain(wanted.VmId) : null;
        if (domain is { IsActive: false }) domain.Start();
    }
}
