using Strongroom.Backup.Machines;
using Strongroom.Workloads.VirtualMachines.Libvirt;

namespace Strongroom.Workloads.Tests.VirtualMachines.Libvirt;

/// <summary>Machines of one name on several hosts of a resource group.</summary>
public sealed class NamedMachinesTests
{
    private static readonly MachineException Silent = new(MachineProblem.HostUnreachable, "Host 'a' does not answer.");
    private static readonly Guid One = Guid.NewGuid(), Other = Guid.NewGuid();

    [Fact]
    public void One_that_runs_counts_before_one_that_is_off_and_then_the_earlier_host()
    {
        var (off, running, later) = (Machine("a", One, "deallocated"), Machine("b", One, "running"), Machine("c", One, "stopped"));

        Assert.Same(running, new NamedMachines([off, running, later], null).First);
        Assert.Same(running, new NamedMachines([off, running, later], Silent).Protected(off));
        Assert.Same(off, new NamedMachines([off, Machine("b", Other, "deallocated")], null).First);
        Assert.Same(running, Assert.Single(NamedMachines.Distinct([off, running, later])));
    }

    [Fact]
    public void What_is_protected_is_known_by_its_id()
    {
        var (mine, theirs) = (Machine("b", One, "deallocated"), Machine("a", Other, "running"));

        Assert.Same(mine, new NamedMachines([theirs, mine], null).Protected(mine));
        // Made anew under its name.
        Assert.Same(theirs, new NamedMachines([theirs], null).Protected(mine));
        Assert.Null(new NamedMachines([], null).Protected(mine));
    }

    [Fact]
    public void While_a_host_is_silent_another_machine_is_not_taken_for_the_protected_one()
    {
        var (mine, theirs) = (Machine("a", One, "running"), Machine("b", Other, "running"));

        foreach (var before in (VirtualMachine?[])[mine, null])
        {
            var refused = Assert.Throws<MachineException>(() => new NamedMachines([theirs], Silent).Protected(before));
            Assert.Equal((MachineProblem.HostUnreachable, "Host 'a' does not answer. Another host of the resource group has a machine named 'web1', which is not known to be the protected one."), (refused.Problem, refused.Message));
        }

        Assert.Same(Silent, Assert.Throws<MachineException>(() => new NamedMachines([], Silent).Protected(mine)));
        // To look at it is another thing.
        Assert.Same(theirs, new NamedMachines([theirs], Silent).First);
    }

    private static VirtualMachine Machine(string host, Guid id, string state) => new()
    {
        SubscriptionId = "s",
        ResourceGroup = "lab",
        Name = "web1",
        Location = "home",
        VmId = id,
        HostId = $"/hosts/{host}",
        PowerState = state,
        Disks = [],
    };
}
