using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Strongroom.Backup.Items;
using Strongroom.Backup.Pipelines;
using Strongroom.Backup.Verification;

namespace Strongroom.Backup.Jobs;

/// <summary>How jobs are worked on.</summary>
public sealed record JobWorkerOptions
{
    /// <summary>Jobs at a time, 1 or more.</summary>
    public int MaxConcurrentJobs { get; init; } = 2;

    /// <summary>How long a claim lasts without being renewed. Real time, never a tester's.</summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The ledger is looked at at least so often, whatever is signalled: leases end without a signal.</summary>
    public TimeSpan LookEvery { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Works on the jobs that run beside others (<see cref="Job.RunsBeside"/>), and on no other.</summary>
    public bool RunsBeside { get; init; }

    /// <summary>How often a job is begun before it counts as the cause of the server's ends.</summary>
    public int MaxAttempts { get; init; } = 5;
}

/// <summary>
/// Claims jobs from the ledger and runs their handlers.
/// </summary>
/// <remarks>
/// 1. Claim: the ledger gives the job with a new fence. 2. Run: the handler works while the lease is renewed. 3. Finish: one write, under
/// the fence, of the job's end with what it has come to. A server that stops leaves its jobs live; the next one claims them again.
/// </remarks>
public sealed class JobWorker(
    IJobLedger ledger, IEnumerable<IJobHandler> handlers, JobSignal signal, JobWorkerOptions options, TimeProvider time, ILogger<JobWorker> log) : BackgroundService
{
    private readonly IReadOnlyList<IJobHandler> _handlers = [.. handlers];
    private readonly string _owner = Guid.NewGuid().ToString("N");

    /// <summary>The claims of a dead process end before anything else is served: what they held is not there any more.</summary>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        // Once: the worker of jobs beside others starts after this one, which may have claimed already.
        if (!options.RunsBeside) await ledger.ReleaseAllAsync(cancellationToken);
        await base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var running = new Dictionary<Guid, (Task Task, bool IsServing)>();
        try
        {
            while (!stoppingToken.IsCancellationRequested)
            {
                foreach (var over in running.Where(r => r.Value.Task.IsCompleted).Select(r => r.Key).ToList()) running.Remove(over);
                // Jobs that serve last for hours and cost little: they take no other's place, and wait for none.
                var isFull = running.Values.Count(r => !r.IsServing) >= options.MaxConcurrentJobs;
                if (await TryClaimAsync(isFull, stoppingToken) is { } claim)
                {
                    // A process that was frozen for longer than its lease can claim what it still works on: the old run must be over before the new one begins.
                    var earlier = running.TryGetValue(claim.Job.Id, out var before) ? before.Task : Task.CompletedTask;
                    running[claim.Job.Id] = (Task.Run(() => WorkAsync(claim, earlier, stoppingToken), CancellationToken.None), claim.Job.IsServing);
                }
                else if (isFull)
                {
                    // The signal is left raised: with a place free the ledger is looked at before it is waited for.
                    await Task.WhenAny([.. running.Values.Where(r => !r.IsServing).Select(r => r.Task), Task.Delay(options.LookEvery, stoppingToken)]);
                }
                else
                {
                    await signal.WaitAsync(options.LookEvery, stoppingToken);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested) { }
        await Task.WhenAll(running.Values.Select(r => r.Task));
    }

    private async Task<JobClaim?> TryClaimAsync(bool onlyServing, CancellationToken cancellationToken)
    {
        try
        {
            return options.RunsBeside
                ? await ledger.ClaimBesideAsync(_owner, options.Lease, cancellationToken)
                : await ledger.ClaimAsync(_owner, options.Lease, cancellationToken, onlyServing);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            log.LogError(e, "The job ledger cannot be read; trying again");
            return null;
        }
    }

    private async Task WorkAsync(JobClaim claim, Task earlier, CancellationToken stoppingToken)
    {
        var job = claim.Job;
        using var cancelled = new CancellationTokenSource();
        using var lost = new CancellationTokenSource();
        using var done = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken, cancelled.Token, lost.Token);
        var renewing = RenewAsync(claim, cancelled, lost, done.Token);
        JobEnd? end = null;
        try
        {
            await earlier.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            log.LogInformation("Job {JobId} begins: {Operation} of {Item}, attempt {Attempt}", job.Id, job.Operation, job.NativeName, job.Attempt);
            end = await RunAsync(claim, cancelled, lost, stop.Token, stoppingToken);
            // From here on the end is written even if the server is asked to stop: it is one short transaction.
            if (end is not null && !lost.IsCancellationRequested) await FinishAsync(claim, end);
            if (end is null && !lost.IsCancellationRequested && stoppingToken.IsCancellationRequested) await ReturnAsync(claim);
        }
        finally
        {
            await done.CancelAsync();
            await renewing;
        }
    }

    private async Task ReturnAsync(JobClaim claim)
    {
        try
        {
            await ledger.TryReturnAsync(claim, CancellationToken.None);
        }
        catch (Exception e)
        {
            // The next start frees it all the same; it only counts one attempt more.
            log.LogWarning(e, "Job {JobId} could not be given back", claim.Job.Id);
        }
    }

    /// <summary>Runs the handler. Null: the job stays live for the next worker.</summary>
    private async Task<JobEnd?> RunAsync(
        JobClaim claim, CancellationTokenSource cancelled, CancellationTokenSource lost, CancellationToken stop, CancellationToken stoppingToken)
    {
        var job = claim.Job;
        if (_handlers.FirstOrDefault(h => h.Operation == job.Operation && (h.Kind ?? job.Kind) == job.Kind) is not { } handler) return Failed(job, JobErrors.Internal(job.Operation));
        var (end, isDone) = await TryAsync(claim, handler, cancelled, lost, stop, stoppingToken);
        if (end is not null && !isDone && !lost.IsCancellationRequested) await AbandonAsync(handler, claim, stoppingToken);
        return end;
    }

    /// <summary>Runs the handler. Done: it came to an end of its own, be it with warnings.</summary>
    private async Task<(JobEnd? End, bool IsDone)> TryAsync(
        JobClaim claim, IJobHandler handler, CancellationTokenSource cancelled, CancellationTokenSource lost, CancellationToken stop, CancellationToken stoppingToken)
    {
        var job = claim.Job;
        if (job.Attempt > options.MaxAttempts && !job.IsServing) return (Failed(job, JobErrors.Interrupted(job.Attempt - 1)), false);
        var run = new JobRun(ledger, claim, time);
        try
        {
            if (job.IsCancelRequested && !job.IsServing) return (Cancelled(job), false);
            if (job.IsCancelRequested) await cancelled.CancelAsync();
            return (await handler.RunAsync(run, stop), true);
        }
        catch (Exception e) when (e is ClaimLostException || (e is OperationCanceledException && lost.IsCancellationRequested))
        {
            log.LogWarning("Job {JobId} was claimed by another worker; this one stops", job.Id);
            return (null, false);
        }
        catch (OperationCanceledException) when (cancelled.IsCancellationRequested)
        {
            return (Cancelled(run.Job), false);
        }
        catch (Exception e) when (stoppingToken.IsCancellationRequested)
        {
            // Also other exceptions: what a handler relies on (a child process, a connection) may end with the server. A fault of the job's own comes again.
            log.LogInformation(e, "Job {JobId} is interrupted by the server's end and goes on at its next start", job.Id);
            return (null, false);
        }
        catch (Exception e) when (handler.Explain(e) is { } error)
        {
            log.LogWarning(e, "Job {JobId} failed: {Message}", job.Id, error.Message);
            return (Failed(run.Job, error), false);
        }
        catch (Exception e)
        {
            log.LogError(e, "Job {JobId} failed with a fault of our own", job.Id);
            return (Failed(run.Job, JobErrors.Internal(job.Operation)), false);
        }
        finally
        {
            await run.FlushAsync();
        }
    }

    private async Task AbandonAsync(IJobHandler handler, JobClaim claim, CancellationToken stoppingToken)
    {
        // Once: should the server die of this too, the job ends all the same.
        if (claim.Job.Attempt > options.MaxAttempts + 1) return;
        try
        {
            await handler.AbandonAsync(claim.Job, stoppingToken);
        }
        catch (Exception e)
        {
            log.LogWarning(e, "What earlier runs of job {JobId} left cannot be removed now", claim.Job.Id);
        }
    }

    private async Task FinishAsync(JobClaim claim, JobEnd end)
    {
        for (var tries = 1; ; tries++)
        {
            try
            {
                if (!await ledger.TryFinishAsync(claim, end.Job, end.Outcome, CancellationToken.None))
                    log.LogWarning("Job {JobId} could not be ended: its claim is lost", claim.Job.Id);
                else
                    log.LogInformation("Job {JobId} ended: {State}", claim.Job.Id, end.Job.State);
                return;
            }
            catch (Exception e) when (tries < 5)
            {
                log.LogWarning(e, "The end of job {JobId} cannot be written; trying again", claim.Job.Id);
                await Task.Delay(TimeSpan.FromMilliseconds(200 * tries), CancellationToken.None);
            }
            catch (Exception e)
            {
                // The job stays live and is run again when its lease is over: everything it does can be repeated.
                log.LogError(e, "The end of job {JobId} cannot be written; it will be run again", claim.Job.Id);
                return;
            }
        }
    }

    private async Task RenewAsync(JobClaim claim, CancellationTokenSource cancelled, CancellationTokenSource lost, CancellationToken done)
    {
        // Looks more often than the lease asks for, because this is also how a request to cancel reaches the job.
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1));
        try
        {
            while (await timer.WaitForNextTickAsync(done))
            {
                Job? job;
                try { job = await ledger.RenewAsync(claim, _owner, options.Lease, done); }
                catch (Exception e) when (e is not OperationCanceledException)
                {
                    log.LogWarning(e, "The lease of job {JobId} cannot be renewed; trying again", claim.Job.Id);
                    continue;
                }

                if (job is null) { await lost.CancelAsync(); return; }
                if (job.IsCancelRequested) await cancelled.CancelAsync();
            }
        }
        catch (OperationCanceledException) { }
    }

    private JobEnd Failed(Job job, JobError error) => Ended(job, JobStates.Failed, error);

    /// <summary>A machine's backup that is cancelled after its snapshot counts as completed with a warning; so the service.</summary>
    private JobEnd Cancelled(Job job)
    {
        var isSnapshotTaken = job is { Operation: JobOperations.Backup, Kind: ItemKind.VirtualMachine } && job.Tasks.Any(t => t.Name == BackupTasks.TakeSnapshot && t.State == JobStates.Completed);
        return Ended(job, isSnapshotTaken ? JobStates.CompletedWithWarnings : JobStates.Cancelled, JobErrors.Cancelled());
    }

    private JobEnd Ended(Job job, string state, JobError error)
    {
        var now = time.GetUtcNow();
        var taskState = state == JobStates.Failed ? state : JobStates.Cancelled;
        var tasks = job.Tasks.Select(t => t.State == JobStates.InProgress ? t with { State = taskState, EndedAt = now } : t);
        var outcome = job.Operation switch
        {
            JobOperations.Backup when state == JobStates.Failed => new() { ChangeItem = item => item with { LastBackupStatus = "Failed", LastBackupTime = now, LastBackupError = error } },
            JobOperations.VerifyRestore => new() { Verification = VerificationJobs.NotDone(job, error, now) },
            _ => JobOutcome.None,
        };
        return new(job with { State = state, EndedAt = now, Errors = [error], Tasks = [.. tasks] }, outcome);
    }
}
