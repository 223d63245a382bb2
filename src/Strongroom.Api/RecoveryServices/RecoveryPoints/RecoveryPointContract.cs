using System.Text.Json.Nodes;
using Strongroom.Arm;
using Strongroom.Backup.Items;
using Strongroom.Backup.RecoveryPoints;
using Strongroom.Backup.Vaults;

namespace Strongroom.Api.RecoveryServices.RecoveryPoints;

/// <summary>A recovery point on the wire: <c>IaasVMRecoveryPoint</c> of bms.json.</summary>
internal static class RecoveryPointContract
{
    /// <param name="isMounted">Whether files are recovered from it at the moment.</param>
    /// <param name="version">What a version does not describe is not said in it.</param>
    public static JsonObject ToJson(Vault vault, ProtectedItem item, ListedPoint point, bool isMounted, ApiVersion version)
    {
        var properties = new JsonObject
        {
            ["objectType"] = "IaasVMRecoveryPoint",
            ["recoveryPointType"] = point.Consistency,
            ["recoveryPointTime"] = WireTimes.Text(point.Time),
            ["recoveryPointAdditionalInfo"] = "",
            ["sourceVMStorageType"] = "NormalStorage",
            ["isSourceVMEncrypted"] = false,
            ["isInstantIlrSessionActive"] = isMounted,
            ["recoveryPointTierDetails"] = Tiers(point),
            ["isManagedVirtualMachine"] = true,
            ["virtualMachineSize"] = point.Machine.Size,
            ["originalStorageAccountOption"] = false,
            ["osType"] = point.Machine.OsType,
            ["recoveryPointDiskConfiguration"] = Disks(point),
            ["recoveryPointMoveReadinessInfo"] = new JsonObject
            {
                ["ArchivedRP"] = new JsonObject { ["isReadyForMove"] = false, ["additionalInfo"] = "This installation has no archive tier." },
            },
        };
        if (version.IsFrom(2022, 1, 1)) properties["recoveryPointProperties"] = Life(item, point);
        if (version.IsFrom(2023, 6, 1)) properties["isPrivateAccessEnabledOnAnyDisk"] = false;
        return new()
        {
            ["id"] = BackupPaths.RecoveryPoint(vault, item.NativeName, point.Name),
            ["name"] = point.Name,
            ["type"] = BackupPaths.VaultType + "/backupFabrics/protectionContainers/protectedItems/recoveryPoints",
            ["properties"] = properties,
        };
    }

    /// <summary>A snapshot whose days are over is told of as deleted; so the service.</summary>
    private static JsonArray Tiers(ListedPoint point)
    {
        var instant = Tier("InstantRP", point.IsInstant ? "Valid" : "Deleted");
        return point.IsInVault ? new(instant, Tier("HardenedRP", "Valid")) : new(instant);
    }

    private static JsonObject Tier(string type, string status) => new() { ["type"] = type, ["status"] = status };

    private static JsonObject Life(ProtectedItem item, ListedPoint point)
    {
        var life = new JsonObject { ["isSoftDeleted"] = item.IsDeleted };
        if (point.ExpiresAt is { } expiry) life["expiryTime"] = WireTimes.Text(expiry);
        return life;
    }

    private static JsonObject Disks(ListedPoint point)
    {
        var held = point.Disks.Select(d => d.Lun).ToHashSet();
        return new()
        {
            ["numberOfDisksIncludedInBackup"] = point.Disks.Length,
            ["numberOfDisksAttachedToVm"] = point.Machine.Disks.Length,
            ["includedDiskList"] = new JsonArray([.. point.Disks.Select(d => Disk(d.Lun, d.Name))]),
            ["excludedDiskList"] = new JsonArray([.. point.Machine.Disks.Where(d => !held.Contains(d.Lun)).Select(d => Disk(d.Lun, d.Name))]),
        };
    }

    private static JsonNode Disk(int lun, string name) => new JsonObject { ["lun"] = lun, ["name"] = name };
}
