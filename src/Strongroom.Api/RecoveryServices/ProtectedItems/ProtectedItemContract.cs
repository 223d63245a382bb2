using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Strongroom.Arm;
using Strongroom.Backup.Items;
using Strongroom.Backup.Vaults;

namespace Strongroom.Api.RecoveryServices.ProtectedItems;

/// <summary>A protected item on the wire: <c>AzureIaaSComputeVMProtectedItem</c> or <c>AzureFileshareProtectedItem</c> of bms.json.</summary>
internal static class ProtectedItemContract
{
    /// <summary>What only machines have.</summary>
    private static readonly string[] s_ofMachines = ["virtualMachineId", "protectedItemDataId", "healthStatus", "healthDetails", "extendedProperties"];

    /// <param name="points">How many recovery points there are, and how old, where extended information was asked for, else null.</param>
    public static JsonObject ToJson(HttpRequest request, Vault vault, ProtectedItem item, DateTimeOffset now, (int Count, DateTimeOffset? Oldest, DateTimeOffset? OldestInVault)? points = null)
    {
        var properties = new JsonObject
        {
            ["protectedItemType"] = ItemWords.ItemType(item.Kind),
            ["friendlyName"] = item.FriendlyName,
            ["virtualMachineId"] = item.SourceResourceId,
            ["sourceResourceId"] = SourceId(item),
            ["backupManagementType"] = ItemWords.ManagementType(item.Kind),
            ["workloadType"] = ItemWords.WorkloadType(item.Kind),
            ["containerName"] = ItemNames.ContainerOf(item.NativeName),
            ["protectedItemDataId"] = item.DataId,
            ["protectionStatus"] = item.IsFailing ? "Unhealthy" : "Healthy",
            ["protectionState"] = item.ProtectionState,
            ["healthStatus"] = item.IsFailing ? "ActionRequired" : "Passed",
            ["healthDetails"] = ItemHealth.Details(item),
            ["kpisHealths"] = ItemHealth.Kpis(item),
            ["lastBackupStatus"] = item.LastBackupStatus,
            ["lastBackupTime"] = WireTimes.Text(item.LastBackupTime, WireTimes.NeverBackedUp),
            ["policyId"] = item.PolicyName.Length == 0 ? "" : BackupPaths.Policy(vault, item.PolicyName),
            ["policyName"] = item.PolicyName,
            ["extendedProperties"] = ExtendedProperties(item),
            ["isArchiveEnabled"] = false,
            ["softDeleteRetentionPeriodInDays"] = item.SoftDeleteDays,
            // A URL, not an id: so the service.
            ["vaultId"] = PublicUrl.For(request, vault.ResourceId),
        };
        if (item.Kind == ItemKind.FileShare)
        {
            foreach (var name in s_ofMachines) properties.Remove(name);
        }

        if (item.LastRecoveryPointTime is { } last) properties["lastRecoveryPoint"] = WireTimes.Text(last);
        if (item.DeletedAt is { } deletedAt)
        {
            var remaining = deletedAt.AddDays(item.SoftDeleteDays) - now;
            properties["isScheduledForDeferredDelete"] = true;
            properties["deferredDeleteTimeInUTC"] = WireTimes.Text(deletedAt);
            properties["deferredDeleteTimeRemaining"] = (remaining < TimeSpan.Zero ? TimeSpan.Zero : remaining).ToString("c", System.Globalization.CultureInfo.InvariantCulture);
        }

        if (points is { } summary) properties["extendedInfo"] = item.Kind == ItemKind.FileShare ? ShareInfo(summary.Count, summary.Oldest) : ExtendedInfo(summary.Count, summary.Oldest, summary.OldestInVault);
        return new()
        {
            ["id"] = BackupPaths.Item(vault, item.NativeName),
            ["name"] = ItemNames.Item(item.NativeName),
            ["type"] = BackupPaths.VaultType + "/backupFabrics/protectionContainers/protectedItems",
            ["eTag"] = item.ETag,
            ["properties"] = properties,
        };
    }

