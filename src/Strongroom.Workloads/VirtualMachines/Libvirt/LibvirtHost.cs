namespace Strongroom.Workloads.VirtualMachines.Libvirt;

/// <summary>A <c>Strongroom.Fabric/hosts</c> resource of kind <c>Libvirt</c>: each persistent domain of it is a virtual machine.</summary>
/// <param name="Id">ARM id of the host.</param>
/// <param name="SubscriptionId">Of the host, and so of its machines.</param>
/// <param name="ResourceGroup">Of the host, and so of its machines.</param>
/// <param name="Location">Of the host, and so of its machines.</param>
/// <param name="Uri">libvirt's URI, as the operator allows it, such as <c>qemu:///system</c>.</param>
/// <param name="DiskPool">Name of the storage pool that restored disks go to.</param>
/// <param name="ScratchPath">Absolute path of a folder on the host: what a machine overwrites while it is read is kept there, and the socket that it is read through.</param>
public sealed record LibvirtHost(string Id, string SubscriptionId, string ResourceGroup, string Location, string Uri, string DiskPool, string ScratchPath)
{
    /// <summary>The host is the machine that the server runs on: its files can be read and its sockets connected to.</summary>
    /// <remarks>What another transport (<c>ext</c>, <c>libssh</c>) leads to is not known, also where the URI names no host. A socket of the operator's is looked at when it is connected to (<see cref="OwnSocket"/>).</remarks>
    public bool IsLocal => new Uri(Uri) is { Host.Length: 0, Scheme: "qemu" or "qemu+unix" };

    /// <summary>The URI names a socket on this machine. What listens there may pass on to another.</summary>
    public bool HasOwnSocket => IsLocal && new Uri(Uri).Query.TrimStart('?').Split('&').Any(part => part.StartsWith("socket=", StringComparison.Ordinal));

    /// <summary>The name or address that the URI has for the host; empty for this machine.</summary>
    public string HostName => new Uri(Uri).DnsSafeHost;

    /// <summary>The last part of its id, for messages.</summary>
    public string Name => Id[(Id.LastIndexOf('/') + 1)..];

    /// <summary>Names the login for a host that asks for one; null: none.</summary>
    public string? Credentials { get; init; }

    /// <summary>The host's network for restored machines; null: as the machine had it.</summary>
    public string? Network { get; init; }

    /// <summary>A machine restored as a new one is started.</summary>
    public bool StartsRestoredMachines { get; init; }
}

/// <summary>The door to the stored host resources; filled by the composition root.</summary>
/// <remarks>Thread-safe.</remarks>
public interface ILibvirtHosts
{
    /// <summary>All hosts of kind <c>Libvirt</c> in a subscription, in any order.</summary>
    Task<IReadOnlyList<LibvirtHost>> ListAsync(string subscriptionId, CancellationToken cancellationToken);

    /// <summary>Names of the volumes of a host that stored resources of disks have: they stay whatever made them.</summary>
    Task<IReadOnlySet<string>> ListVolumesAsync(LibvirtHost host, CancellationToken cancellationToken);

    /// <summary>User name and password of a login by its name, or null when there is none of that name.</summary>
    (string UserName, string Password)? FindLogin(string name);
}
