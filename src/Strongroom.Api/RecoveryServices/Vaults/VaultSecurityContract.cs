using System.Text.Json.Nodes;
using Strongroom.Arm;
using Strongroom.Backup.Vaults;

namespace Strongroom.Api.RecoveryServices.Vaults;

/// <summary><c>properties.securitySettings</c> of a vault: SecuritySettings of vaults.json; <c>configuration</c> as of 2026.</summary>
internal static class VaultSecurityContract
{
    private const string AsPerPolicy = "AsPerPolicy";
    private const string TimeBased = "TimeBased";

    public static JsonObject ToJson(Vault vault, ApiVersion version)
    {
        var config = vault.Config;
        var immutability = new JsonObject { ["state"] = config.Immutability };
        if (config.IsImmutable && version.IsFrom(2026, 1, 1))
        {
            immutability["configuration"] = config.ImmutabilityDays == 0
                ? new JsonObject { ["type"] = AsPerPolicy }
                : new JsonObject { ["type"] = TimeBased, ["durationInDays"] = config.ImmutabilityDays };
        }

        return new()
        {
            ["immutabilitySettings"] = immutability,
            ["softDeleteSettings"] = new JsonObject
            {
                ["softDeleteState"] = config.SoftDeleteFeatureState,
                ["softDeleteRetentionPeriodInDays"] = config.SoftDeleteRetentionDays,
                ["enhancedSecurityState"] = config.EnhancedSecurityState,
            },
            ["multiUserAuthorization"] = vault.Guard is null ? "Disabled" : "Enabled",
        };
    }

    /// <summary>What the properties of a vault ask for; null where they do not speak of security.</summary>
    public static SecurityChange? Read(JsonObject properties)
    {
        if (properties.OptionalObject("securitySettings") is not { } security) return null;
        // Read-only: whoever sends back what was read may.
        security.CheckTexts("multiUserAuthorization");
        RefuseScans(security.OptionalObject("sourceScanConfiguration"));
        var immutability = security.OptionalObject("immutabilitySettings");
        var soft = security.OptionalObject("softDeleteSettings");
        return new(
            soft?.OptionalText("softDeleteState"), soft?.OptionalInteger("softDeleteRetentionPeriodInDays"), soft?.OptionalText("enhancedSecurityState"),
            immutability?.OptionalText("state"), ReadDays(immutability?.OptionalObject("configuration")));
    }

    private static int? ReadDays(JsonObject? configuration)
    {
        if (configuration is null) return null;
        var days = configuration.OptionalInteger("durationInDays");
        const string target = "properties.securitySettings.immutabilitySettings.configuration";
        return configuration.OptionalText("type") switch
        {
            null when days is null => null,
            { } type when type.Equals(AsPerPolicy, StringComparison.OrdinalIgnoreCase) => days is null ? 0 : throw RecoveryServicesErrors.InvalidInput("durationInDays belongs to TimeBased; AsPerPolicy has none.", target),
            { } type when type.Equals(TimeBased, StringComparison.OrdinalIgnoreCase) => days is > 0 ? days : throw RecoveryServicesErrors.InvalidInput("TimeBased needs durationInDays, at least 1.", target),
            _ => throw RecoveryServicesErrors.InvalidInput($"The type of immutability is one of {AsPerPolicy}, {TimeBased}.", target),
        };
    }

    private static void RefuseScans(JsonObject? scans)
    {
        if (scans?.OptionalText("state") is { } state && state.Equals("Enabled", StringComparison.OrdinalIgnoreCase))
            throw RecoveryServicesErrors.InvalidInput("Strongroom does not scan what it backs up for malware.", "properties.securitySettings.sourceScanConfiguration");
    }
}
