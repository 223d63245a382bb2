using Microsoft.EntityFrameworkCore;
using Strongroom.Backup.Items;
using Strongroom.Backup.Jobs;
using Strongroom.Backup.Pipelines.Restores;
using Strongroom.Backup.RecoveryPoints;
using Strongroom.Metadata.Items;
using Strongroom.Metadata.Verification;

namespace Strongroom.Metadata.Jobs;

/// <inheritdoc cref="IJobLedger"/>
internal sealed class JobLedger(IDbContextFactory<StrongroomContext> contexts) : IJobLedger
{
    /// <summary>Leases run on the real clock: moving a tester's clock must not make a job look abandoned.</summary>
    private static readonly TimeProvider RealTime = TimeProvider.System;

    /// <summary>SQLite's collation that ignores the case of ASCII letters, of which Azure's words are made.</summary>
    private const string IgnoreCase = "NOCASE";

    /// <summary>What <see cref="Job.IsServing"/> looks at, in a job's document.</summary>
    public const string ServingPath = "$.Request." + RestoreRequest.RecoveryTypeMember;

    public async Task<bool> TryAdmitAsync(Job job, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        // The item may be purged at this very moment; a job without an item would have nothing to work on.
        if (!await db.Items.AnyAsync(r => r.Key == job.ItemKey, cancellationToken)) return false;
        db.Jobs.Add(Row(job));
        if (!await db.TrySaveUniqueAsync(cancellationToken)) return false;
        await transaction.CommitAsync(cancellationToken);
        return true;
    }

    public async Task RecordAsync(Job job, CancellationToken cancellationToken)
    {
        if (job.IsLive) throw new ArgumentException("A live job must be admitted.", nameof(job));
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        db.Jobs.Add(Row(job));
        await db.SaveChangesAsync(cancellationToken);
    }

    public async Task<Job?> FindAsync(Guid vaultKey, Guid jobId, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var row = await db.Jobs.AsNoTracking().FirstOrDefaultAsync(r => r.Id == jobId && r.VaultKey == vaultKey, cancellationToken);
        return row is null ? null : Read(row);
    }

    public async Task<IReadOnlyList<Job>> ListAsync(Guid vaultKey, JobQuery query, JobPosition? after, int count, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var rows = db.Jobs.AsNoTracking().Where(r => r.VaultKey == vaultKey);
        if (query.State is { } state) rows = rows.Where(r => EF.Functions.Collate(r.State, IgnoreCase) == state);
        if (query.Operation is { } operation) rows = rows.Where(r => EF.Functions.Collate(StrongroomContext.JsonText(r.Document, "$.Operation"), IgnoreCase) == operation);
        if (query.Kind is { } kind && ItemNames.PrefixOf(kind) is var prefix) rows = rows.Where(r => StrongroomContext.JsonText(r.Document, "$.NativeName")!.StartsWith(prefix));
        if (query.JobId is { } id) rows = rows.Where(r => r.Id == id);
        if (query.From?.UtcTicks is { } from) rows = rows.Where(r => r.StartedAt >= from);
        if (query.Until?.UtcTicks is { } until) rows = rows.Where(r => r.StartedAt <= until);
        if (after is not null)
        {
            var (startedAt, last) = (after.StartedAt.UtcTicks, after.Id);
            rows = rows.Where(r => r.StartedAt < startedAt || (r.StartedAt == startedAt && r.Id.CompareTo(last) > 0));
        }

        return (await rows.OrderByDescending(r => r.StartedAt).ThenBy(r => r.Id).Take(count).ToListAsync(cancellationToken)).ConvertAll(Read);
    }

    public async Task<Job?> FindLiveAsync(Guid itemKey, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var row = await db.Jobs.AsNoTracking().FirstOrDefaultAsync(
            r => r.ItemKey == itemKey && !r.RunsBeside && (r.State == JobStates.InProgress || r.State == JobStates.Cancelling), cancellationToken);
        return row is null ? null : Read(row);
    }

    public async Task<PointInTransfer?> FindInTransferAsync(Guid itemKey, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var row = await db.Jobs.AsNoTracking().FirstOrDefaultAsync(
            r => r.ItemKey == itemKey && !r.RunsBeside && (r.State == JobStates.InProgress || r.State == JobStates.Cancelling) && r.LeaseUntil != null, cancellationToken);
        return row is not null && Read(row).InTransfer is { } point && point.Fence == row.Fence ? point : null;
    }

