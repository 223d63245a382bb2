using Strongroom.Backup.Items;

namespace Strongroom.Backup.Jobs;

/// <summary>Does the work of one kind of job.</summary>
/// <remarks>
/// Must be repeatable: after a crash of the server the same job is run again from its request. Throws what it likes; the worker turns it
/// into the job's errors through <see cref="Explain"/>.
/// </remarks>
public interface IJobHandler
{
    /// <summary>One of <see cref="JobOperations"/>.</summary>
    string Operation { get; }

    /// <summary>The kind of items whose jobs it does; null: of all.</summary>
    ItemKind? Kind => null;

    /// <summary>Runs the job to its end.</summary>
    /// <param name="cancellationToken">Fires when the user cancels, the claim is lost or the server stops; the worker knows which.</param>
    Task<JobEnd> RunAsync(JobRun run, CancellationToken cancellationToken);

    /// <summary>The job ends without success: removes what an earlier run, which died, has left outside of the server. What it throws is logged, and changes nothing.</summary>
    /// <param name="job">As the earlier run left it.</param>
    Task AbandonAsync(Job job, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Says in the job's errors what an exception of <see cref="RunAsync"/> means, or null for a fault of our own.</summary>
    JobError? Explain(Exception exception);
}

/// <summary>How a job ended: its last look, and what it has come to.</summary>
public sealed record JobEnd(Job Job, JobOutcome Outcome);

/// <summary>A job under work: what the handler sees of its claim.</summary>
/// <remarks>
/// Reports may come from several threads. They are written one after another, each as the job is by then, so that an older look never
/// overwrites a newer one.
/// </remarks>
public sealed class JobRun(IJobLedger ledger, JobClaim claim, TimeProvider time)
{
    private static readonly TimeSpan ReportEvery = TimeSpan.FromMilliseconds(400);
    private readonly Lock _gate = new();
    private long _reportedAt;
    private Task _writing = Task.CompletedTask;

    public JobClaim Claim { get; } = claim;

    /// <summary>The job as the handler has it so far.</summary>
    public Job Job { get; private set; } = claim.Job;

    /// <summary>Changes what the job shows, and writes it now.</summary>
    /// <exception cref="ClaimLostException">Another worker has the job: whatever this one does from here on is in vain, and may do harm.</exception>
    public async Task ReportAsync(Func<Job, Job> change, CancellationToken cancellationToken)
    {
        Task<bool> writing;
        lock (_gate)
        {
            Job = change(Job);
            _writing = writing = WriteAfterAsync(_writing, cancellationToken);
        }

        if (!await writing) throw new ClaimLostException();
    }

    /// <summary>Changes what the job shows; written at most every so often, so that progress costs nothing.</summary>
    public void Progress(Func<Job, Job> change)
    {
        lock (_gate)
        {
            Job = change(Job);
            if (!_writing.IsCompleted || (_reportedAt != 0 && time.GetElapsedTime(_reportedAt) < ReportEvery)) return;
            _reportedAt = time.GetTimestamp();
            // Progress is for the eye: if it cannot be written now, the next one will be, and the end of the job is written for certain.
            _writing = WriteAfterAsync(_writing, CancellationToken.None);
        }
    }

    /// <summary>Waits until no report is on its way.</summary>
    public async Task FlushAsync()
    {
        Task writing;
        lock (_gate) writing = _writing;
        await writing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task<bool> WriteAfterAsync(Task before, CancellationToken cancellationToken)
    {
        // Not on the caller's thread: it holds the gate, and a database may be busy for long.
        await Task.Yield();
        await before.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Job job;
        lock (_gate) job = Job;
        return await ledger.TryReportAsync(Claim, job, cancellationToken);
    }
}

/// <summary>The job was claimed by another worker. A handler lets it pass.</summary>
public sealed class ClaimLostException() : Exception("The job was claimed by another worker.");
