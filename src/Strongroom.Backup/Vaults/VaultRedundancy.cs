namespace Strongroom.Backup.Vaults;

/// <summary>
/// The redundancy of a vault, which has two doors: <c>redundancySettings</c> of the vault, and <c>backupstorageconfig/vaultstorageconfig</c>. Whoever has used
/// the first is held to it.
/// </summary>
public static class VaultRedundancy
{
    private static readonly string[] Known = ["GeoRedundant", "LocallyRedundant", "ZoneRedundant", "ReadAccessGeoZoneRedundant"];

    /// <summary>The settings after a change through the vault itself; null means "not said".</summary>
    /// <exception cref="BackupRefusedException">A value that does not exist, or a way that does not exist any more.</exception>
    public static VaultConfig ChangeByVault(VaultConfig config, string? redundancy, bool? crossRegion, bool isNew)
    {
        var next = Change(config, redundancy, crossRegion, "properties.redundancySettings");
        // A client that sends back what it read has not chosen this door.
        return next != config || (isNew && redundancy is not null) ? next with { IsRedundancySetByVault = true } : config;
    }

    /// <summary>The settings after a change through <c>vaultstorageconfig</c>; null means "not said".</summary>
    /// <exception cref="BackupRefusedException">As <see cref="ChangeByVault"/>; or the other door has been used.</exception>
    public static VaultConfig ChangeByStorageConfig(VaultConfig config, string? redundancy, bool? crossRegion)
    {
        var next = Change(config, redundancy, crossRegion, "properties.storageModelType");
        return next == config || !config.IsRedundancySetByVault ? next : throw new BackupRefusedException(
            BackupRefusal.RedundancySetByVault, "The redundancy of this vault was set by redundancySettings of the vault itself, and can be changed only there.");
    }

    private static VaultConfig Change(VaultConfig config, string? redundancy, bool? crossRegion, string target)
    {
        var known = redundancy is null ? config.StorageModelType : Known.FirstOrDefault(k => k.Equals(redundancy, StringComparison.OrdinalIgnoreCase))
            ?? throw Invalid($"'{(redundancy.Length > 60 ? redundancy[..60] : redundancy)}' is not a redundancy: {string.Join(", ", Known)}.", target);
        if (config.IsStorageTypeLocked && known != config.StorageModelType)
            throw new BackupRefusedException(BackupRefusal.RedundancyLocked, "The redundancy cannot be changed any more: the vault has protected an item.", target);
        if (config.CrossRegionRestore && crossRegion == false)
            throw Invalid("Cross-region restore cannot be switched off.", target);
        var crosses = crossRegion ?? config.CrossRegionRestore;
        if (crosses && known is ("LocallyRedundant" or "ZoneRedundant"))
            throw Invalid($"Cross-region restore needs a redundancy that reaches another region; '{known}' does not.", target);
        return config with { StorageModelType = known, CrossRegionRestore = crosses };
    }

    private static BackupRefusedException Invalid(string message, string target) => new(BackupRefusal.InvalidInput, message, target);
}
