using Strongroom.Backup.Jobs;
using Strongroom.Backup.Tests.Support;
using Strongroom.Backup.Vaults;

namespace Strongroom.Backup.Tests.Jobs;

public sealed class JobWorkerTests
{
    [Fact]
    public async Task A_server_that_stops_leaves_its_jobs_live_and_the_next_one_ends_them()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, jobs) = await AdmitAsync(rig, 2);
        var stuck = new FakeHandler((_, stop) => Task.Delay(Timeout.Infinite, stop));
        await using (await rig.StartWorkerAsync(null, stuck)) await Rig.UntilAsync(() => Task.FromResult(stuck.Now == 2));
        foreach (var id in jobs) Assert.True((await rig.Ledger.FindAsync(vault.Key, id, Rig.Token))!.IsLive);

        await using var next = await rig.StartWorkerAsync(null, new FakeHandler((_, _) => Task.CompletedTask));

        foreach (var id in jobs)
        {
            var job = await rig.EndOfAsync(vault, id);
            // A planned stop is not held against the job.
            Assert.Equal((JobStates.Completed, 1), (job.State, job.Attempt));
        }
    }

    [Fact]
    public async Task What_fails_because_the_server_stops_is_run_again()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, jobs) = await AdmitAsync(rig, 1);
        var broken = new FakeHandler(async (_, stop) =>
        {
            await Task.Delay(Timeout.Infinite, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            throw new IOException("The child process has ended.");
        });
        await using (await rig.StartWorkerAsync(null, broken)) await Rig.UntilAsync(() => Task.FromResult(broken.Now == 1));

        Assert.True((await rig.Ledger.FindAsync(vault.Key, jobs[0], Rig.Token))!.IsLive);
    }

    [Fact]
    public async Task No_more_jobs_than_allowed_run_at_once_and_all_end()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, jobs) = await AdmitAsync(rig, 7);
        var gate = new TaskCompletionSource();
        var handler = new FakeHandler((_, stop) => gate.Task.WaitAsync(stop));
        await using var worker = await rig.StartWorkerAsync(new() { MaxConcurrentJobs = 3 }, handler);
        await Rig.UntilAsync(() => Task.FromResult(handler.Now == 3));
        // Time enough for a fourth, were there no limit.
        await Task.Delay(100, Rig.Token);
        gate.SetResult();

        foreach (var id in jobs) Assert.Equal(JobStates.Completed, (await rig.EndOfAsync(vault, id)).State);

        Assert.Equal(3, handler.MostAtOnce);
        Assert.Equal(7, handler.Begun);
    }

    [Fact]
    public async Task A_job_that_was_admitted_while_all_places_were_taken_begins_as_soon_as_one_is_free()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, first) = await AdmitAsync(rig, 1);
        var gate = new TaskCompletionSource();
        var handler = new FakeHandler((run, stop) => run.Job.Id == first[0] ? gate.Task.WaitAsync(stop) : Task.CompletedTask);
        await using var worker = await rig.StartWorkerAsync(new() { MaxConcurrentJobs = 1, LookEvery = TimeSpan.FromHours(1) }, handler);
        await Rig.UntilAsync(() => Task.FromResult(handler.Now == 1));
        var second = await AdmitMoreAsync(rig, vault, "late");

        gate.SetResult();

        await rig.EndOfAsync(vault, second);
        Assert.Equal(1, handler.MostAtOnce);
    }

    [Fact]
    public async Task A_signal_is_never_swallowed()
    {
        await using var rig = await Rig.NewAsync();
        var vault = await rig.NewVaultAsync();
        // Without the signal none of them would be begun.
        var options = new JobWorkerOptions { MaxConcurrentJobs = 1, LookEvery = TimeSpan.FromHours(1) };
        await using var worker = await rig.StartWorkerAsync(options, new FakeHandler((_, _) => Task.CompletedTask));
        for (var n = 0; n < 12; n++)
            Assert.Equal(JobStates.Completed, (await rig.EndOfAsync(vault, await AdmitMoreAsync(rig, vault, $"vm{n}"))).State);
    }

    [Fact]
    public async Task A_running_job_is_cancelled_within_seconds()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, jobs) = await AdmitAsync(rig, 1);
        var handler = new FakeHandler((_, stop) => Task.Delay(Timeout.Infinite, stop));
        await using var worker = await rig.StartWorkerAsync(null, handler);
        await Rig.UntilAsync(() => Task.FromResult(handler.Now == 1));

        await rig.Admission.CancelAsync(vault, jobs[0], Rig.Token);
        var job = await rig.EndOfAsync(vault, jobs[0]);

        Assert.Equal((JobStates.Cancelled, 400158), (job.State, Assert.Single(job.Errors).Code));
        Assert.NotNull(job.EndedAt);
    }

    [Fact]
    public async Task A_cancelled_backup_makes_no_point_and_its_item_can_be_backed_up_again()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine) = await rig.ProtectedMachineAsync(FakeDisk.New(-1, "os", 1));
        var reading = new TaskCompletionSource();
        machine.Disks[0].OnRead = async (_, stop) => { reading.TrySetResult(); await Task.Delay(Timeout.Infinite, stop); };
        var operation = await rig.Admission.BackUpAsync(vault, Rig.NativeName(machine), null, Rig.Token);
        await using (await rig.StartWorkerAsync())
        {
            await reading.Task.WaitAsync(Rig.Token);
            await rig.Admission.CancelAsync(vault, operation.JobId!.Value, Rig.Token);
            var job = await rig.EndOfAsync(vault, operation.JobId!.Value);
            // The snapshot was taken: that task is done, and what it was for is not.
            Assert.Equal((JobStates.CompletedWithWarnings, 400158), (job.State, Assert.Single(job.Errors).Code));
            Assert.Equal([JobStates.Completed, JobStates.Cancelled], job.Tasks.Select(t => t.State));
        }

        Assert.Empty(await rig.PointsAsync(vault, machine));
        machine.Disks[0].OnRead = null;
        Assert.Equal(JobStates.Completed, (await rig.BackUpAsync(vault, machine)).State);
    }

    [Fact]
    public async Task A_job_that_was_cancelled_before_it_began_is_over_at_once_and_never_begins()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, jobs) = await AdmitAsync(rig, 1);
        await rig.Admission.CancelAsync(vault, jobs[0], Rig.Token);
        var ended = (await rig.Ledger.FindAsync(vault.Key, jobs[0], Rig.Token))!;
        Assert.Equal((JobStates.Cancelled, 400158), (ended.State, Assert.Single(ended.Errors).Code));
        Assert.NotNull(ended.EndedAt);
        var handler = new FakeHandler((_, _) => Task.CompletedTask);
        await using var worker = await rig.StartWorkerAsync(null, handler);

        Assert.Equal(JobStates.Cancelled, (await rig.EndOfAsync(vault, jobs[0])).State);
        Assert.Equal(0, handler.Begun);
    }

    [Fact]
    public async Task A_worker_that_loses_its_claim_stops_without_a_trace()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, jobs) = await AdmitAsync(rig, 1);
        var handler = new FakeHandler((_, stop) => Task.Delay(Timeout.Infinite, stop));
        await using var worker = await rig.StartWorkerAsync(new() { MaxConcurrentJobs = 1 }, handler);
        await Rig.UntilAsync(() => Task.FromResult(handler.Now == 1));

        await rig.Ledger.ReleaseAllAsync(Rig.Token);
        var other = (await rig.Ledger.ClaimAsync("other", TimeSpan.FromHours(1), Rig.Token))!;
        await Rig.UntilAsync(() => Task.FromResult(handler.Now == 0));

        var job = (await rig.Ledger.FindAsync(vault.Key, jobs[0], Rig.Token))!;
        Assert.Equal((JobStates.InProgress, other.Fence), (job.State, job.Fence));
        Assert.True(await rig.Ledger.TryFinishAsync(other, job with { State = JobStates.Completed }, JobOutcome.None, Rig.Token));
    }

    [Fact]
    public async Task A_worker_that_claims_its_own_job_anew_ends_the_old_run_first()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, jobs) = await AdmitAsync(rig, 1);
        var handler = new FakeHandler(async (run, stop) =>
        {
            if (run.Job.Attempt > 1) return;
            // Slow to notice, as one that is in the middle of a write.
            await Task.Delay(Timeout.Infinite, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await Task.Delay(300, CancellationToken.None);
            stop.ThrowIfCancellationRequested();
        });
        await using var worker = await rig.StartWorkerAsync(new() { MaxConcurrentJobs = 2 }, handler);
        await Rig.UntilAsync(() => Task.FromResult(handler.Now == 1));

        // As after a pause of the machine that was longer than the lease.
        await rig.Ledger.ReleaseAllAsync(Rig.Token);
        rig.Signal.Raise();

        var job = await rig.EndOfAsync(vault, jobs[0]);
        Assert.Equal((JobStates.Completed, 2), (job.State, job.Attempt));
        Assert.Equal((2, 1), (handler.Begun, handler.MostOfOneJob));
    }

    [Fact]
    public async Task A_job_that_was_begun_too_often_fails()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, jobs) = await AdmitAsync(rig, 1);
        for (var n = 0; n < 3; n++) await rig.Ledger.ClaimAsync("crash", TimeSpan.FromHours(-1), Rig.Token);
        var handler = new FakeHandler((_, _) => Task.CompletedTask);
        await using var worker = await rig.StartWorkerAsync(new() { MaxAttempts = 3 }, handler);

        var job = await rig.EndOfAsync(vault, jobs[0]);

        Assert.Equal((JobStates.Failed, "JobInterrupted", 0), (job.State, Assert.Single(job.Errors).Title, handler.Begun));
    }

    [Fact]
    public async Task Failures_are_told_as_the_handler_explains_them_and_faults_of_our_own_say_nothing_of_the_inside()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, jobs) = await AdmitAsync(rig, 2);
        var handler = new FakeHandler((run, _) => run.Job.Id == jobs[0] ? throw new IOException("Explained.") : throw new InvalidOperationException("secret"));
        await using var worker = await rig.StartWorkerAsync(null, handler);

        Assert.Equal("Explained.", Assert.Single((await rig.EndOfAsync(vault, jobs[0])).Errors).Message);
        var internalError = Assert.Single((await rig.EndOfAsync(vault, jobs[1])).Errors);
        Assert.Equal("InternalError", internalError.Title);
        Assert.DoesNotContain("secret", internalError.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Progress_is_written_in_order_and_the_end_has_all_of_it()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, jobs) = await AdmitAsync(rig, 1);
        var handler = new FakeHandler(async (run, stop) =>
        {
            for (var n = 0; n < 40; n++)
            {
                var percent = n;
                run.Progress(j => j with { ProgressPercent = percent });
                await run.ReportAsync(j => j with { Properties = j.Properties.SetItem("n", $"{percent}") }, stop);
                var seen = (await rig.Ledger.FindAsync(run.Job.VaultKey, run.Job.Id, stop))!;
                Assert.Equal((percent, $"{percent}"), (seen.ProgressPercent, seen.Properties["n"]));
            }
        });
        await using var worker = await rig.StartWorkerAsync(null, handler);

        var job = await rig.EndOfAsync(vault, jobs[0]);

        Assert.Equal((JobStates.Completed, 39.0, "39"), (job.State, job.ProgressPercent, job.Properties["n"]));
    }

    [Fact]
    public async Task An_older_look_of_a_job_that_is_slow_to_write_does_not_overwrite_a_newer_one()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, jobs) = await AdmitAsync(rig, 1);
        var ledger = new FaultyLedger(rig.Ledger, LedgerFault.Throws, int.MaxValue) { BeforeWrite = n => Task.Delay(n == 1 ? 300 : 0, CancellationToken.None) };
        var run = new JobRun(ledger, (await rig.Ledger.ClaimAsync("w", TimeSpan.FromHours(1), Rig.Token))!, rig.Time);

        run.Progress(j => j with { ProgressPercent = 10 });
        var older = run.FlushAsync();
        await Task.Delay(50, Rig.Token);
        await run.ReportAsync(j => j with { ProgressPercent = 20 }, Rig.Token);
        await older;

        Assert.Equal(20, (await rig.Ledger.FindAsync(vault.Key, jobs[0], Rig.Token))!.ProgressPercent);
    }

    [Fact]
    public async Task A_report_that_is_refused_ends_the_run()
    {
        await using var rig = await Rig.NewAsync();
        await AdmitAsync(rig, 1);
        var stale = (await rig.Ledger.ClaimAsync("w", TimeSpan.FromHours(-1), Rig.Token))!;
        Assert.NotNull(await rig.Ledger.ClaimAsync("x", TimeSpan.FromHours(1), Rig.Token));
        await Assert.ThrowsAsync<ClaimLostException>(() => new JobRun(rig.Ledger, stale, rig.Time).ReportAsync(j => j, Rig.Token));
    }

    private static async Task<(Vault Vault, List<Guid> Jobs)> AdmitAsync(Rig rig, int count)
    {
        var vault = await rig.NewVaultAsync();
        var jobs = new List<Guid>();
        for (var n = 0; n < count; n++) jobs.Add(await AdmitMoreAsync(rig, vault, $"vm{n}"));
        return (vault, jobs);
    }

    private static async Task<Guid> AdmitMoreAsync(Rig rig, Vault vault, string name)
    {
        var machine = rig.NewMachine(name, FakeDisk.New(-1, "os", 1, 1 << 20));
        await rig.ProtectAsync(vault, machine);
        rig.Time.Advance(TimeSpan.FromSeconds(1));
        return (await rig.Admission.BackUpAsync(vault, Rig.NativeName(machine), null, Rig.Token)).JobId!.Value;
    }
}
