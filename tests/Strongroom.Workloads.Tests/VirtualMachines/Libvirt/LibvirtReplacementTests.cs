using Strongroom.Workloads.VirtualMachines.Libvirt.Restores;

namespace Strongroom.Workloads.Tests.VirtualMachines.Libvirt;

/// <summary>A machine that somebody starts while its disks are replaced.</summary>
public sealed class LibvirtReplacementTests
{
    [Theory]
    [InlineData("/disks/new.qcow2", "/dev/vg/new", true)]
    [InlineData("/disks/old.qcow2", "/dev/vg/old", false)]
    [InlineData("/disks/new.qcow2", "/dev/vg/old", false)]
    public void It_runs_on_the_new_disks_when_it_has_all_of_them(string first, string second, bool isNew)
    {
        var live = $"""
            <domain id='7'><devices>
              <disk type='file'><source file='{first}' index='2'/><backingStore type='file'><source file='/disks/new.qcow2'/></backingStore><target dev='vda'/></disk>
              <disk type='block'><source dev='{second}' index='1'/><target dev='vdb'/></disk>
              <disk type='file' device='cdrom'><target dev='sda'/></disk>
            </devices></domain>
            """;
        Assert.Equal(isNew, LibvirtReplacement.RunsOn(live, ["/disks/new.qcow2", "/dev/vg/new"]));
    }
}
