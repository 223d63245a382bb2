using System.Text.Json.Nodes;
using Strongroom.Arm;
using Strongroom.Backup.Items;
using Strongroom.Backup.Machines;
using Strongroom.Backup.RecoveryPoints;
using Strongroom.Backup.Vaults;

namespace Strongroom.Api.RecoveryServices.RecoveryPoints;

/// <summary>A recovery point on the wire: <c>IaasVMRecoveryPoint</c> or <c>AzureFileShareRecoveryPoint</c> of bms.json.</summary>
internal static class RecoveryPointContract
{
    private const long Gibibyte = 1L << 30;

    /// <param name="isMounted">Whether files are recovered from it at the moment.</param>
    /// <param name="version">What a version does not describe is not said in it.</param>
    public static JsonObject ToJson(Vault vault, ProtectedItem item, ListedPoint point, bool isMounted, ApiVersion version)
    {
        var properties = item.Kind == ItemKind.FileShare ? OfShare(item, point) : OfMachine(point, isMounted);
        if (version.IsFrom(2022, 1, 1)) properties["recoveryPointProperties"] = Life(item, point);
        if (item.Kind == ItemKind.VirtualMachine && version.IsFrom(2023, 6, 1)) properties["isPrivateAccessEnabledOnAnyDisk"] = false;
        // Of shares they are described since 2025.
        if (item.Kind == ItemKind.FileShare && version.IsFrom(2025, 1, 1)) properties["recoveryPointTierDetails"] = Tiers(point);
        return new()
        {
            ["id"] = BackupPaths.RecoveryPoint(vault, item.NativeName, point.Name),
            ["name"] = point.Name,
            ["type"] = BackupPaths.VaultType + "/backupFabrics/protectionContainers/protectedItems/recoveryPoints",
            ["properties"] = properties,
        };
    }

    private static JsonObject OfMachine(ListedPoint point, bool isMounted)
    {
        var machine = point.Machine!;
        return new()
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
            ["virtualMachineSize"] = machine.Size,
            ["originalStorageAccountOption"] = false,
            ["osType"] = machine.OsType,
            ["recoveryPointDiskConfiguration"] = Disks(machine, point),
            ["recoveryPointMoveReadinessInfo"] = new JsonObject
            {
                ["ArchivedRP"] = new JsonObject { ["isReadyForMove"] = false, ["additionalInfo"] = "This installation has no archive tier." },
            },
        };
    }

    private static JsonObject OfShare(ProtectedItem item, ListedPoint point) => new()
    {
        ["objectType"] = "AzureFileShareRecoveryPoint",
        ["recoveryPointType"] = point.Consistency,
        ["recoveryPointTime"] = WireTimes.Text(point.Time),
        ["fileShareSnapshotUri"] = $"https://{item.AccountName.ToLowerInvariant()}.file.core.windows.net/{item.FriendlyName}?sharesnapshot={point.Time.UtcDateTime:yyyy-MM-ddTHH:mm:ss.fffffffZ}",
        // In whole GiB, the last one begun counting.
        ["recoveryPointSizeInGB"] = point.Share is { } share ? (share.Bytes + Gibibyte - 1) / Gibibyte : 0,
    };

    /// <summary>A snapshot whose days are over is told of as deleted; so the service.</summary>
    private static JsonArray Tiers(ListedPoint point)
    {
        var instant = Tier("InstantRP", point.IsInstant ? "Valid" : "Deleted");
        return point is { IsInVault: true, IsVaultTier: true } ? new(instant, Tier("HardenedRP", "Valid")) : new(instant);
    }

    private static JsonObject Tier(string type, string status) => new() { ["type"] = type, ["status"] = status };

    private static JsonObject Life(ProtectedItem item, ListedPoint point)
    {
        var life = new JsonObject { ["isSoftDeleted"] = item.IsDeleted };
        if (point.ExpiresAt is { } expiry) life["expiryTime"] = WireTimes.Text(expiry);
        return life;
    }

    private static JsonObject Disks(VirtualMachine machine, ListedPoint point)
    {
        var held = point.Disks.Select(d => d.Lun).ToHashSet();
        return new()
        {
            ["numberOfDisksIncludedInBackup"] = point.Disks.Length,
            ["numberOfDisksAttachedToVm"] = machine.Disks.Length,
            ["includedDiskList"] = new JsonArray([.. point.Disks.Select(d => Disk(d.Lun, d.Name))]),
            ["excludedDiskList"] = new JsonArray([.. machine.Disks.Where(d => !held.Contains(d.Lun)).Select(d => Disk(d.Lun, d.Name))]),
        };
    }

    private static JsonNode Disk(int lun, string name) => new JsonObject { ["lun"] = lun, ["name"] = name };
}