    /// <summary>What a PUT asks for.</summary>
    public static ProtectionRequest FromJson(JsonObject body, Vault vault, string nativeName)
    {
        var properties = body.OptionalObject("properties") ?? throw RecoveryServicesErrors.InvalidConfigureProtection("'properties' is missing.");
        var type = properties.OptionalText("protectedItemType");
        // Only an undelete comes without its type.
        var expected = ItemWords.ItemType(ItemNames.KindOf(nativeName));
        if (type is null ? properties.OptionalFlag("isRehydrate") != true : !type.Equals(expected, StringComparison.OrdinalIgnoreCase))
            throw RecoveryServicesErrors.InvalidType("protectedItemType", type, expected);
        properties.CheckTexts("friendlyName", "virtualMachineId", "workloadType", "backupManagementType", "containerName", "policyName", "createMode", "vaultId");
        var state = properties.OptionalText("protectionState");
        return new(
            nativeName,
            properties.OptionalText("sourceResourceId") ?? properties.OptionalText("virtualMachineId"),
            PolicyName(properties.OptionalText("policyId"), vault),
            state is null ? null : State(state),
            properties.OptionalFlag("isRehydrate") ?? false,
            Disks(properties.OptionalObject("extendedProperties")));
    }

    public static string? PolicyName(string? policyId, Vault vault)
    {
        if (string.IsNullOrEmpty(policyId)) return policyId;
        if (!ResourceId.TryParse(policyId, out var id) || !id.IsOfType(BackupPaths.VaultType + "/backupPolicies"))
            throw RecoveryServicesErrors.InvalidConfigureProtection("'policyId' is not the id of a policy.");
        return string.Equals(id.Parent?.ToString(), vault.ResourceId, StringComparison.OrdinalIgnoreCase)
            ? id.Name
            : throw RecoveryServicesErrors.InvalidConfigureProtection("'policyId' names a policy of another vault.");
    }

    private static string State(string state) =>
        new[] { ProtectionStates.Stopped, ProtectionStates.Suspended, ProtectionStates.Protected, ProtectionStates.InitialPending, "ProtectionConfigured", "ProtectionError", "ProtectionPaused", "Invalid" }
            .FirstOrDefault(s => s.Equals(state, StringComparison.OrdinalIgnoreCase))
        ?? throw RecoveryServicesErrors.InvalidConfigureProtection($"'{(state.Length > 60 ? state[..60] : state)}' is not a protection state.");

    /// <summary>Null: not said. Extended properties without an exclusion reset the selection to all disks.</summary>
    private static DiskSelection? Disks(JsonObject? extended)
    {
        if (extended is null) return null;
        if (extended.OptionalObject("diskExclusionProperties") is not { } sent) return DiskSelection.All;
        if (sent.Field("diskLunList") is not JsonArray list) throw RecoveryServicesErrors.InvalidConfigureProtection("'diskLunList' must be a list of LUNs.");
        var luns = ImmutableArray.CreateBuilder<int>(list.Count);
        foreach (var entry in list)
        {
            if (entry is not JsonValue value || value.GetValueKind() != JsonValueKind.Number || !value.TryGetValue(out int lun) || lun is < 0 or > 63)
                throw RecoveryServicesErrors.InvalidConfigureProtection("'diskLunList' holds something that is not a LUN from 0 to 63.");
            luns.Add(lun);
        }

        return new([.. luns.Distinct().Order()], sent.OptionalFlag("isInclusionList") ?? throw RecoveryServicesErrors.InvalidConfigureProtection("'isInclusionList' is missing."));
    }

    private static JsonObject? ExtendedProperties(ProtectedItem item) => item.Disks is not { IsAll: false } disks ? new JsonObject() : new JsonObject
    {
        ["diskExclusionProperties"] = new JsonObject
        {
            ["diskLunList"] = new JsonArray([.. disks.Luns.Select(l => (JsonNode)l)]),
            ["isInclusionList"] = disks.IsInclusion,
        },
    };

    /// <summary>Of a share the service names the account, and the share by its friendly name alone.</summary>
    private static string SourceId(ProtectedItem item) => item.Account?.ResourceId ?? item.SourceResourceId;

    private static JsonObject ShareInfo(int count, DateTimeOffset? oldest)
    {
        var info = new JsonObject { ["recoveryPointCount"] = count, ["policyState"] = "Consistent", ["resourceState"] = "Active" };
        if (oldest is { } time) info["oldestRecoveryPoint"] = WireTimes.Text(time);
        return info;
    }

    private static JsonObject ExtendedInfo(int count, DateTimeOffset? oldest, DateTimeOffset? oldestInVault)
    {
        var info = new JsonObject { ["recoveryPointCount"] = count, ["policyInconsistent"] = false };
        if (oldest is { } time) info["oldestRecoveryPoint"] = WireTimes.Text(time);
        if (oldestInVault is { } hardened) info["oldestRecoveryPointInVault"] = WireTimes.Text(hardened);
        return info;
    }
}
