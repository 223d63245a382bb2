using Strongroom.Backup.Items;
using Strongroom.Backup.Policies;
using Strongroom.Backup.RecoveryPoints;

namespace Strongroom.Backup.Vaults;

/// <summary>What a vault that is immutable refuses: to give up backup data before it expires.</summary>
public static class VaultImmutability
{
    /// <summary>Until when a recovery point is locked in the store; null: not at all.</summary>
    /// <param name="expiresAt">When it expires; null where the policy decides day by day.</param>
    public static DateTimeOffset? LockUntil(Vault vault, DateTimeOffset? expiresAt) => vault.Config.Immutability == ImmutabilityStates.Locked ? expiresAt : null;

    /// <summary>Refuses the deletion of an item's data in an immutable vault while one of its recovery points has not expired.</summary>
    /// <exception cref="BackupRefusedException">Immutable.</exception>
    public static void RequireDeletable(Vault vault, ProtectedItem item, IEnumerable<RecoveryPoint> points, DateTimeOffset now)
    {
        var young = now.AddDays(-vault.Config.ImmutabilityDays);
        if (vault.Config.IsImmutable && points.Count(p => !(p.ExpiresAt <= now) || p.Time > young) is > 0 and var kept)
        {
            throw new BackupRefusedException(BackupRefusal.Immutable,
                $"Vault '{vault.Name}' is immutable: {kept} recovery points of '{item.FriendlyName}' have not expired, so its backup data cannot be deleted. Stop its protection and keep the data, or wait.", item.FriendlyName);
        }
    }

    /// <summary>Refuses, in an immutable vault, that recovery points which a policy keeps would be kept for a shorter time.</summary>
    /// <param name="before">The policy that keeps them now.</param>
    /// <param name="after">The same policy changed, or the one that is to take its place.</param>
    /// <exception cref="BackupRefusedException">Immutable.</exception>
    public static void RequireNoShorter(Vault vault, BackupPolicy before, BackupPolicy after)
    {
        if (!vault.Config.IsImmutable || before.Kind is null || after.Kind is null) return;
        var (had, has) = (PolicyTerms.Read(before).Retention, PolicyTerms.Read(after).Retention);
        if (PolicyComparison.ShorterTag(had, has) is { } tag)
        {
            throw new BackupRefusedException(BackupRefusal.Immutable,
                $"Vault '{vault.Name}' is immutable: policy '{after.Name}' would keep {tag} recovery points for a shorter time than '{before.Name}' does. Retention can only become longer.", after.Name);
        }
    }
}
