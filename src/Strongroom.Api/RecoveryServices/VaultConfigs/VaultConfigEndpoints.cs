using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Strongroom.Api.RecoveryServices.ResourceGuardProxies;
using Strongroom.Arm;
using Strongroom.Backup.ResourceGuards;
using Strongroom.Backup.Vaults;

namespace Strongroom.Api.RecoveryServices.VaultConfigs;

/// <summary>The configuration of a vault: backup and storage.</summary>
internal static class VaultConfigEndpoints
{
    public static void MapVaultConfigs(this IEndpointRouteBuilder routes)
    {
        var vault = routes.MapVault();
        vault.MapGet("/backupconfig/vaultconfig", (Delegate)GetConfigAsync).WithAction("Microsoft.RecoveryServices/vaults/backupconfig/read");
        vault.MapMethods("/backupconfig/vaultconfig", ["PUT", "PATCH"], ChangeConfigAsync).WithAction("Microsoft.RecoveryServices/vaults/backupconfig/write");
        vault.MapGet("/backupstorageconfig/vaultstorageconfig", (Delegate)GetStorageAsync).WithAction("Microsoft.RecoveryServices/vaults/backupstorageconfig/read");
        vault.MapMethods("/backupstorageconfig/vaultstorageconfig", ["PUT", "PATCH"], ChangeStorageAsync).WithAction("Microsoft.RecoveryServices/vaults/backupstorageconfig/write");
    }

    private static async Task<IResult> GetConfigAsync(HttpContext context) => ArmResults.Ok(ConfigJson(await context.VaultAsync()));

    private static async Task<IResult> ChangeConfigAsync(HttpContext context, VaultLifecycle lifecycle, StoreRules rules)
    {
        var vault = await context.VaultAsync();
        var body = await ArmJson.ReadObjectAsync(context.Request, context.RequestAborted);
        var sent = body.OptionalObject("properties") ?? throw ArmErrors.InvalidRequestContent("an object is required", "$.properties");
        sent.CheckFlags("isSoftDeleteFeatureStateEditable");
        sent.CheckTexts("storageModelType", "storageType", "storageTypeState");
        var pass = await context.GuardPassAsync(vault, sent);
        VaultConfig? before = null;
        var changed = await lifecycle.UpdateAsync(vault, existing =>
        {
            before = existing.Config;
            var change = new SecurityChange(sent.OptionalText("softDeleteFeatureState"), Days(sent, existing.Config), sent.OptionalText("enhancedSecurityState"));
            var config = VaultSecurity.Change(existing.Config, change, isNew: false);
            pass.RequireSettings(existing, config);
            return existing with { Config = config };
        }, context.RequestAborted);
        // The server keeps to the settings from now on; a store that does not answer follows later.
        if (changed is not null && StoreRules.Concerns(before, changed.Config)) await rules.TryFollowAsync(changed.Key, before, CancellationToken.None);
        return ArmResults.Ok(ConfigJson(changed ?? vault));
    }

    private static async Task<IResult> GetStorageAsync(HttpContext context) => ArmResults.Ok(StorageJson(await context.VaultAsync()));

    private static async Task<IResult> ChangeStorageAsync(HttpContext context, VaultLifecycle lifecycle)
    {
        var vault = await context.VaultAsync();
        var body = await ArmJson.ReadObjectAsync(context.Request, context.RequestAborted);
        var sent = body.OptionalObject("properties") ?? throw ArmErrors.InvalidRequestContent("an object is required", "$.properties");
        sent.CheckTexts("storageModelType", "storageType", "storageTypeState", "dedupState", "xcoolState");
        var redundancy = sent.OptionalText("storageModelType") ?? sent.OptionalText("storageType");
        var crossRegion = sent.OptionalFlag("crossRegionRestoreFlag");
        var changed = await lifecycle.UpdateAsync(
            vault, existing => existing with { Config = VaultRedundancy.ChangeByStorageConfig(existing.Config, redundancy, crossRegion) }, context.RequestAborted);
        return context.Request.Method == HttpMethods.Patch ? ArmResults.Empty(StatusCodes.Status204NoContent) : ArmResults.Ok(StorageJson(changed ?? vault));
    }

    private static int? Days(JsonObject sent, VaultConfig config)
    {
        var days = sent.OptionalInteger("softDeleteRetentionPeriodInDays");
        // Clients that switch soft delete off send the period back as 0.
        return days == 0 ? config.SoftDeleteRetentionDays : days;
    }

    private static JsonObject ConfigJson(Vault vault) => Envelope(vault, "backupconfig", "vaultconfig", new JsonObject
    {
        ["enhancedSecurityState"] = vault.Config.EnhancedSecurityState,
        ["softDeleteFeatureState"] = vault.Config.SoftDeleteFeatureState,
        ["softDeleteRetentionPeriodInDays"] = vault.Config.SoftDeleteRetentionDays,
        ["isSoftDeleteFeatureStateEditable"] = !vault.Config.IsSoftDeleteAlwaysOn,
    });

    private static JsonObject StorageJson(Vault vault) => Envelope(vault, "backupstorageconfig", "vaultstorageconfig", new JsonObject
    {
        ["storageModelType"] = vault.Config.StorageModelType,
        ["storageType"] = vault.Config.StorageModelType,
        ["storageTypeState"] = vault.Config.IsStorageTypeLocked ? "Locked" : "Unlocked",
        ["crossRegionRestoreFlag"] = vault.Config.CrossRegionRestore,
        ["dedupState"] = "Disabled",
        ["xcoolState"] = "Disabled",
    });

    internal static JsonObject Envelope(Vault vault, string collection, string name, JsonObject properties) => new()
    {
        ["id"] = $"{vault.ResourceId}/{collection}/{name}",
        ["name"] = name,
        ["type"] = $"{BackupPaths.VaultType}/{collection}",
        ["properties"] = properties,
    };
}