    public async Task<bool> HasLiveAsync(CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        return await db.Jobs.AnyAsync(r => r.State == JobStates.InProgress || r.State == JobStates.Cancelling, cancellationToken);
    }

    public Task<JobClaim?> ClaimAsync(string owner, TimeSpan lease, CancellationToken cancellationToken, bool onlyServing = false) => ClaimAsync(false, onlyServing, owner, lease, cancellationToken);

    public Task<JobClaim?> ClaimBesideAsync(string owner, TimeSpan lease, CancellationToken cancellationToken) => ClaimAsync(true, false, owner, lease, cancellationToken);

    private async Task<JobClaim?> ClaimAsync(bool beside, bool onlyServing, string owner, TimeSpan lease, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var now = RealTime.GetUtcNow();
        var (nowTicks, until) = (now.UtcTicks, (now + lease).UtcTicks);
        var claimable = db.Jobs.AsNoTracking()
            .Where(r => r.RunsBeside == beside && (r.State == JobStates.InProgress || r.State == JobStates.Cancelling) && (r.LeaseUntil == null || r.LeaseUntil < nowTicks)).OrderBy(r => r.StartedAt);
        var free = beside ? null : await claimable.Where(r => StrongroomContext.JsonText(r.Document, ServingPath) == RecoveryTypes.InstantBoot).FirstOrDefaultAsync(cancellationToken);
        if (free is null && !onlyServing) free = await claimable.FirstOrDefaultAsync(cancellationToken);
        if (free is null) return null;
        var fence = free.Fence + 1;
        // All that made it free is asked again: its worker may end it, or renew its lease, between the look and this write, and neither changes the fence.
        var claimed = await db.Jobs.Where(r => r.Id == free.Id && r.Fence == free.Fence
                && (r.State == JobStates.InProgress || r.State == JobStates.Cancelling) && (r.LeaseUntil == null || r.LeaseUntil < nowTicks)).ExecuteUpdateAsync(u => u
            .SetProperty(r => r.Fence, fence).SetProperty(r => r.Owner, owner).SetProperty(r => r.LeaseUntil, until)
            .SetProperty(r => r.Attempt, r => r.Attempt + 1), cancellationToken);
        if (claimed == 0) return null;
        var row = await db.Jobs.AsNoTracking().FirstOrDefaultAsync(r => r.Id == free.Id && r.Fence == fence, cancellationToken);
        return row is null ? null : new JobClaim(Read(row), fence);
    }

    public async Task<Job?> RenewAsync(JobClaim claim, string owner, TimeSpan lease, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var until = (RealTime.GetUtcNow() + lease).UtcTicks;
        var renewed = await db.Jobs.Where(r => r.Id == claim.Job.Id && r.Fence == claim.Fence && r.Owner == owner
                && (r.State == JobStates.InProgress || r.State == JobStates.Cancelling))
            .ExecuteUpdateAsync(u => u.SetProperty(r => r.LeaseUntil, until), cancellationToken);
        if (renewed == 0) return null;
        var row = await db.Jobs.AsNoTracking().FirstOrDefaultAsync(r => r.Id == claim.Job.Id, cancellationToken);
        return row is null ? null : Read(row);
    }

    public async Task<bool> TryReportAsync(JobClaim claim, Job job, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var document = Documents.Write(job, Documents.Default.Job);
        return await db.Jobs.Where(r => r.Id == job.Id && r.Fence == claim.Fence && (r.State == JobStates.InProgress || r.State == JobStates.Cancelling))
            .ExecuteUpdateAsync(u => u.SetProperty(r => r.Document, document), cancellationToken) == 1;
    }

    public async Task<bool> TryFinishAsync(JobClaim claim, Job job, JobOutcome outcome, CancellationToken cancellationToken)
    {
        if (job.IsLive) throw new ArgumentException("A finished job has a final state.", nameof(job));
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var document = Documents.Write(job with { InTransfer = null }, Documents.Default.Job);
        var finished = await db.Jobs.Where(r => r.Id == job.Id && r.Fence == claim.Fence && (r.State == JobStates.InProgress || r.State == JobStates.Cancelling))
            .ExecuteUpdateAsync(u => u.SetProperty(r => r.State, job.State).SetProperty(r => r.Document, document)
                .SetProperty(r => r.Owner, (string?)null).SetProperty(r => r.LeaseUntil, (long?)null), cancellationToken);
        if (finished == 0) return false;

        if (outcome.NewRecoveryPoint is { } point)
        {
            db.Points.Add(CatalogueWriter.Row(point));
            await db.SaveChangesAsync(cancellationToken);
        }

        if (outcome.Verification is { } verification) await PointVerificationRepository.PutAsync(db, job.ItemKey, verification, cancellationToken);
        if (outcome.RemoveItem)
        {
            await db.Points.Where(r => r.ItemKey == job.ItemKey).ExecuteDeleteAsync(cancellationToken);
            await db.Items.Where(r => r.Key == job.ItemKey).ExecuteDeleteAsync(cancellationToken);
        }
        else if (outcome.ChangeItem is { } change)
        {
            // Read inside the transaction, which holds SQLite's write lock from its begin: nobody else can write the item in between.
            var item = ItemRepository.Read(await db.Items.AsNoTracking().FirstOrDefaultAsync(r => r.Key == job.ItemKey, cancellationToken));
            if (item is not null) await ItemRepository.UpdateAsync(db, change(item), cancellationToken);
        }

        await transaction.CommitAsync(cancellationToken);
        return true;
    }

