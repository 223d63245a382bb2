using Microsoft.Extensions.Logging;
using Strongroom.Backup.Items;
using Strongroom.Backup.Jobs;
using Strongroom.Backup.Policies;
using Strongroom.Backup.RecoveryPoints;

namespace Strongroom.Backup.Verification;

/// <summary>Begins the verification of an item's newest recovery point when its policy wants one.</summary>
public sealed class VerificationSchedule(IRecoveryPointRepository points, IPointVerificationRepository verifications, IJobLedger ledger, ILogger<VerificationSchedule> log)
{
    /// <returns>When the item is to be looked at again for this; null: when something is written of it.</returns>
    public async Task<DateTimeOffset?> RunAsync(ProtectedItem item, BackupPolicy policy, DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (policy.Verification is not { IsEnabled: true } terms || !item.IsBackedUp) return null;
        if (await points.ListAsync(item.Key, null, null, null, 1, cancellationToken) is not [var newest]) return null;
        if (await verifications.FindAsync(item.Key, newest.Name, cancellationToken) is not null) return null;
        if (await verifications.FindLastAsync(item.Key, cancellationToken) + terms.Interval is { } at && at > now) return at;

        // One that runs already, of an older point, makes the item due by its end.
        var job = VerificationJobs.New(item, newest, terms, now);
        if (await ledger.TryAdmitAsync(job, cancellationToken))
            log.LogInformation("Recovery point {Point} of {Item} is verified by job {JobId}", newest.Name, item.NativeName, job.Id);
        return null;
    }
}
