using Strongroom.Backup.Items;
using Strongroom.Backup.Jobs;
using Strongroom.Backup.RecoveryPoints;

namespace Strongroom.Backup.Pipelines;

/// <summary>What a backup that made a recovery point comes to.</summary>
internal static class BackupOutcome
{
    /// <param name="job">As it ends.</param>
    public static JobOutcome Of(Job job, RecoveryPoint point) => new()
    {
        NewRecoveryPoint = point,
        ChangeItem = item => item with
        {
            LastBackupStatus = job.State,
            LastBackupError = job.State == JobStates.Completed ? item.LastBackupError : job.Errors.FirstOrDefault(),
            LastBackupTime = job.StartedAt,
            LastRecoveryPointTime = point.Time,
            // Protection may have been stopped while the backup ran.
            ProtectionState = item.ProtectionState == ProtectionStates.InitialPending ? ProtectionStates.Protected : item.ProtectionState,
        },
    };
}
