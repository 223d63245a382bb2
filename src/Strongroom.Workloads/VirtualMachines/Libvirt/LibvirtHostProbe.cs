using Strongroom.Backup.Machines;

namespace Strongroom.Workloads.VirtualMachines.Libvirt;

/// <summary>Asks a host's libvirt something small, over the connection that everybody uses.</summary>
public sealed class LibvirtHostProbe(ILibvirtHosts hosts, LibvirtFabric fabric) : IHostProbe
{
    /// <inheritdoc/>
    public string Kind => LibvirtFabric.Kind;

    /// <inheritdoc/>
    public async Task ProbeAsync(string subscriptionId, string hostId, CancellationToken cancellationToken)
    {
        var host = (await hosts.ListAsync(subscriptionId, cancellationToken)).FirstOrDefault(h => h.Id.Equals(hostId, StringComparison.OrdinalIgnoreCase))
            ?? throw new MachineException(MachineProblem.HostUnreachable, "The server's operator does not allow this host.");
        // No domain has this id; that libvirt says so is the answer.
        await fabric.Connections.UseAsync(host, static connection => connection.FindDomain(Guid.Parse("00000000-0000-4000-8000-000000000000")), cancellationToken);
    }
}
