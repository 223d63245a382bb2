using System.Collections.Immutable;
using System.Globalization;
using Strongroom.Arm;
using Strongroom.Backup.Machines;
using Strongroom.Blocks;
using Strongroom.Blocks.Qcow2;
using Strongroom.Workloads.VirtualMachines.Libvirt.Native;
using Strongroom.Workloads.VirtualMachines.Libvirt.Restores;

namespace Strongroom.Workloads.VirtualMachines.Libvirt;

/// <summary>A domain of a host, with what the machine is to its owner.</summary>
/// <param name="Machine">As the wire shows it.</param>
/// <param name="Host">Where it was found.</param>
/// <param name="Domain">The description as it is now; its disks are in the order of <see cref="VirtualMachine.Disks"/>.</param>
internal sealed record LibvirtMachine(VirtualMachine Machine, LibvirtHost Host, DomainDescription Domain);

/// <summary>Looks at the domains of a host. Blocks.</summary>
internal static class LibvirtMachines
{
    /// <summary>What the name of a domain that is booted for a verification begins with; 32 hexadecimal digits follow.</summary>
    public const string VerificationPrefix = "strongroom-verify-";

    /// <summary>Azure's word for the state of a machine that does not run.</summary>
    public const string Off = "deallocated";

    public static IReadOnlyList<LibvirtMachine> List(LibvirtConnection connection, LibvirtHost host, Action<string> warn)
    {
        var machines = new List<LibvirtMachine>();
        foreach (var domain in connection.ListDomains())
        {
            using (domain)
            {
                try
                {
                    if (Look(domain, host, warn) is { } machine) machines.Add(machine);
                }
                catch (LibvirtException exception) when (exception.Code == LibvirtException.NoDomain)
                {
                    // It went while we looked.
                }
            }
        }

        return machines;
    }

    /// <summary>What a domain is, or null when it is none that can be a machine.</summary>
    /// <exception cref="LibvirtException">The domain is gone, or the host is.</exception>
    public static LibvirtMachine? Look(LibvirtDomain domain, LibvirtHost host, Action<string> warn)
    {
        var name = domain.Name;
        if (IsVerification(name)) return null;
        if (!ResourceNames.IsMachine(name))
        {
            warn($"Domain '{name}' of host '{host.Id}' is left out: its name cannot be that of a virtual machine.");
            return null;
        }

        DomainDescription description;
        bool isServed;
        try
        {
            var xml = domain.Xml;
            description = DomainDescription.Parse(xml);
            isServed = RestoreMetadata.Find(DomainDescription.Load(xml)) is { IsServed: true };
        }
        catch (InvalidDataException exception)
        {
            warn($"Domain '{name}' of host '{host.Id}' is left out: {exception.Message}");
            return null;
        }

        var numbers = DiskNumbers(description);
        var problems = new List<string>();
        var disks = description.Disks.Select(disk => (Disk: disk, Machine: new MachineDisk(numbers[disk.Target], disk.Target, SizeBytes(domain, disk, isServed, problems), disk.Format)))
            .OrderBy(pair => pair.Machine.Lun).ToList();
        var machine = new VirtualMachine
        {
            SubscriptionId = host.SubscriptionId,
            ResourceGroup = host.ResourceGroup,
            Name = name,
            Location = host.Location,
            VmId = description.Id,
            HostId = host.Id,
            HostKind = LibvirtFabric.Kind,
            PowerState = PowerState(domain.State),
            OsType = description.OsId is { } os && (os.Contains("microsoft", StringComparison.OrdinalIgnoreCase) || os.Contains("windows", StringComparison.OrdinalIgnoreCase)) ? "Windows" : "Linux",
            Size = string.Create(CultureInfo.InvariantCulture, $"Libvirt_{description.Processors}_{description.MemoryMebibytes}"),
            Disks = [.. disks.Select(pair => pair.Machine)],
            Networks = [.. description.Interfaces.Select(nic => new MachineNetwork(nic.Mac, nic.Network, nic.Model))],
            Problem = problems.Count > 0 ? string.Join(" ", problems) : null,
        };
        return new(machine, host, description with { Disks = [.. disks.Select(pair => pair.Disk)] });
    }

    private static bool IsVerification(string name) => name.StartsWith(VerificationPrefix, StringComparison.Ordinal) && Guid.TryParseExact(name.AsSpan(VerificationPrefix.Length), "N", out _);

    /// <summary>
    /// LUNs by target: the operating system's disk is -1, others count by their letter, so that a disk keeps its number when another is removed. Where the
    /// targets are not of one kind (<c>vda</c>, <c>sdb</c>) they count in their order.
    /// </summary>
    internal static ImmutableDictionary<string, int> DiskNumbers(DomainDescription domain)
    {
        if (domain.Disks.Length == 0) return ImmutableDictionary<string, int>.Empty;
        var targets = domain.Disks.OrderBy(disk => disk.Target.Length).ThenBy(disk => disk.Target, StringComparer.Ordinal).Select(disk => disk.Target).ToList();
        var system = domain.Disks.Where(disk => disk.BootOrder is not null).MinBy(disk => disk.BootOrder)?.Target ?? targets[0];
        var isOneKind = targets.All(target => target.Length >= 3 && target[..2] == targets[0][..2] && target[2..].All(char.IsAsciiLetterLower)) && system == targets[0];
        var data = targets.Where(target => target != system).ToList();
        return data.Select((target, index) => KeyValuePair.Create(target, isOneKind ? Letter(target) - Letter(system) - 1 : index)).Append(KeyValuePair.Create(system, -1)).ToImmutableDictionary();
    }

    /// <summary>a is 0, z 25, aa 26.</summary>
    private static int Letter(string target) => target[2..].Aggregate(0, (number, letter) => (number * 26) + (letter - 'a' + 1)) - 1;

    /// <param name="isServed">
    /// The domain runs from the vault: then its image says how large its disk is, since libvirt would ask QEMU for all its block nodes, of which QEMU 7.2 dies while
    /// a block pull begins or ends (docs/adr/0026-instant-boot.md).
    /// </param>
    private static long SizeBytes(LibvirtDomain domain, DomainDisk disk, bool isServed, List<string> problems)
    {
        try
        {
            if (isServed && disk is { Source: { } path, Format: "qcow2" } && File.Exists(path))
            {
                using var image = DiskFile.OpenRegular(path);
                return Qcow2Header.Read(image.Handle).LengthBytes;
            }

            return checked((long)domain.BlockInfo(disk.Target).Capacity);
        }
        catch (LibvirtException exception) when (!exception.IsOfConnection && exception.Code != LibvirtException.NoDomain)
        {
            problems.Add($"Disk '{disk.Target}' cannot be read: {exception.Message}.");
            return 0;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            problems.Add($"Disk '{disk.Target}' cannot be read: {exception.Message}");
            return 0;
        }
    }

    /// <summary>Azure's words.</summary>
    private static string PowerState(LibvirtDomainState state) => state switch
    {
        LibvirtDomainState.ShutOff or LibvirtDomainState.Crashed or LibvirtDomainState.NoState => Off,
        LibvirtDomainState.ShuttingDown => "stopping",
        LibvirtDomainState.Paused or LibvirtDomainState.Suspended => "stopped",
        _ => "running",
    };
}
