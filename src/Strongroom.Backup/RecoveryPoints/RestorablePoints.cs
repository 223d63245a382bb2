using Strongroom.Backup.Items;
using Strongroom.Backup.Jobs;

namespace Strongroom.Backup.RecoveryPoints;

/// <summary>Finds the point that somebody wants to read.</summary>
public static class RestorablePoints
{
    /// <summary>The point of that name, whose disks are all in the vault.</summary>
    /// <exception cref="BackupRefusedException">There is none, or its disks are on their way into the vault.</exception>
    public static async Task<RecoveryPoint> FindRestorableAsync(
        this IRecoveryPointRepository points, IJobLedger ledger, ProtectedItem item, string name, CancellationToken cancellationToken)
    {
        // What is on its way is read first: when it arrives between the two looks it is found in the vault.
        var moving = await ledger.FindInTransferAsync(item.Key, cancellationToken);
        if (await points.FindAsync(item.Key, name, cancellationToken) is { } point) return point;
        throw moving?.Name != name
            ? item.PointNotFound(name)
            : new BackupRefusedException(BackupRefusal.ItemBusy,
                $"Recovery point '{name}' of '{item.FriendlyName}' is being transferred to the vault. It can be restored when its backup job has completed.", item.FriendlyName);
    }

    /// <exception cref="BackupRefusedException">The item is deleted softly: nothing is read of it before it is undeleted.</exception>
    public static void RequireNotDeleted(this ProtectedItem item)
    {
        if (item.IsDeleted) throw new BackupRefusedException(BackupRefusal.ItemSoftDeleted, $"'{item.FriendlyName}' is soft-deleted. Undelete it before you restore from it.");
    }

    public static BackupRefusedException PointNotFound(this ProtectedItem item, string name) =>
        new(BackupRefusal.RecoveryPointNotFound, $"Recovery point '{name}' of '{item.FriendlyName}' does not exist.");
}
