using System.Text.Json.Nodes;
using Strongroom.Arm;
using Strongroom.Backup.Vaults;

namespace Strongroom.Api.RecoveryServices.Vaults;

/// <summary>
/// Soft delete as <c>properties.securitySettings.softDeleteSettings</c> of a vault and as <c>backupconfig/vaultconfig</c>: two doors to the same settings.
/// </summary>
internal static class VaultSecurity
{
    public static JsonObject ToJson(VaultConfig config) => new()
    {
        ["softDeleteSettings"] = new JsonObject
        {
            ["softDeleteState"] = config.SoftDeleteFeatureState,
            ["softDeleteRetentionPeriodInDays"] = config.SoftDeleteRetentionDays,
            ["enhancedSecurityState"] = config.EnhancedSecurityState,
        },
        ["multiUserAuthorization"] = "Disabled",
    };

    public static Vault Apply(JsonObject properties, Vault vault)
    {
        if (properties.OptionalObject("securitySettings") is not { } security) return vault;
        if (security.OptionalObject("immutabilitySettings")?.OptionalText("state") is { } state && !state.Equals("Disabled", StringComparison.OrdinalIgnoreCase))
            throw RecoveryServicesErrors.InvalidInput($"This version of Strongroom cannot make a vault immutable ('{state}').", "properties.securitySettings.immutabilitySettings.state");
        return security.OptionalObject("softDeleteSettings") is { } soft
            ? vault with
            {
                Config = Change(vault.Config, soft.OptionalText("softDeleteState"), soft.OptionalInteger("softDeleteRetentionPeriodInDays"), soft.OptionalText("enhancedSecurityState")),
            }
            : vault;
    }

    /// <summary>The settings after a change; null means "not said".</summary>
    /// <exception cref="ArmException">400: a value that does not exist, or a way back that does not exist.</exception>
    public static VaultConfig Change(VaultConfig config, string? softDelete, int? days, string? enhanced)
    {
        var soft = softDelete is null ? config.SoftDeleteFeatureState : State(softDelete, "softDeleteFeatureState");
        if (config.SoftDeleteFeatureState == "AlwaysON" && soft != "AlwaysON")
            throw ArmErrors.Custom(400, "BMSUserErrorDisablingSoftDeleteStateNotAllowed", "Soft delete of this vault is always on and can never be switched off.");
        if (days is < 14 or > 180)
            throw RecoveryServicesErrors.InvalidInput($"softDeleteRetentionPeriodInDays is {days}; it must be from 14 to 180.", "softDeleteRetentionPeriodInDays");
        return config with
        {
            SoftDeleteFeatureState = soft,
            SoftDeleteRetentionDays = days ?? config.SoftDeleteRetentionDays,
            EnhancedSecurityState = enhanced is null ? config.EnhancedSecurityState : State(enhanced, "enhancedSecurityState"),
        };
    }

    private static string State(string text, string target) =>
        new[] { "Enabled", "Disabled", "AlwaysON" }.FirstOrDefault(s => s.Equals(text, StringComparison.OrdinalIgnoreCase))
        ?? throw RecoveryServicesErrors.InvalidInput($"'{text}' is not a state: use Enabled, Disabled or AlwaysON.", target);
}
