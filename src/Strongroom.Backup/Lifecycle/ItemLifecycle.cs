using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Strongroom.Backup.Items;
using Strongroom.Backup.Jobs;
using Strongroom.Backup.Pipelines;
using Strongroom.Backup.Policies;
using Strongroom.Backup.RecoveryPoints;
using Strongroom.Backup.Verification;

namespace Strongroom.Backup.Lifecycle;

/// <summary>Does with each item what its time has come for: expired recovery points go, schedules start backups, items that were deleted softly are purged.</summary>
/// <remarks>Looks only at items that are due; when none is, that is one look into an index. An item with a live job stays due and is looked at again.</remarks>
public sealed class ItemLifecycle(
    IItemAgenda agenda, IItemRepository items, IPolicyRepository policies, IRecoveryPointRepository points, IJobLedger ledger, PointPruning pruning, VerificationSchedule verifications,
    JobSignal signal, LifecycleOptions options, TimeProvider time, ILogger<ItemLifecycle> log) : IDisposable
{
    /// <summary>A purge that failed is begun again after this time.</summary>
    private static readonly TimeSpan PurgeRetry = TimeSpan.FromDays(1);

    /// <summary>An item that cannot be looked at is looked at again after this time.</summary>
    private static readonly TimeSpan FaultRetry = TimeSpan.FromHours(1);

    private readonly SemaphoreSlim _turn = new(1, 1);

    public void Dispose() => _turn.Dispose();

    /// <summary>One pass over all items that are due; ends early when so many jobs are live that no other is to be started. Passes go one after another: of two at once, the older would set next times by an older clock.</summary>
    public async Task RunOnceAsync(CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try { await RunAsync(time.GetUtcNow(), cancellationToken); }
        finally { _turn.Release(); }
    }

    private async Task RunAsync(DateTimeOffset now, CancellationToken cancellationToken)
    {
        foreach (var due in await agenda.ListDueAsync(now, cancellationToken))
        {
            try
            {
                if (!await LookAsync(due, now, cancellationToken)) return;
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                // One item must not keep all others from their turn.
                log.LogError(e, "Item {ItemKey} cannot be looked at; it is tried again in an hour", due.ItemKey);
                await agenda.SetNextAsync(due, now + FaultRetry, cancellationToken);
            }
        }
    }

    /// <returns>False: no other job is to be started now.</returns>
    private async Task<bool> LookAsync(DueItem due, DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (await items.FindAsync(due.ItemKey, cancellationToken) is not { } item) return true;
        if (await ledger.FindLiveAsync(item.Key, cancellationToken) is not null) return true;
        if (item.IsDeleted) return await PurgeAsync(due, item, now, cancellationToken);

        var policy = item.PolicyName.Length == 0 ? null : await policies.FindAsync(item.VaultKey, item.PolicyName, cancellationToken);
        var terms = policy is null ? null : ItemTerms.TryRead(policy);
        (item, var next) = await pruning.RunAsync(item, terms, now, cancellationToken);
        if (terms is not null && item.IsBackedUp)
        {
            var schedule = ItemSchedule.Of(item, policy!, terms, options.Spread);
            if (schedule.Missed(now) is { } missed)
                return await FireAsync(item with { ScheduledUntil = missed }, BackupJobs.New(item, null, missed, now), cancellationToken);
            if (schedule.Next(now) is { } backup && !(next < backup)) next = backup;
        }

        if (policy is not null && await verifications.RunAsync(item, policy, now, cancellationToken) is { } verification && !(next < verification)) next = verification;
        await agenda.SetNextAsync(due, next, cancellationToken);
        return true;
    }

    private async Task<bool> PurgeAsync(DueItem due, ProtectedItem item, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var at = item.DeletedAt!.Value.AddDays(item.SoftDeleteDays);
        if (item.ScheduledUntil + PurgeRetry is { } again && item.ScheduledUntil > item.DeletedAt && again > at) at = again;
        if (at > now)
        {
            await agenda.SetNextAsync(due, at, cancellationToken);
            return true;
        }

        var count = (await points.SummarizeAsync(item.Key, cancellationToken)).Count;
        var job = JobFactory.New(item, JobOperations.DeleteBackupData, now) with
        {
            Request = new JsonObject { [DeleteHandler.IsPurge] = true },
            Properties = item.Properties(("Number of Recovery Points", count.ToString(CultureInfo.InvariantCulture))),
        };
        return await FireAsync(item with { ScheduledUntil = now }, job, cancellationToken);
    }

    private async Task<bool> FireAsync(ProtectedItem item, Job job, CancellationToken cancellationToken)
    {
        if (await agenda.CountLiveJobsAsync(cancellationToken) >= options.MaxLiveJobs) return false;
        if (!await agenda.TryFireAsync(item, job, cancellationToken)) return true;
        log.LogInformation("{Operation} of {Item} begins by itself as job {JobId}", job.Operation, item.NativeName, job.Id);
        signal.Raise();
        return true;
    }
}
