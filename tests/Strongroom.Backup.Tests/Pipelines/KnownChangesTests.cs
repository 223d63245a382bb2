using Strongroom.Backup.Jobs;
using Strongroom.Backup.Tests.Support;

namespace Strongroom.Backup.Tests.Pipelines;

/// <summary>Backups of a machine whose host says what has changed, and since which recovery point.</summary>
public sealed class KnownChangesTests
{
    [Fact]
    public async Task What_has_not_changed_is_taken_from_the_point_that_the_host_names()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine) = await rig.ProtectedMachineAsync(FakeDisk.New(-1, "os", 1));
        var disk = machine.Disks[0];
        var first = (byte[])disk.Content.Clone();
        await rig.BackUpAsync(vault, machine);
        disk.Write(0, 1, 2, 3);
        await rig.BackUpAsync(vault, machine);

        // The image of the first point is put back, and the host knows what has changed since then: nothing.
        disk.Write(0, first);
        machine.ChangesSince = (await rig.PointsAsync(vault, machine))[1].SnapshotId;
        disk.KnowsChanges = true;
        disk.BytesRead = 0;
        var job = await rig.BackUpAsync(vault, machine);

        Assert.Equal(JobStates.Completed, job.State);
        await rig.AssertHoldsAsync(vault, (await rig.PointsAsync(vault, machine))[0], first);
        Assert.Equal(0, disk.BytesRead);
    }

    [Fact]
    public async Task Of_a_disk_that_grew_after_the_first_look_the_hosts_word_is_not_taken()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine) = await rig.ProtectedMachineAsync(FakeDisk.New(-1, "os", 1));
        var disk = machine.Disks[0];
        await rig.BackUpAsync(vault, machine);
        disk.ClaimedSizeBytes = disk.Content.Length;
        disk.Write(0, 1, 2, 3);
        disk.Grow(disk.Content.Length + (1 << 20));
        disk.KnowsChanges = true;
        await rig.BackUpAsync(vault, machine);
        await rig.AssertHoldsAsync(vault, (await rig.PointsAsync(vault, machine))[0], disk.Content);
    }

    [Fact]
    public async Task If_that_point_is_gone_the_disks_are_read()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine) = await rig.ProtectedMachineAsync(FakeDisk.New(-1, "os", 1));
        var disk = machine.Disks[0];
        await rig.BackUpAsync(vault, machine);
        disk.Write(0, 1, 2, 3);
        machine.ChangesSince = Guid.NewGuid();
        disk.KnowsChanges = true;
        var job = await rig.BackUpAsync(vault, machine);
        await rig.AssertHoldsAsync(vault, (await rig.PointsAsync(vault, machine))[0], disk.Content);
        Assert.Contains("is gone", job.Tasks[0].Details, StringComparison.Ordinal);
    }
}
