using Strongroom.Arm;
using Strongroom.Backup.Vaults;

namespace Strongroom.Api.RecoveryServices.Vaults;

/// <summary>
/// The redundancy as <c>properties.redundancySettings</c> of a vault and as <c>backupstorageconfig/vaultstorageconfig</c>: two doors to the same setting.
/// </summary>
internal static class VaultRedundancy
{
    private static readonly string[] Known = ["GeoRedundant", "LocallyRedundant", "ZoneRedundant", "ReadAccessGeoZoneRedundant"];

    /// <summary>The settings after a change; null means "not said".</summary>
    /// <exception cref="ArmException">400: a value that does not exist, or a way back that does not exist.</exception>
    public static VaultConfig Change(VaultConfig config, string? redundancy, bool? crossRegion, string target)
    {
        var known = redundancy is null ? config.StorageModelType : Known.FirstOrDefault(k => k.Equals(redundancy, StringComparison.OrdinalIgnoreCase))
            ?? throw RecoveryServicesErrors.InvalidInput($"'{(redundancy.Length > 60 ? redundancy[..60] : redundancy)}' is not a redundancy: {string.Join(", ", Known)}.", target);
        if (config.IsStorageTypeLocked && known != config.StorageModelType)
            throw ArmErrors.Custom(400, "BMSUserErrorStorageTypeLocked", "The redundancy cannot be changed any more: the vault has protected an item.", target);
        if (config.CrossRegionRestore && crossRegion == false)
            throw RecoveryServicesErrors.InvalidInput("Cross-region restore cannot be switched off.", target);
        return config with { StorageModelType = known, CrossRegionRestore = crossRegion ?? config.CrossRegionRestore };
    }
}
