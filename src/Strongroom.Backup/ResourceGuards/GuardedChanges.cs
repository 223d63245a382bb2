using Strongroom.Backup.Policies;
using Strongroom.Backup.Vaults;

namespace Strongroom.Backup.ResourceGuards;

/// <summary>Which changes are critical ones.</summary>
public static class GuardedChanges
{
    private const string Disabled = "Disabled";

    /// <summary>Refuses settings of a guarded vault that protect less than those it has.</summary>
    /// <exception cref="BackupRefusedException">The pass does not pass the guard.</exception>
    public static void RequireSettings(this GuardPass pass, Vault vault, VaultConfig after)
    {
        var before = vault.Config;
        var isFeatureLost = before.EnhancedSecurityState != Disabled && after.EnhancedSecurityState == Disabled;
        if (isFeatureLost || (before.IsSoftDeleteOn && !after.IsSoftDeleteOn)) pass.Require(vault, CriticalOperation.DisableSoftDelete);
        if (!before.IsImmutable) return;
        if (!after.IsImmutable) pass.Require(vault, CriticalOperation.ReduceImmutability);
        if (after.ImmutabilityDays < before.ImmutabilityDays) pass.Require(vault, CriticalOperation.ShortenImmutability);
    }

    /// <summary>Refuses that a policy takes the place of one that keeps more or backs up more often.</summary>
    /// <param name="operation">Through which door.</param>
    /// <exception cref="BackupRefusedException">The pass does not pass the guard.</exception>
    public static void RequirePolicy(this GuardPass pass, Vault vault, BackupPolicy before, BackupPolicy after, CriticalOperation operation)
    {
        if (vault.Guard is not null && PolicyComparison.IsWeaker(before, after)) pass.Require(vault, operation);
    }
}
