using Strongroom.Backup.Jobs;
using Strongroom.Backup.Tests.Support;

namespace Strongroom.Backup.Tests.Pipelines;

/// <summary>A backup that is cut off anywhere and run again has one recovery point, and it restores.</summary>
public sealed class BackupCrashTests
{
    [Theory]
    [InlineData((int)LedgerFault.Throws)]
    [InlineData((int)LedgerFault.Lost)]
    [InlineData((int)LedgerFault.ThrowsAfterwards)]
    public async Task A_write_to_the_ledger_that_fails_anywhere_leaves_one_point_or_an_honest_failure(int how)
    {
        for (var failsFrom = 1; ; failsFrom++)
        {
            await using var rig = await Rig.NewAsync();
            var (vault, machine) = await rig.ProtectedMachineAsync(FakeDisk.New(-1, "os", 1));
            var real = rig.Ledger;
            var faulty = new FaultyLedger(real, (LedgerFault)how, failsFrom);
            rig.Ledger = faulty;
            var operation = await rig.Admission.BackUpAsync(vault, Rig.NativeName(machine), null, Rig.Token);

            // The first server: it dies shortly after the fault.
            await using (await rig.StartWorkerAsync())
                await Rig.UntilAsync(async () => faulty.HasFailed || !(await real.FindAsync(vault.Key, operation.JobId!.Value, Rig.Token))!.IsLive);
            var hasFailed = faulty.HasFailed;
            faulty.IsHealed = true;

            // The second one.
            rig.Ledger = real;
            await rig.Stores.RestartAsync();
            var job = await rig.RunAsync(vault, operation);

            if (job.State == JobStates.Completed)
                await rig.AssertHoldsAsync(vault, Assert.Single(await rig.PointsAsync(vault, machine)), machine.Disks[0].Content);
            else
                Assert.Empty(await rig.PointsAsync(vault, machine));
            // A backup after it is an incremental one like any other.
            machine.Disks[0].Write(5000, 1, 2, 3);
            Assert.Equal(JobStates.Completed, (await rig.BackUpAsync(vault, machine)).State);
            await rig.AssertHoldsAsync(vault, (await rig.PointsAsync(vault, machine))[0], machine.Disks[0].Content);
            if (!hasFailed)
            {
                Assert.True(failsFrom > 3, "The fault was never met.");
                return;
            }
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_backup_that_was_cut_off_goes_on_where_it_was_if_the_disk_is_surely_the_same(bool isNamed)
    {
        // The first leaf of the manifest is 64 MiB of the disk; what follows it fills the packs that its last chunks wait in. Of 10 MiB each of two workers leaves less than a MiB open.
        const int FullPacks = 8;
        var content = new byte[130 << 20];
        new Random(5).NextBytes(content.AsSpan(0, 2 << 20));
        new Random(6).NextBytes(content.AsSpan(64 << 20, 8 << 20));
        var disk = new FakeDisk(-1, "os", content) { ResumeToken = isNamed ? "the disk as it is" : null };
        await using var rig = await Rig.NewAsync();
        var (vault, machine) = await rig.ProtectedMachineAsync(disk);
        disk.OnRead = async (offset, cancellationToken) =>
        {
            if (offset <= 120 << 20) return;
            // What was read is stored behind the reads: packs that are open when the power goes are lost, and with them what is in them.
            while (await rig.Stores.CountAsync(vault.Key, "packs/", cancellationToken) < FullPacks) await Task.Delay(10, cancellationToken);
            throw new IOException("The power is gone.");
        };
        Assert.Equal(JobStates.Failed, (await rig.BackUpAsync(vault, machine)).State);
        await rig.Stores.RestartAsync();
        disk.OnRead = null;
        disk.BytesRead = 0;

        Assert.Equal(JobStates.Completed, (await rig.BackUpAsync(vault, machine)).State);
        Assert.Equal(isNamed ? 66 << 20 : 130 << 20, disk.BytesRead);
        await rig.AssertHoldsAsync(vault, Assert.Single(await rig.PointsAsync(vault, machine)), content);
    }

    [Fact]
    public async Task A_crash_between_the_commit_and_the_row_is_mended_without_reading_the_disk_again()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine) = await rig.ProtectedMachineAsync(FakeDisk.New(-1, "os", 1));
        var operation = await rig.Admission.BackUpAsync(vault, Rig.NativeName(machine), null, Rig.Token);
        rig.Fabric.ChangeTracking = "the new point's";
        // The first run as far as the commit; its end is never written.
        var claim = (await rig.Ledger.ClaimAsync("dead", TimeSpan.FromHours(1), Rig.Token))!;
        var end = await rig.BackupHandler.RunAsync(new(rig.Ledger, claim, rig.Time), Rig.Token);
        Assert.Empty(await rig.PointsAsync(vault, machine));
        var (was, read) = ((byte[])machine.Disks[0].Content.Clone(), machine.Disks[0].BytesRead);
        machine.Disks[0].Write(0, 1, 2, 3);
        await rig.Stores.RestartAsync();
        rig.Time.Advance(TimeSpan.FromHours(1));

        var job = await rig.RunAsync(vault, operation);

        Assert.Equal(JobStates.Completed, job.State);
        Assert.Equal(2, job.Attempt);
        Assert.Equal([(machine.Name, end.Outcome.NewRecoveryPoint!.ItemKey, "the new point's", false)], rig.Fabric.Ended);
        Assert.Equal(read, machine.Disks[0].BytesRead);
        var point = Assert.Single(await rig.PointsAsync(vault, machine));
        Assert.Equal((end.Outcome.NewRecoveryPoint!.Name, end.Outcome.NewRecoveryPoint.SnapshotId), (point.Name, point.SnapshotId));
        await rig.AssertHoldsAsync(vault, point, was);
        Assert.Equal(end.Job.InternalProperties["strongroom.bytesRead"], job.InternalProperties["strongroom.bytesRead"]);
        // The dead worker wakes up and tries to end it once more.
        Assert.False(await rig.Ledger.TryFinishAsync(claim, end.Job, end.Outcome, Rig.Token));
        Assert.Single(await rig.PointsAsync(vault, machine));
    }

