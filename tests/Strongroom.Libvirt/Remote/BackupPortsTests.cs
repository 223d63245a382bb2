using Strongroom.Workloads.VirtualMachines.Libvirt.Remote;

namespace Strongroom.Libvirt.Remote;

/// <summary>Which port is whose.</summary>
public sealed class BackupPortsTests
{
    [Fact]
    public void A_port_is_one_backups_and_is_used_again_last()
    {
        var ports = new BackupPorts([1, 2, 3]);
        Assert.Equal((1, 2), (ports.TryTake("kvm1"), ports.TryTake("KVM1")));
        ports.Release("kvm1", 1);
        Assert.Equal((3, 1, null), (ports.TryTake("kvm1"), ports.TryTake("kvm1"), ports.TryTake("kvm1")));
        Assert.Equal(1, ports.TryTake("kvm2"));
    }

    [Fact]
    public void The_usual_ones_are_those_that_the_guide_names()
    {
        var ports = BackupPorts.Standard();
        Assert.Equal(Enumerable.Range(10809, 64), Enumerable.Range(0, 64).Select(_ => ports.TryTake("kvm1")!.Value).Order());
    }
}
