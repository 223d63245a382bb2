using Strongroom.Backup.Machines;
using Strongroom.Workloads.VirtualMachines.Libvirt.Live;

namespace Strongroom.Workloads.Tests.VirtualMachines.Libvirt;

/// <summary>How what a backup makes on a host is named.</summary>
public sealed class TraceNamesTests
{
    [Fact]
    public void A_checkpoint_that_could_not_be_deleted_is_not_in_the_way_of_another_try_of_its_own_run()
    {
        var names = new TraceNames(Guid.NewGuid());
        var run = new HostRun(Guid.NewGuid(), 7);

        var (one, other) = (names.Checkpoint(run, 1), names.Checkpoint(run, 1));

        Assert.NotEqual(one, other);
        Assert.All([one, other], name => Assert.StartsWith(names.CheckpointPrefix, name, StringComparison.Ordinal));
    }
}
