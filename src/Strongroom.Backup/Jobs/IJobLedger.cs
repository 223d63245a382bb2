using Strongroom.Backup.Items;
using Strongroom.Backup.RecoveryPoints;
using Strongroom.Backup.Verification;

namespace Strongroom.Backup.Jobs;

/// <summary>
/// The job ledger: admission, claims and every write of a worker. A job's row is the truth; whatever is in memory can be lost.
/// </summary>
/// <remarks>
/// At most one live job per item, and one more that runs beside it (<see cref="Job.RunsBeside"/>): the database holds the rule (a unique partial index),
/// so it cannot be raced. Where nothing else is said "live job" means the former.
/// Each write of a worker carries its fence in the WHERE: when another worker has claimed the job since, nothing is written and the
/// call answers false; the worker then stops without a trace.
/// </remarks>
public interface IJobLedger
{
    /// <summary>Adds a live job.</summary>
    /// <returns>False when the item has a live job of its kind (beside or not) already.</returns>
    Task<bool> TryAdmitAsync(Job job, CancellationToken cancellationToken);

    /// <summary>Adds a job that is over already (a change of configuration needs no worker).</summary>
    Task RecordAsync(Job job, CancellationToken cancellationToken);

    Task<Job?> FindAsync(Guid vaultKey, Guid jobId, CancellationToken cancellationToken);

    /// <summary>Newest first, at most <paramref name="count"/> of those after <paramref name="after"/>.</summary>
    Task<IReadOnlyList<Job>> ListAsync(Guid vaultKey, JobQuery query, JobPosition? after, int count, CancellationToken cancellationToken);

    Task<Job?> FindLiveAsync(Guid itemKey, CancellationToken cancellationToken);

    /// <summary>
    /// The recovery point of an item whose snapshot a worker holds while it is transferred; null when there is none. With the worker's claim the
    /// snapshot is gone, and so is this point.
    /// </summary>
    Task<PointInTransfer?> FindInTransferAsync(Guid itemKey, CancellationToken cancellationToken);

    /// <summary>Whether any job of any item is live, those that run beside included.</summary>
    Task<bool> HasLiveAsync(CancellationToken cancellationToken);

    /// <summary>Claims a live job that nobody works on (never claimed, or its lease is over): the oldest that is <see cref="Job.IsServing"/>, else the oldest.</summary>
    /// <param name="onlyServing">No other than one that is <see cref="Job.IsServing"/>.</param>
    Task<JobClaim?> ClaimAsync(string owner, TimeSpan lease, CancellationToken cancellationToken, bool onlyServing = false);

    /// <summary>The same among the jobs that run beside others.</summary>
    Task<JobClaim?> ClaimBesideAsync(string owner, TimeSpan lease, CancellationToken cancellationToken);

    /// <summary>Extends the lease and tells whether the job has been asked to end.</summary>
    /// <returns>The job as it is now, or null when the claim is lost.</returns>
    Task<Job?> RenewAsync(JobClaim claim, string owner, TimeSpan lease, CancellationToken cancellationToken);

    /// <summary>Writes what a running job shows (tasks, properties, progress); its state is left alone, so that a request to cancel is never overwritten.</summary>
    Task<bool> TryReportAsync(JobClaim claim, Job job, CancellationToken cancellationToken);

    /// <summary>Ends the job, and in the same transaction writes what it has come to.</summary>
    Task<bool> TryFinishAsync(JobClaim claim, Job job, JobOutcome outcome, CancellationToken cancellationToken);

    /// <summary>
    /// Takes all recovery points of the job's item off the list, before the store forgets what they point to: a point that is listed can be restored.
    /// </summary>
    /// <returns>False when the claim is lost; nothing was changed.</returns>
    Task<bool> TryUnlistAsync(JobClaim claim, CancellationToken cancellationToken);

    /// <summary>Gives a claim back because the server is asked to stop: the job is free at once, and the attempt is not counted, since it was not the job that ended it.</summary>
    /// <returns>False when the claim is lost.</returns>
    Task<bool> TryReturnAsync(JobClaim claim, CancellationToken cancellationToken);

    /// <summary>Ends a live job that no worker has ever begun.</summary>
    /// <returns>False when a worker was first.</returns>
    Task<bool> TryEndUnbegunAsync(Job job, CancellationToken cancellationToken);

    /// <summary>Asks a live job to end.</summary>
    /// <returns>False when it is not live.</returns>
    Task<bool> TryRequestCancelAsync(Guid vaultKey, Guid jobId, CancellationToken cancellationToken);

    /// <summary>Asks the job that runs beside others of an item to end, if there is one.</summary>
    Task RequestCancelBesideAsync(Guid itemKey, CancellationToken cancellationToken);

    /// <summary>
    /// Makes every live job claimable at once: called at start-up by the process that owns the data folder, since whoever held the claims is dead.
    /// </summary>
    Task ReleaseAllAsync(CancellationToken cancellationToken);
}

/// <summary>What a job changes besides itself when it ends.</summary>
public sealed record JobOutcome
{
    public static JobOutcome None { get; } = new();

    /// <summary>The recovery point that a backup made.</summary>
    public RecoveryPoint? NewRecoveryPoint { get; init; }

    /// <summary>Applied to the item as it is in that transaction, so that a change made meanwhile is not lost.</summary>
    public Func<ProtectedItem, ProtectedItem>? ChangeItem { get; init; }

    /// <summary>The result of a verification: kept if its recovery point is still there.</summary>
    public VerificationOutcome? Verification { get; init; }

    /// <summary>Removes the item with all its recovery points.</summary>
    public bool RemoveItem { get; init; }
}
