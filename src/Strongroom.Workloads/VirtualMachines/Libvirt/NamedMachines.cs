using Strongroom.Backup.Machines;

namespace Strongroom.Workloads.VirtualMachines.Libvirt;

/// <summary>What the hosts of a resource group say of a name.</summary>
/// <param name="Found">The machines of the name, in the order of their hosts.</param>
/// <param name="Silent">Why a host could not be asked; null: all were.</param>
internal sealed record NamedMachines(IReadOnlyList<VirtualMachine> Found, MachineException? Silent)
{
    /// <summary>The one that counts: one that runs before one that does not (a machine that moved to another host is often still known to the one before), then the earlier host's.</summary>
    /// <exception cref="MachineException">None has it, and one could not be asked.</exception>
    public VirtualMachine? First => Best(Found) ?? (Silent is null ? null : throw Silent);

    /// <summary>The one that an item protects.</summary>
    /// <param name="before">The machine as the newest recovery point has it; null: there is no point.</param>
    /// <exception cref="MachineException">A host could not be asked, and what others have is not known to be the machine.</exception>
    public VirtualMachine? Protected(VirtualMachine? before)
    {
        if (before is not null && Best(Found.Where(machine => machine.VmId == before.VmId)) is { } same) return same;
        if (Silent is null || Found.Count == 0) return First;
        throw new MachineException(MachineProblem.HostUnreachable, $"{Silent.Message} Another host of the resource group has a machine named '{Found[0].Name}', which is not known to be the protected one.", Silent);
    }

    /// <summary>Machines of one name count once.</summary>
    public static IEnumerable<VirtualMachine> Distinct(IEnumerable<VirtualMachine> machines) =>
        machines.GroupBy(machine => machine.ResourceId, StringComparer.OrdinalIgnoreCase).Select(same => Best(same)!);

    private static VirtualMachine? Best(IEnumerable<VirtualMachine> machines) => machines.MinBy(machine => machine.PowerState == LibvirtMachines.Off ? 1 : 0);
}
