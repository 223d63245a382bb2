namespace Strongroom.Backup.Vaults;

/// <summary>Whether a vault gives up backup data before its time.</summary>
public static class ImmutabilityStates
{
    public const string Disabled = "Disabled";

    /// <summary>It does not; the setting can be taken back.</summary>
    public const string Unlocked = "Unlocked";

    /// <summary>It does not, and the setting can never be taken back.</summary>
    public const string Locked = "Locked";
}

/// <summary>A wish to change a vault's security settings; null means "not said".</summary>
/// <param name="SoftDeleteDays">14 to 180.</param>
/// <param name="ImmutabilityDays">0: recovery points are kept as their policy says; else days that all are kept for at least, 1 to 36,500.</param>
public sealed record SecurityChange(string? SoftDelete, int? SoftDeleteDays, string? EnhancedSecurity, string? Immutability = null, int? ImmutabilityDays = null);

/// <summary>
/// Soft delete and immutability of a vault, whichever door they are changed through (<c>securitySettings</c> of the vault or <c>backupconfig/vaultconfig</c>).
/// </summary>
public static class VaultSecurity
{
    public const string AlwaysOn = "AlwaysON";

    private const string Disabled = "Disabled";
    private const int GreatestImmutabilityDays = 36_500;

    private static readonly string[] States = ["Enabled", Disabled, AlwaysOn];
    private static readonly string[] ImmutabilityKnown = [ImmutabilityStates.Disabled, ImmutabilityStates.Unlocked, ImmutabilityStates.Locked];

    /// <summary>The settings after a change.</summary>
    /// <param name="isNew">The vault is being made: nothing is taken back.</param>
    /// <exception cref="BackupRefusedException">A value that does not exist, or a way back that does not exist.</exception>
    public static VaultConfig Change(VaultConfig config, SecurityChange change, bool isNew)
    {
        if (change.SoftDeleteDays is < 14 or > 180)
            throw Invalid($"softDeleteRetentionPeriodInDays is {change.SoftDeleteDays}; it must be from 14 to 180.", "softDeleteRetentionPeriodInDays");
        if (change.ImmutabilityDays is < 0 or > GreatestImmutabilityDays)
            throw Invalid($"durationInDays is {change.ImmutabilityDays}; it must be from 1 to {GreatestImmutabilityDays}.", "durationInDays");

        var next = config with
        {
            SoftDeleteFeatureState = Known(change.SoftDelete, States, "softDeleteFeatureState") ?? config.SoftDeleteFeatureState,
            SoftDeleteRetentionDays = change.SoftDeleteDays ?? config.SoftDeleteRetentionDays,
            EnhancedSecurityState = Known(change.EnhancedSecurity, States, "enhancedSecurityState") ?? config.EnhancedSecurityState,
            Immutability = Known(change.Immutability, ImmutabilityKnown, "immutabilitySettings.state") ?? config.Immutability,
            ImmutabilityDays = change.ImmutabilityDays ?? config.ImmutabilityDays,
        };
        RequireImmutabilityStep(config, next);
        if (!isNew) RequireSoftDeleteStep(config, next);
        return next;
    }

    private static void RequireImmutabilityStep(VaultConfig before, VaultConfig after)
    {
        if (before.Immutability == ImmutabilityStates.Locked && after.Immutability != ImmutabilityStates.Locked)
            throw new BackupRefusedException(BackupRefusal.ImmutabilityStateChange, "Immutability of this vault is locked. It stays so for ever: it cannot be unlocked or disabled.");
        if (before.Immutability == ImmutabilityStates.Disabled && after.Immutability == ImmutabilityStates.Locked)
            throw new BackupRefusedException(BackupRefusal.ImmutabilityStateChange, "Immutability can be locked only where it is enabled already. Set it to 'Unlocked' first, then to 'Locked'.");
        if (before.Immutability == ImmutabilityStates.Locked && after.ImmutabilityDays < before.ImmutabilityDays)
            throw new BackupRefusedException(BackupRefusal.ImmutabilityStateChange, $"Immutability of this vault is locked: recovery points are kept for {before.ImmutabilityDays} days, which cannot become fewer.");
    }

    private static void RequireSoftDeleteStep(VaultConfig before, VaultConfig after)
    {
        if ((before.SoftDeleteFeatureState == AlwaysOn && after.SoftDeleteFeatureState != AlwaysOn) || (before.EnhancedSecurityState == AlwaysOn && after.EnhancedSecurityState != AlwaysOn))
            throw AlwaysOnRefusal("Soft delete of this vault is always on and can never be switched off.");
        if (after.IsImmutable && before.IsSoftDeleteOn && !after.IsSoftDeleteOn)
            throw AlwaysOnRefusal("The vault is immutable: soft delete cannot be switched off.");
        if ((before.IsSoftDeleteAlwaysOn || before.Immutability == ImmutabilityStates.Locked) && after.SoftDeleteRetentionDays < before.SoftDeleteRetentionDays)
            throw AlwaysOnRefusal($"Deleted backup data of this vault is kept for {before.SoftDeleteRetentionDays} days. This cannot become fewer, because soft delete is always on or immutability is locked.");
    }

    private static string? Known(string? text, string[] states, string target) => text is null
        ? null
        : states.FirstOrDefault(s => s.Equals(text, StringComparison.OrdinalIgnoreCase))
            ?? throw Invalid($"'{(text.Length > 60 ? text[..60] : text)}' is not a state: use {string.Join(", ", states)}.", target);

    private static BackupRefusedException AlwaysOnRefusal(string message) => new(BackupRefusal.SoftDeleteAlwaysOn, message);

    private static BackupRefusedException Invalid(string message, string target) => new(BackupRefusal.InvalidInput, message, target);
}
