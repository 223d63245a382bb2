using Strongroom.Backup.Machines;
using Strongroom.Workloads.VirtualMachines.Libvirt;

namespace Strongroom.Workloads.Tests.VirtualMachines.Libvirt;

/// <summary>Disks keep their numbers, since what is excluded is so by number.</summary>
public sealed class KnownDisksTests
{
    private static readonly Guid Id = Guid.NewGuid();

    [Theory]
    // A disk of another bus, which is the first by its letters.
    [InlineData("vda vdb vdc", "vda vdb vdc sda", "vda -1, vdb 0, vdc 1, sda 2")]
    // Another disk is booted from.
    [InlineData("vda vdb vdc", "vda vdb* vdc", "vda -1, vdb 0, vdc 1")]
    // One goes, and its number with it: it may be excluded.
    [InlineData("vda vdb vdc", "vda vdb sda", "vda -1, vdb 0, sda 2")]
    [InlineData("vda vdb vdc", "vda vdc", "vda -1, vdc 1")]
    // What is booted from now is backed up, whatever number it had.
    [InlineData("vda vdb vdc", "vdb vdc", "vdb -1, vdc 1")]
    [InlineData("vda vdb", "vda vdb vdd", "vda -1, vdb 0, vdd 2")]
    // All got other names.
    [InlineData("vda vdb", "sda sdb", "sda -1, sdb 0")]
    public void They_are_known_by_name(string before, string now, string numbers)
    {
        var renumbered = KnownDisks.Renumber(Machine(now), Machine(before).Machine);

        Assert.Equal(numbers, string.Join(", ", renumbered.Machine.Disks.Select(disk => $"{disk.Name} {disk.Lun}")));
        Assert.Equal(renumbered.Machine.Disks.Select(disk => disk.Name), renumbered.Domain.Disks.Select(disk => disk.Target));
    }

    [Fact]
    public void Those_of_another_machine_say_nothing()
    {
        var machine = Machine("sda vda");
        Assert.Same(machine, KnownDisks.Renumber(machine, null));
        Assert.Same(machine, KnownDisks.Renumber(machine, Machine("vda vdb").Machine with { VmId = Guid.NewGuid() }));
    }

    /// <param name="disks">Targets; the one with a star is booted from.</param>
    private static LibvirtMachine Machine(string disks)
    {
        var domain = DomainDescription.Parse(
            $"""
            <domain><name>web1</name><uuid>{Id}</uuid><devices>{string.Concat(disks.Split(' ').Select(disk =>
                $"<disk><source file='/{disk}'/><target dev='{disk.TrimEnd('*')}'/>{(disk.EndsWith('*') ? "<boot order='1'/>" : "")}</disk>"))}</devices></domain>
            """);
        var numbers = LibvirtMachines.DiskNumbers(domain);
        domain = domain with { Disks = [.. domain.Disks.OrderBy(disk => numbers[disk.Target])] };
        var machine = new VirtualMachine
        {
            SubscriptionId = "s",
            ResourceGroup = "lab",
            Name = "web1",
            Location = "home",
            VmId = Id,
            HostId = "/hosts/h",
            Disks = [.. domain.Disks.Select(disk => new MachineDisk(numbers[disk.Target], disk.Target, 1 << 20, "qcow2"))],
        };
        return new(machine, new("/hosts/h", "s", "lab", "home", "qemu:///system", "default", "/scratch"), domain);
    }
}
