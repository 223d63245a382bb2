using Strongroom.Backup.Jobs;
using Strongroom.Backup.Lifecycle;
using Strongroom.Backup.Machines;
using Strongroom.Backup.Operations;
using Strongroom.Backup.Pipelines;
using Strongroom.Backup.Pipelines.Restores;
using Strongroom.Backup.RecoveryPoints;
using Strongroom.Backup.Tests.Support;
using Strongroom.Backup.Vaults;

namespace Strongroom.Backup.Tests.Pipelines;

/// <summary>Machines that run from the vault: their job ends with their need of it, and not before.</summary>
public sealed class InstantBootTests
{
    private static readonly BootTransfer Moving = new(BootTransferState.Moves, 10);

    [Fact]
    public async Task The_machine_reads_the_points_disks_until_it_has_its_own()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine, point) = await BackedUpAsync(rig);
        var was = (byte[])machine.Disks[0].Content.Clone();
        machine.Disks[0].Write(0, 1, 2, 3);
        var states = new Queue<BootTransfer>([Moving, new(BootTransferState.IsOff, 0), new(BootTransferState.IsDone, 0)]);
        rig.Booter.OnTransfer = states.Dequeue;

        var job = await rig.RestoreAsync(vault, machine, Request(point));

        Assert.Equal((JobStates.Completed, JobOperations.Restore, "InstantBoot", "web2"), (job.State, job.Operation, job.InternalProperties["restoreLocationType"], job.Properties["Target VM Name"]));
        Assert.Equal([(RestoreTasks.Boot, JobStates.Completed), (RestoreTasks.Transfer, JobStates.Completed)], job.Tasks.Select(t => (t.Name, t.State)));
        Assert.Matches("^([0-9.]+ GBs) / \\1 Transferred$", job.Tasks[1].Details);
        Assert.DoesNotContain("Target Storage Account Name", job.Properties.Keys);
        Assert.Equal(was, rig.Booter.Read);
        Assert.Equal((1, 1, false), (rig.Booter.Boots, rig.Booter.Ends, rig.Booter.IsServed));
        Assert.False(rig.Holds.IsHeld(job.ItemKey, point.Name));
    }

    [Fact]
    public async Task What_fails_while_the_machine_needs_the_vault_is_tried_again()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine, point) = await BackedUpAsync(rig);
        var looks = 0;
        rig.Booter.OnTransfer = () => ++looks switch
        {
            1 => throw new MachineException(MachineProblem.HostUnreachable, "The host is away."),
            2 => throw new IOException("The vault is away."),
            _ => new(BootTransferState.IsDone, 0),
        };

        var job = await rig.RestoreAsync(vault, machine, Request(point));

        Assert.Equal((JobStates.Completed, 1, 3), (job.State, rig.Booter.Boots, looks));
    }

    [Fact]
    public async Task A_machine_that_cannot_be_made_or_is_deleted_fails_the_job()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine, point) = await BackedUpAsync(rig);
        rig.Booter.OnBoot = _ => throw new MachineException(MachineProblem.HostFailed, "It does not start.");
        Assert.Equal((JobStates.Failed, "It does not start."), Outcome(await rig.RestoreAsync(vault, machine, Request(point))));

        rig.Booter.OnBoot = _ => Task.CompletedTask;
        rig.Booter.OnTransfer = () => new(BootTransferState.IsGone, 0);
        var gone = await rig.RestoreAsync(vault, machine, Request(point));
        Assert.Equal((JobStates.Failed, "Virtual machine 'web2' was deleted on its host before its data had been transferred."), Outcome(gone));
        Assert.Equal((400136, 1), (gone.Errors[0].Code, rig.Booter.Ends));

        static (string, string) Outcome(Job job) => (job.State, Assert.Single(job.Errors).Message);
    }

    [Fact]
    public async Task A_machine_that_its_host_made_and_did_not_start_is_started_by_the_next_try()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine, point) = await BackedUpAsync(rig);
        var starts = 0;
        rig.Booter.OnStart = () => ++starts == 1 ? throw new MachineException(MachineProblem.HostUnreachable, "The host is away.") : Task.CompletedTask;

        var job = await rig.RestoreAsync(vault, machine, Request(point));

        Assert.Equal((JobStates.Completed, 1, 2), (job.State, rig.Booter.Boots, starts));
    }

    [Fact]
    public async Task A_host_that_fell_silent_and_then_refuses_the_machine_fails_the_job()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine, point) = await BackedUpAsync(rig);
        var tries = 0;
        rig.Booter.OnBoot = _ => throw (++tries == 1 ? new MachineException(MachineProblem.HostUnreachable, "The host is away.") : new MachineException(MachineProblem.HostFailed, "It does not start."));

        var job = await rig.RestoreAsync(vault, machine, Request(point));

        Assert.Equal((JobStates.Failed, "It does not start.", 2), (job.State, Assert.Single(job.Errors).Message, tries));
    }

    [Fact]
    public async Task A_server_that_ends_is_followed_by_one_that_serves_the_same_machine_before_all_else()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine, point) = await BackedUpAsync(rig);
        rig.Booter.OnTransfer = () => Moving;
        AsyncOperation operation;
        await using (await rig.StartWorkerAsync())
        {
            operation = await rig.Admission.RestoreAsync(vault, Rig.NativeName(machine), point.Name, Request(point), Rig.Token);
            await BootedAsync(rig, vault, operation);
            Assert.Equal(0, await rig.Get<IItemAgenda>().CountLiveJobsAsync(Rig.Token));
            Assert.True(rig.Holds.IsHeld((await rig.Items.FindAsync(vault.Key, Rig.NativeName(machine), Rig.Token))!.Key, point.Name));
        }

        Assert.Equal((true, false), (rig.Booter.IsMade, rig.Booter.IsServed));
        // However often servers die over it, the job is not given up, since the machine would be lost with it.
        for (var ends = 0; ends <= new JobWorkerOptions().MaxAttempts; ends++) Assert.NotNull(await rig.Ledger.ClaimAsync("dies", TimeSpan.FromHours(-1), Rig.Token));
        var other = rig.NewMachine("web9", FakeDisk.New(-1, "os", 9));
        await rig.ProtectAsync(vault, other);
        var gate = new TaskCompletionSource();
        await rig.Admission.BackUpAsync(vault, Rig.NativeName(other), null, Rig.Token);
        var gated = new Gated(gate.Task);
        await using (await rig.StartWorkerAsync(new() { MaxConcurrentJobs = 1 }, gated, rig.RestoreHandler))
        {
            await gated.Begun.Task;
            // The only place is taken, and the job needs none.
            await Rig.UntilAsync(() => Task.FromResult(rig.Booter.IsServed));
            rig.Booter.OnTransfer = () => new(BootTransferState.IsDone, 0);
            Assert.Equal((JobStates.Completed, 1), ((await rig.EndOfAsync(vault, operation.JobId!.Value)).State, rig.Booter.Boots));
            gate.SetResult();
        }
    }

    [Fact]
    public async Task Cancelling_removes_a_machine_that_is_being_made_and_is_refused_once_it_runs()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine, point) = await BackedUpAsync(rig);
        rig.Booter.OnTransfer = () => Moving;
        var (reached, go) = (new TaskCompletionSource(), new TaskCompletionSource());
        rig.Booter.OnBoot = async _ =>
        {
            reached.SetResult();
            await go.Task;
        };
        await using var worker = await rig.StartWorkerAsync();
        var operation = await rig.Admission.RestoreAsync(vault, Rig.NativeName(machine), point.Name, Request(point), Rig.Token);
        await reached.Task;
        await rig.Admission.CancelAsync(vault, operation.JobId!.Value, Rig.Token);
        go.SetResult();
        Assert.Equal(JobStates.Cancelled, (await rig.EndOfAsync(vault, operation.JobId.Value)).State);
        Assert.Equal((1, false), (rig.Booter.Abandoned, rig.Booter.IsMade));

        rig.Booter.OnBoot = _ => Task.CompletedTask;
        var next = await rig.Admission.RestoreAsync(vault, Rig.NativeName(machine), point.Name, Request(point), Rig.Token);
        await BootedAsync(rig, vault, next);
        var refused = await Assert.ThrowsAsync<BackupRefusedException>(() => rig.Admission.CancelAsync(vault, next.JobId!.Value, Rig.Token));
        Assert.Equal(BackupRefusal.JobNotCancellable, refused.Refusal);
        rig.Booter.OnTransfer = () => new(BootTransferState.IsDone, 0);
        Assert.Equal(JobStates.Completed, (await rig.EndOfAsync(vault, next.JobId!.Value)).State);
    }

    [Fact]
    public async Task Cancelling_removes_a_machine_whose_host_does_not_start_it()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine, point) = await BackedUpAsync(rig);
        var reached = new TaskCompletionSource();
        rig.Booter.OnStart = () =>
        {
            reached.TrySetResult();
            throw new MachineException(MachineProblem.HostFailed, "There is no memory left.");
        };
        await using var worker = await rig.StartWorkerAsync();
        var operation = await rig.Admission.RestoreAsync(vault, Rig.NativeName(machine), point.Name, Request(point), Rig.Token);
        await reached.Task;
        await rig.Admission.CancelAsync(vault, operation.JobId!.Value, Rig.Token);
        Assert.Equal(JobStates.Cancelled, (await rig.EndOfAsync(vault, operation.JobId.Value)).State);
        Assert.Equal((1, false), (rig.Booter.Abandoned, rig.Booter.IsMade));
    }

    [Fact]
    public async Task What_was_cancelled_when_its_server_died_is_removed_by_the_next()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine, point) = await BackedUpAsync(rig);
        var operation = await rig.Admission.RestoreAsync(vault, Rig.NativeName(machine), point.Name, Request(point), Rig.Token);
        // A server that dies when the machine is there, and before it could write that down.
        var claim = (await rig.Ledger.ClaimAsync("dies", TimeSpan.FromHours(-1), Rig.Token))!;
        var ledger = new FaultyLedger(rig.Ledger, LedgerFault.Lost, failsFrom: 2);
        await Assert.ThrowsAsync<ClaimLostException>(() => rig.RestoreHandler.RunAsync(new(ledger, claim, rig.Time), Rig.Token));
        Assert.True(rig.Booter.IsMade);
        await rig.Admission.CancelAsync(vault, operation.JobId!.Value, Rig.Token);

        Assert.Equal(JobStates.Cancelled, (await rig.RunAsync(vault, operation)).State);
        Assert.Equal((1, false), (rig.Booter.Abandoned, rig.Booter.IsMade));
    }

    private static Task BootedAsync(Rig rig, Vault vault, AsyncOperation operation) => Rig.UntilAsync(async () =>
        (await rig.Ledger.FindAsync(vault.Key, operation.JobId!.Value, Rig.Token))!.Tasks.Any(task => task is { Name: RestoreTasks.Boot, State: JobStates.Completed }));

    private static async Task<(Vault Vault, FakeMachine Machine, RecoveryPoint Point)> BackedUpAsync(Rig rig)
    {
        var (vault, machine) = await rig.ProtectedMachineAsync(FakeDisk.New(-1, "os", 1));
        await rig.AddGroupAsync("Lab");
        Assert.Equal(JobStates.Completed, (await rig.BackUpAsync(vault, machine)).State);
        return (vault, machine, Assert.Single(await rig.PointsAsync(vault, machine)));
    }

    private static RestoreRequest Request(RecoveryPoint point) => new(point.Name, "", null, null, "") { RecoveryType = RecoveryTypes.InstantBoot, Target = new(Rig.Subscription, "Lab", "web2") };

    /// <summary>Backups that wait.</summary>
    private sealed class Gated(Task gate) : IJobHandler
    {
        public TaskCompletionSource Begun { get; } = new();

        public string Operation => JobOperations.Backup;

        public async Task<JobEnd> RunAsync(JobRun run, CancellationToken cancellationToken)
        {
            Begun.SetResult();
            await gate.WaitAsync(cancellationToken);
            return new(run.Job with { State = JobStates.Completed, EndedAt = run.Job.StartedAt }, JobOutcome.None);
        }

        public JobError? Explain(Exception exception) => null;
    }
}
