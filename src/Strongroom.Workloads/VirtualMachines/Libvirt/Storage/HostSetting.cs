using Microsoft.Extensions.Logging;
using Strongroom.Backup.Machines;
using Strongroom.Workloads.VirtualMachines.Libvirt.Native;

namespace Strongroom.Workloads.VirtualMachines.Libvirt.Storage;

/// <summary>A host that is restored onto, and what the server has for it.</summary>
/// <param name="StagingFolder">Folder of this server for disks that are sent to a host when they are whole.</param>
internal sealed record HostSetting(LibvirtHost Host, LibvirtConnections Connections, string StagingFolder, TimeProvider Time)
{
    /// <summary>Of this server, for the marks that it leaves in pools.</summary>
    public Guid ServerId { get; init; }

    /// <inheritdoc cref="VolumeNames.Owner"/>
    public string Owner => VolumeNames.Owner(ServerId, Host);

    /// <inheritdoc cref="LibvirtConnections.UseAsync{T}"/>
    public Task<T> UseAsync<T>(Func<LibvirtConnection, T> work, CancellationToken cancellationToken) => Connections.UseAsync(Host, work, cancellationToken);

    /// <inheritdoc cref="LibvirtConnections.UseAsync{T}"/>
    public Task UseAsync(Action<LibvirtConnection> work, CancellationToken cancellationToken) => Connections.UseAsync(Host, work, cancellationToken);

    /// <summary>Makes something in a pool; what libvirt refuses is the pool's fault.</summary>
    public T Writing<T>(string pool, Func<T> work)
    {
        try
        {
            return work();
        }
        catch (LibvirtException exception) when (!exception.IsOfConnection)
        {
            throw new MachineException(MachineProblem.NotWritable, $"Storage pool '{pool}' of host '{Host.Name}' cannot be written: {exception.Message}", exception);
        }
    }

    /// <summary>Tells the operator of disks that a restore has left, and that stay.</summary>
    public void WarnOfKept(ILogger log, IReadOnlyList<string> paths)
    {
        foreach (var path in paths) log.LogWarning("'{Path}' of host '{Host}', which a restore has left, is kept: a disk of the host cannot be read, and may be made over it", path, Host.Id);
    }

    public MachineException NotWritable(string pool, MachineDisk disk, Exception exception) =>
        new(MachineProblem.NotWritable, $"Disk '{disk.Name}' cannot be written into storage pool '{pool}' of host '{Host.Name}': {exception.Message}", exception);
}
