using Strongroom.Backup.Jobs;

namespace Strongroom.Backup.Tests.Support;

/// <summary>A handler that does what a test says.</summary>
internal sealed class FakeHandler(Func<JobRun, CancellationToken, Task> work) : IJobHandler
{
    private int _now;
    private int _begun;

    public string Operation => JobOperations.Backup;

    public int Begun => Volatile.Read(ref _begun);

    public int Now => Volatile.Read(ref _now);

    public int MostAtOnce { get; private set; }

    /// <summary>The most runs of one job at the same time.</summary>
    public int MostOfOneJob { get; private set; }

    private readonly Dictionary<Guid, int> _byJob = [];

    public async Task<JobEnd> RunAsync(JobRun run, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _begun);
        lock (_byJob)
        {
            MostAtOnce = Math.Max(MostAtOnce, Interlocked.Increment(ref _now));
            var same = _byJob[run.Job.Id] = _byJob.GetValueOrDefault(run.Job.Id) + 1;
            MostOfOneJob = Math.Max(MostOfOneJob, same);
        }

        try
        {
            await work(run, cancellationToken);
            return new(run.Job with { State = JobStates.Completed, EndedAt = run.Job.StartedAt }, JobOutcome.None);
        }
        finally
        {
            lock (_byJob) _byJob[run.Job.Id]--;
            Interlocked.Decrement(ref _now);
        }
    }

    public JobError? Explain(Exception exception) => exception is IOException ? JobErrors.BackupFailed(exception.Message) : null;
}