    [Theory]
    // Cancelled, begun too often, or failed before it had a snapshot of its own.
    [InlineData(1, true)]
    [InlineData(5, false)]
    [InlineData(1, false)]
    public async Task What_dead_runs_left_on_the_host_goes_when_the_job_does_not_succeed(int deaths, bool isCancelled)
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine) = await rig.ProtectedMachineAsync(FakeDisk.New(-1, "os", 1));
        rig.Fabric.ChangeTracking = "the newest point's";
        Assert.Equal(JobStates.Completed, (await rig.BackUpAsync(vault, machine)).State);
        var item = (await rig.Items.FindAsync(vault.Key, Rig.NativeName(machine), Rig.Token))!;
        rig.Fabric.ChangeTracking = "the dead run's";
        rig.Fabric.EndFails = true;
        machine.Disks.Clear();
        var operation = await rig.Admission.BackUpAsync(vault, Rig.NativeName(machine), null, Rig.Token);
        // Servers that die.
        for (var attempt = 1; attempt <= deaths; attempt++)
        {
            Assert.NotNull(await rig.Ledger.ClaimAsync("dead", TimeSpan.FromHours(1), Rig.Token));
            if (isCancelled) await rig.Admission.CancelAsync(vault, operation.JobId!.Value, Rig.Token);
            await rig.Ledger.ReleaseAllAsync(Rig.Token);
        }

        var job = await rig.RunAsync(vault, operation);

        Assert.Equal(isCancelled ? JobStates.Cancelled : JobStates.Failed, job.State);
        Assert.Equal([(machine.Name, item.Key, "the newest point's", true)], rig.Fabric.Ended);
    }
}
