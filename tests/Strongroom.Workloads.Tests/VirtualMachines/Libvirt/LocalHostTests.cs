using Strongroom.Backup.Machines;
using Strongroom.Workloads.VirtualMachines.Libvirt;
using Strongroom.Workloads.VirtualMachines.Libvirt.Remote;

namespace Strongroom.Workloads.Tests.VirtualMachines.Libvirt;

/// <summary>Which hosts are the server's own machine: paths of theirs are paths of the server's.</summary>
public sealed class LocalHostTests
{
    [Theory]
    [InlineData("qemu:///system", true, false)]
    [InlineData("qemu+unix:///system", true, false)]
    [InlineData("qemu+unix:///system?mode=direct&socket=/run/other", true, true)]
    [InlineData("qemu:///system?socket=/run/other", true, true)]
    [InlineData("qemu+ext:///system?command=/usr/local/bin/tunnel", false, false)]
    [InlineData("qemu+ssh:///system", false, false)]
    [InlineData("qemu+ssh://kvm1/system?socket=/run/other", false, false)]
    [InlineData("qemu+tls://localhost/system", false, false)]
    public void A_host_is_this_machine_by_its_transport(string uri, bool isLocal, bool hasOwnSocket) =>
        Assert.Equal((isLocal, hasOwnSocket), (Host(uri).IsLocal, Host(uri).HasOwnSocket));

    [Fact]
    public void A_machine_is_known_by_its_name()
    {
        Assert.True(OwnSocket.IsThisMachine(Environment.MachineName));
        Assert.True(OwnSocket.IsThisMachine(Environment.MachineName.ToUpperInvariant() + ".example"));
        Assert.False(OwnSocket.IsThisMachine(Environment.MachineName + "2"));
    }

    [Fact]
    public void A_host_without_a_name_is_not_looked_for_on_this_machine()
    {
        var host = Host("qemu+ext:///system");
        Assert.Equal(MachineProblem.HostUnreachable, Assert.Throws<MachineException>(() => RemotePlace.RequireName(host)).Problem);
        RemotePlace.RequireName(Host("qemu+ssh://kvm1/system"));
    }

    private static LibvirtHost Host(string uri) => new("/hosts/kvm1", "s", "lab", "home", uri, "default", "/scratch");
}
