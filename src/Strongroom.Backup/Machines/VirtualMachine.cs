using System.Collections.Immutable;

namespace Strongroom.Backup.Machines;

/// <summary>A virtual machine found on a host, as <c>Microsoft.Compute/virtualMachines</c> shows it.</summary>
public sealed record VirtualMachine
{
    public required string SubscriptionId { get; init; }

    /// <summary>The resource group of the host that the machine was found on.</summary>
    public required string ResourceGroup { get; init; }

    /// <summary>The name; unique in its resource group, compared without regard to case.</summary>
    public required string Name { get; init; }

    /// <summary>The location of its host; a vault protects only machines of its own location.</summary>
    public required string Location { get; init; }

    /// <summary>The id of the machine itself, the same for as long as it lives on its host.</summary>
    public required Guid VmId { get; init; }

    /// <summary>ARM id of the <c>Strongroom.Fabric/hosts</c> resource that it was found on.</summary>
    public required string HostId { get; init; }

    /// <summary>The host's kind, such as <c>Folder</c> or <c>Libvirt</c>.</summary>
    public string HostKind { get; init => field = value ?? "Folder"; } = "Folder";

    /// <summary>Whether it runs, in Azure's words (<c>running</c>, <c>stopped</c>); null where its host cannot tell.</summary>
    public string? PowerState { get; init; }

    /// <summary><c>Linux</c> or <c>Windows</c>.</summary>
    public string OsType { get; init => field = value ?? "Linux"; } = "Linux";

    /// <summary>The size's name, such as <c>Standard_B2s</c>; free text, for people and templates.</summary>
    public string Size { get; init => field = value ?? "Standard_B2s"; } = "Standard_B2s";

    public ImmutableSortedDictionary<string, string> Tags { get; init => field = value ?? ImmutableSortedDictionary<string, string>.Empty; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>The disks in LUN order; the operating system's disk has <see cref="MachineDisk.IsOs"/>.</summary>
    public required ImmutableArray<MachineDisk> Disks { get; init; }

    /// <summary>The network interfaces, in order.</summary>
    public ImmutableArray<MachineNetwork> Networks { get; init => field = value.IsDefault ? [] : value; } = [];

    /// <summary>The host's own description of the machine, from which the same kind of host can make it again; null where there is none. May hold secrets: it is kept in the vault and never shown.</summary>
    public string? Definition { get; init; }

    /// <summary>What keeps this machine from being backed up (an unreadable disk, a broken description), or null.</summary>
    public string? Problem { get; init; }

    public string ResourceId => $"/subscriptions/{SubscriptionId}/resourceGroups/{ResourceGroup}/providers/Microsoft.Compute/virtualMachines/{Name}";
}

/// <summary>A disk of a virtual machine.</summary>
/// <param name="Lun">-1 for the operating system's disk, as Azure Backup numbers it; data disks count from 0.</param>
/// <param name="Name">Unique in the machine; the file's name without its extension for a folder's machine.</param>
/// <param name="SizeBytes">The virtual size in bytes, as the guest sees it; 0 when it could not be read.</param>
/// <param name="Format"><c>raw</c>, <c>qcow2</c> or <c>vhd</c>.</param>
public sealed record MachineDisk(int Lun, string Name, long SizeBytes, string Format)
{
    public bool IsOs => Lun < 0;
}

/// <summary>A network interface of a virtual machine.</summary>
/// <param name="MacAddress">Such as <c>52:54:00:12:34:56</c>.</param>
/// <param name="Network">The host's name of the network or bridge it is connected to, or null.</param>
/// <param name="Model">Such as <c>virtio</c>, or null.</param>
public sealed record MachineNetwork(string MacAddress, string? Network, string? Model);