    public async Task<bool> TryUnlistAsync(JobClaim claim, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var isHeld = await db.Jobs.AnyAsync(
            r => r.Id == claim.Job.Id && r.Fence == claim.Fence && (r.State == JobStates.InProgress || r.State == JobStates.Cancelling), cancellationToken);
        if (!isHeld) return false;
        await db.Points.Where(r => r.ItemKey == claim.Job.ItemKey).ExecuteDeleteAsync(cancellationToken);
        var item = ItemRepository.Read(await db.Items.AsNoTracking().FirstOrDefaultAsync(r => r.Key == claim.Job.ItemKey, cancellationToken));
        if (item is not null) await ItemRepository.UpdateAsync(db, item with { LastRecoveryPointTime = null }, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return true;
    }

    public async Task<bool> TryReturnAsync(JobClaim claim, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        return await db.Jobs.Where(r => r.Id == claim.Job.Id && r.Fence == claim.Fence && (r.State == JobStates.InProgress || r.State == JobStates.Cancelling))
            .ExecuteUpdateAsync(u => u.SetProperty(r => r.Attempt, r => r.Attempt - 1)
                .SetProperty(r => r.Owner, (string?)null).SetProperty(r => r.LeaseUntil, (long?)null), cancellationToken) == 1;
    }

    public async Task<bool> TryEndUnbegunAsync(Job job, CancellationToken cancellationToken)
    {
        if (job.IsLive) throw new ArgumentException("A finished job has a final state.", nameof(job));
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var document = Documents.Write(job, Documents.Default.Job);
        // No fence was ever given out: nobody has done anything for it that would have to be undone.
        return await db.Jobs.Where(r => r.Id == job.Id && r.VaultKey == job.VaultKey && r.Fence == 0 && (r.State == JobStates.InProgress || r.State == JobStates.Cancelling))
            .ExecuteUpdateAsync(u => u.SetProperty(r => r.State, job.State).SetProperty(r => r.Document, document), cancellationToken) == 1;
    }

    public async Task<bool> TryRequestCancelAsync(Guid vaultKey, Guid jobId, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        return await db.Jobs.Where(r => r.Id == jobId && r.VaultKey == vaultKey && (r.State == JobStates.InProgress || r.State == JobStates.Cancelling))
            .ExecuteUpdateAsync(u => u.SetProperty(r => r.State, JobStates.Cancelling), cancellationToken) == 1;
    }

    public async Task RequestCancelBesideAsync(Guid itemKey, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        await db.Jobs.Where(r => r.ItemKey == itemKey && r.RunsBeside && r.State == JobStates.InProgress)
            .ExecuteUpdateAsync(u => u.SetProperty(r => r.State, JobStates.Cancelling), cancellationToken);
    }

    public async Task ReleaseAllAsync(CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        await db.Jobs.Where(r => r.LeaseUntil != null).ExecuteUpdateAsync(u => u
            .SetProperty(r => r.LeaseUntil, (long?)null).SetProperty(r => r.Owner, (string?)null), cancellationToken);
    }

    internal static JobRow Row(Job job) => new()
    {
        Id = job.Id,
        VaultKey = job.VaultKey,
        ItemKey = job.ItemKey,
        RunsBeside = job.RunsBeside,
        State = job.State,
        StartedAt = job.StartedAt.UtcTicks,
        Fence = job.Fence,
        Attempt = job.Attempt,
        Document = Documents.Write(job, Documents.Default.Job),
    };

    private static Job Read(JobRow row) => Documents.Read(row.Document, Documents.Default.Job) with { State = row.State, Fence = row.Fence, Attempt = row.Attempt };
}
