using Strongroom.Backup.Jobs;
using Strongroom.Backup.RecoveryPoints;

namespace Strongroom.Backup.Tests.Support;

/// <summary>What happens to a call of a worker.</summary>
internal enum LedgerFault
{
    /// <summary>It throws, and nothing is written: the database is out of reach.</summary>
    Throws,

    /// <summary>Another worker has the job.</summary>
    Lost,

    /// <summary>It is written, and throws then: the answer went missing.</summary>
    ThrowsAfterwards,
}

/// <summary>A ledger whose n-th write by a worker goes wrong, with all that follow until it is healed.</summary>
internal sealed class FaultyLedger(IJobLedger inner, LedgerFault fault, int failsFrom) : IJobLedger
{
    private int _writes;

    public bool HasFailed { get; private set; }

    public bool IsHealed { get; set; }

    /// <summary>Called with the number of a write before it is made.</summary>
    public Func<int, Task>? BeforeWrite { get; set; }

    public Task<bool> TryAdmitAsync(Job job, CancellationToken cancellationToken) => inner.TryAdmitAsync(job, cancellationToken);

    public Task RecordAsync(Job job, CancellationToken cancellationToken) => inner.RecordAsync(job, cancellationToken);

    public Task<Job?> FindAsync(Guid vaultKey, Guid jobId, CancellationToken cancellationToken) => inner.FindAsync(vaultKey, jobId, cancellationToken);

    public Task<IReadOnlyList<Job>> ListAsync(Guid vaultKey, JobQuery query, JobPosition? after, int count, CancellationToken cancellationToken) =>
        inner.ListAsync(vaultKey, query, after, count, cancellationToken);

    public Task<bool> TryEndUnbegunAsync(Job job, CancellationToken cancellationToken) => inner.TryEndUnbegunAsync(job, cancellationToken);

    public Task<Job?> FindLiveAsync(Guid itemKey, CancellationToken cancellationToken) => inner.FindLiveAsync(itemKey, cancellationToken);

    public Task<PointInTransfer?> FindInTransferAsync(Guid itemKey, CancellationToken cancellationToken) => inner.FindInTransferAsync(itemKey, cancellationToken);

    public Task<bool> HasLiveAsync(CancellationToken cancellationToken) => inner.HasLiveAsync(cancellationToken);

    public Task<JobClaim?> ClaimAsync(string owner, TimeSpan lease, CancellationToken cancellationToken, bool onlyServing = false) =>
        inner.ClaimAsync(owner, lease, cancellationToken, onlyServing);

    public Task<JobClaim?> ClaimBesideAsync(string owner, TimeSpan lease, CancellationToken cancellationToken) => inner.ClaimBesideAsync(owner, lease, cancellationToken);

    public Task RequestCancelBesideAsync(Guid itemKey, CancellationToken cancellationToken) => inner.RequestCancelBesideAsync(itemKey, cancellationToken);

    public Task<Job?> RenewAsync(JobClaim claim, string owner, TimeSpan lease, CancellationToken cancellationToken) => inner.RenewAsync(claim, owner, lease, cancellationToken);

    public Task<bool> TryReportAsync(JobClaim claim, Job job, CancellationToken cancellationToken) =>
        WriteAsync(() => inner.TryReportAsync(claim, job, cancellationToken));

    public Task<bool> TryFinishAsync(JobClaim claim, Job job, JobOutcome outcome, CancellationToken cancellationToken) =>
        WriteAsync(() => inner.TryFinishAsync(claim, job, outcome, cancellationToken));

    public Task<bool> TryUnlistAsync(JobClaim claim, CancellationToken cancellationToken) => WriteAsync(() => inner.TryUnlistAsync(claim, cancellationToken));

    public Task<bool> TryRequestCancelAsync(Guid vaultKey, Guid jobId, CancellationToken cancellationToken) => inner.TryRequestCancelAsync(vaultKey, jobId, cancellationToken);

    public Task<bool> TryReturnAsync(JobClaim claim, CancellationToken cancellationToken) => inner.TryReturnAsync(claim, cancellationToken);

    public Task ReleaseAllAsync(CancellationToken cancellationToken) => inner.ReleaseAllAsync(cancellationToken);

    private async Task<bool> WriteAsync(Func<Task<bool>> write)
    {
        var number = Interlocked.Increment(ref _writes);
        if (BeforeWrite is { } before) await before(number);
        if (number < failsFrom || IsHealed) return await write();
        HasFailed = true;
        if (fault == LedgerFault.Lost) return false;
        if (fault == LedgerFault.ThrowsAfterwards) await write();
        throw new IOException("The database is out of reach.");
    }
}
