using Strongroom.Backup.Items;
using Strongroom.Backup.Jobs;
using Strongroom.Backup.Machines;
using Strongroom.Backup.Pipelines;
using Strongroom.Backup.Tests.Support;
using Strongroom.Store;

namespace Strongroom.Backup.Tests.Pipelines;

public sealed class BackupTests
{
    [Fact]
    public async Task A_first_and_a_second_backup_restore_exactly_what_the_disks_were()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine) = await rig.ProtectedMachineAsync(FakeDisk.New(-1, "os", 1), FakeDisk.New(0, "data", 2));
        var job = await rig.BackUpAsync(vault, machine, rig.Time.GetUtcNow().AddDays(9));
        Assert.Equal(JobStates.Completed, job.State);
        var first = machine.Disks.ConvertAll(d => (byte[])d.Content.Clone());

        machine.Disks[0].Write(300_000, 1, 2, 3);
        var second = await rig.BackUpAsync(vault, machine);

        Assert.Equal(JobStates.Completed, second.State);
        Assert.Equal(machine.VmId, rig.Fabric.LastBefore!.VmId);
        // By which the disks keep their LUNs.
        Assert.Equal(machine.Describe().Disks, rig.Fabric.LastRequest!.Previous!.Disks);
        var points = await rig.PointsAsync(vault, machine);
        Assert.Equal(2, points.Count);
        Assert.True(points[0].Time > points[1].Time);
        Assert.All(points, p => Assert.Matches("^[0-9]{18}$", p.Name));
        await rig.AssertHoldsAsync(vault, points[1], [.. first]);
        await rig.AssertHoldsAsync(vault, points[0], [.. machine.Disks.Select(d => d.Content)]);
        Assert.True(long.Parse(second.InternalProperties["strongroom.bytesNew"], null) < 300_000);
        Assert.Equal("CrashConsistent", points[0].Consistency);
        Assert.NotNull(points[1].ExpiresAt);

        var item = (await rig.Items.FindAsync(vault.Key, Rig.NativeName(machine), Rig.Token))!;
        Assert.Equal((ProtectionStates.Protected, "Completed", points[0].Time), (item.ProtectionState, item.LastBackupStatus, item.LastRecoveryPointTime!.Value));
        Assert.All(second.Tasks, t => Assert.Equal(JobStates.Completed, t.State));
        Assert.Equal(100, second.ProgressPercent);
        Assert.Empty(second.Errors);
    }

    [Fact]
    public async Task A_jobs_snapshot_has_ended_where_its_transfer_begins()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine) = await rig.ProtectedMachineAsync(FakeDisk.New(-1, "os", 1));
        machine.Disks[0].OnRead = (_, _) =>
        {
            rig.Time.Advance(TimeSpan.FromMinutes(1));
            return default;
        };
        var job = await rig.BackUpAsync(vault, machine);
        var (snapshot, transfer) = (job.Tasks[0], job.Tasks[1]);
        Assert.Equal(snapshot.EndedAt, transfer.StartedAt);
        Assert.True(transfer.EndedAt > transfer.StartedAt);
        Assert.Equal(job.EndedAt, transfer.EndedAt);
    }

    [Theory]
    [InlineData("meta/")]
    [InlineData("packs/")]
    public async Task A_damaged_recovery_point_does_not_keep_a_sound_one_from_being_made(string lost)
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine) = await rig.ProtectedMachineAsync(FakeDisk.New(-1, "os", 1));
        await rig.BackUpAsync(vault, machine);
        await rig.Stores.LoseAsync(vault.Key, lost);

        var job = await rig.BackUpAsync(vault, machine);

        Assert.Equal(JobStates.Completed, job.State);
        await rig.AssertHoldsAsync(vault, (await rig.PointsAsync(vault, machine))[0], machine.Disks[0].Content);
    }

    [Fact]
    public async Task A_disk_that_has_grown_is_backed_up_against_its_smaller_parent()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine) = await rig.ProtectedMachineAsync(FakeDisk.New(-1, "os", 1));
        await rig.BackUpAsync(vault, machine);
        machine.Disks[0].Grow((3 << 20) + 512);

        await rig.BackUpAsync(vault, machine);

        await rig.AssertHoldsAsync(vault, (await rig.PointsAsync(vault, machine))[0], machine.Disks[0].Content);
    }

    [Fact]
    public async Task The_size_of_a_disk_is_what_was_read_and_not_what_its_description_said()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine) = await rig.ProtectedMachineAsync(FakeDisk.New(-1, "os", 1));
        machine.Disks[0].ClaimedSizeBytes = 1 << 20;

        await rig.BackUpAsync(vault, machine);

        var point = Assert.Single(await rig.PointsAsync(vault, machine));
        Assert.Equal(2 << 20, Assert.Single(point.Disks).SizeBytes);
        await rig.AssertHoldsAsync(vault, point, machine.Disks[0].Content);
    }

    [Fact]
    public async Task Points_have_names_of_their_own_while_the_clock_is_set_back()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine) = await rig.ProtectedMachineAsync(FakeDisk.New(-1, "os", 1));
        // Instead of a clock that goes back, one that stands: the store never goes below its last time.
        for (var n = 0; n < 3; n++)
        {
            machine.Disks[0].Write(n * 1000, 7, 7, 7);
            var operation = await rig.Admission.BackUpAsync(vault, Rig.NativeName(machine), null, Rig.Token);
            Assert.Equal(JobStates.Completed, (await rig.RunAsync(vault, operation)).State);
        }

        var points = await rig.PointsAsync(vault, machine);
        Assert.Equal(3, points.Count);
        Assert.Equal(3, points.Select(p => p.Name).Distinct().Count());
        await rig.AssertHoldsAsync(vault, points[0], machine.Disks[0].Content);
    }

    [Theory]
    [InlineData(true, new[] { -1, 1 })]
    [InlineData(false, new[] { -1, 0, 2 })]
    public async Task Only_selected_disks_are_in_the_point(bool isInclusion, int[] expected)
    {
        await using var rig = await Rig.NewAsync();
        var vault = await rig.NewVaultAsync();
        var machine = rig.NewMachine("web1", FakeDisk.New(-1, "os", 1), FakeDisk.New(0, "a", 2), FakeDisk.New(1, "b", 3), FakeDisk.New(2, "c", 4));
        await rig.ProtectAsync(vault, machine, new([1], isInclusion));

        await rig.BackUpAsync(vault, machine);

        var point = Assert.Single(await rig.PointsAsync(vault, machine));
        Assert.Equal(expected, point.Disks.Select(d => d.Lun));
        await rig.AssertHoldsAsync(vault, point, [.. machine.Disks.Where(d => expected.Contains(d.Disk.Lun)).Select(d => d.Content)]);
    }

    [Fact]
    public async Task A_machine_without_a_disk_to_back_up_makes_no_empty_point()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine) = await rig.ProtectedMachineAsync();
        await rig.AssertFailsAsync(vault, machine, 400039, "no disk");
    }

    [Fact]
    public async Task A_disk_that_never_stands_still_makes_no_point()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine) = await rig.ProtectedMachineAsync(FakeDisk.New(-1, "os", 1));
        var disk = machine.Disks[0];
        disk.OnRead = (_, _) => { disk.Write(0, 1); return default; };

        await rig.AssertFailsAsync(vault, machine, 400052, "os: it was written");

        Assert.Equal(BackupHandler.MaxReads, rig.Fabric.Snapshots);
    }

    [Fact]
    public async Task A_disk_that_moved_once_is_read_again()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine) = await rig.ProtectedMachineAsync(FakeDisk.New(-1, "os", 1));
        var disk = machine.Disks[0];
        var isWritten = 0;
        disk.OnRead = (offset, _) =>
        {
            if (offset >= 1 << 20 && Interlocked.Exchange(ref isWritten, 1) == 0) disk.Write(100, 9, 9, 9);
            return default;
        };

        Assert.Equal(JobStates.Completed, (await rig.BackUpAsync(vault, machine)).State);

        Assert.Equal(2, rig.Fabric.Snapshots);
        await rig.AssertHoldsAsync(vault, Assert.Single(await rig.PointsAsync(vault, machine)), disk.Content);
    }

    [Fact]
    public async Task A_disk_that_cannot_be_read_fails_the_job_with_its_reason_and_the_next_backup_succeeds()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine) = await rig.ProtectedMachineAsync(FakeDisk.New(-1, "os", 1));
        machine.Disks[0].OnRead = (offset, _) => offset > 700_000 ? throw new IOException("Sector 1400 is broken.") : default;
        await rig.AssertFailsAsync(vault, machine, 400002, "Sector 1400 is broken.");

        machine.Disks[0].OnRead = null;
        Assert.Equal(JobStates.Completed, (await rig.BackUpAsync(vault, machine)).State);
        await rig.AssertHoldsAsync(vault, Assert.Single(await rig.PointsAsync(vault, machine)), machine.Disks[0].Content);
    }

    [Fact]
    public async Task A_machine_that_vanished_fails_the_job()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine) = await rig.ProtectedMachineAsync(FakeDisk.New(-1, "os", 1));
        rig.Fabric.Machines.Clear();
        await rig.AssertFailsAsync(vault, machine, 400136, "web1");
    }

    [Fact]
    public async Task Errors_of_the_store_and_of_the_machine_are_explained_and_faults_of_our_own_are_not()
    {
        await using var rig = await Rig.NewAsync();
        var handler = rig.BackupHandler;
        Assert.Equal(400002, handler.Explain(new StoreException(StoreErrorKind.Full, "No room."))!.Code);
        Assert.Equal("No room.", handler.Explain(new StoreException(StoreErrorKind.Full, "No room."))!.Message);
        Assert.Equal(400367, handler.Explain(new MachineException(MachineProblem.DiskUnsupported, "x"))!.Code);
        Assert.Equal(400196, handler.Explain(new MachineException(MachineProblem.ToolMissing, "x"))!.Code);
        Assert.Equal(400136, handler.Explain(new MachineException(MachineProblem.NotFound, "x"))!.Code);
        Assert.Null(handler.Explain(new InvalidOperationException()));
    }

    [Fact]
    public async Task A_store_that_cannot_be_opened_fails_the_job_and_the_item_says_so()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine) = await rig.ProtectedMachineAsync(FakeDisk.New(-1, "os", 1));
        rig.Stores.Failure = new StoreException(StoreErrorKind.WrongKey, "The key is not the vault's.");
        await rig.AssertFailsAsync(vault, machine, 400002, "The key is not the vault's.");
        rig.Stores.Failure = null;
        Assert.Equal("Failed", (await rig.Items.FindAsync(vault.Key, Rig.NativeName(machine), Rig.Token))!.LastBackupStatus);
    }
}
