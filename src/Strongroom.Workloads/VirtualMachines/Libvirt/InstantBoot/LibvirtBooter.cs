using Microsoft.Extensions.Logging;
using Strongroom.Backup.Machines;
using Strongroom.Workloads.VirtualMachines.Libvirt.Native;
using Strongroom.Workloads.VirtualMachines.Libvirt.Restores;
using Strongroom.Workloads.VirtualMachines.Libvirt.Storage;

namespace Strongroom.Workloads.VirtualMachines.Libvirt.InstantBoot;

/// <summary>Machines on hosts of kind <c>Libvirt</c> that run from the vault (docs/adr/0026-instant-boot.md).</summary>
/// <param name="stagingFolder">As of <see cref="LibvirtRestorer"/>; nothing is written there.</param>
/// <param name="serverId">As of <see cref="LibvirtRestorer"/>.</param>
/// <remarks>Thread-safe.</remarks>
public sealed class LibvirtBooter(ILibvirtHosts hosts, LibvirtFabric fabric, string stagingFolder, Guid serverId, TimeProvider time, ILogger<LibvirtBooter> log) : IInstantBooter
{
    /// <inheritdoc/>
    /// <remarks>The host is chosen as for a restored machine. It must be this machine: QEMU reads the disks through sockets in the host's scratch folder.</remarks>
    public async Task<IInstantBoot> BeginAsync(NewMachine machine, HostRun run, CancellationToken cancellationToken)
    {
        var group = await HostGroup.FindAsync(hosts, machine, fabric.Connections, log, cancellationToken);
        foreach (var host in group.Hosts)
        {
            var there = Setting(host);
            if (await there.UseAsync(connection => FindRun(connection, machine.VmId), cancellationToken) is { } madeBy) return new LibvirtBoot(machine, there, madeBy, null, log);
        }

        var setting = Setting(group.Target);
        if (!setting.Host.IsLocal)
            throw new MachineException(MachineProblem.NoHost, $"Host '{setting.Host.Name}' is another machine than the server. Only machines of hosts that are the server's own machine can run from the vault; restore it as a new machine instead (AlternateLocation).");
        await group.RequireFreeAsync(machine.Name, cancellationToken);
        setting.WarnOfKept(log, await setting.UseAsync(connection => HostSweep.Run(connection, setting, marked => marked.JobId == run.JobId && marked.Fence <= run.Fence, known: null), cancellationToken));
        return new LibvirtBoot(machine, setting, run, await PoolStage.BeginAsync(setting, setting.Host.DiskPool, run, cancellationToken), log);
    }

    private HostSetting Setting(LibvirtHost host) => new(host, fabric.Connections, stagingFolder, time) { ServerId = serverId };

    /// <summary>The run that has made a machine, or null where there is none.</summary>
    private static HostRun? FindRun(LibvirtConnection connection, Guid id)
    {
        using var domain = connection.FindDomain(id);
        if (domain is null) return null;
        var description = DomainDescription.Load(domain.IsPersistent ? domain.InactiveXml : domain.Xml);
        // Somebody may have taken off the metadata; then its volumes are looked after by nobody, but the machine is served all the same.
        return RestoreMetadata.Find(description)?.Run ?? new(id, 0);
    }
}
