using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Strongroom.Api.RecoveryServices.ResourceGuardProxies;
using Strongroom.Arm;
using Strongroom.Backup.Vaults;

namespace Strongroom.Api.RecoveryServices.Vaults;

/// <summary>A vault on the wire: <c>Vault</c> of vaults.json.</summary>
internal static class VaultContract
{
    public static JsonObject ToJson(Vault vault, ApiVersion version) => new()
    {
        ["id"] = vault.ResourceId,
        ["name"] = vault.Name,
        ["type"] = BackupPaths.VaultType,
        ["location"] = vault.Location,
        ["etag"] = vault.ETag,
        ["tags"] = ResourceTags.ToJson(vault.Tags),
        ["sku"] = new JsonObject { ["name"] = vault.SkuName, ["tier"] = vault.SkuTier ?? "Standard" },
        ["identity"] = vault.Identity?.DeepClone() ?? new JsonObject { ["type"] = "None" },
        ["properties"] = Properties(vault, version),
    };

    /// <summary>The vault that a PUT asks for.</summary>
    /// <param name="existing">The vault of that name, or null.</param>
    public static Vault FromPut(JsonObject body, Vault? existing, ArmScope scope, string name, ArmOptions options)
    {
        var location = options.RequireLocation(body.OptionalText("location"), BackupPaths.VaultType);
        if (existing is not null && !existing.Location.Equals(location, StringComparison.OrdinalIgnoreCase))
            throw ArmErrors.InvalidResourceLocation(scope.ResourceId("Microsoft.RecoveryServices", "vaults", name), existing.Location, location);

        var vault = existing ?? new Vault
        {
            Key = Guid.Empty,
            SubscriptionId = scope.SubscriptionId,
            ResourceGroup = scope.GroupName,
            Name = name,
            Location = location,
            SkuName = "RS0",
            CreatedAt = default,
            ChangedAt = default,
        };
        // PUT replaces what it speaks of and clears the tags that it does not name.
        return Apply(body, vault with { Tags = ImmutableSortedDictionary<string, string>.Empty }, options, existing is null);
    }

    /// <summary>The vault after a PATCH: what is not in the body stays.</summary>
    public static Vault FromPatch(JsonObject body, Vault existing, ArmOptions options)
    {
        if (body.OptionalText("location") is { } location && !location.Equals(existing.Location, StringComparison.OrdinalIgnoreCase))
            throw ArmErrors.InvalidResourceLocation(ResourceId.Parse(existing.ResourceId), existing.Location, location);
        return Apply(body, existing, options, isNew: false);
    }

    private static Vault Apply(JsonObject body, Vault vault, ArmOptions options, bool isNew)
    {
        if (body.HasField("tags")) vault = vault with { Tags = ResourceTags.Read(body).ToImmutableSortedDictionary(StringComparer.Ordinal) };
        if (body.OptionalObject("sku") is { } sku) vault = ApplySku(sku, vault);
        if (body.OptionalObject("identity") is { } identity) vault = vault with { Identity = VaultIdentity.Read(identity, vault.Identity, options.TenantId) };
        if (body.OptionalObject("properties") is { } properties) vault = ApplyProperties(properties, vault, isNew);
        return vault;
    }

    private static Vault ApplySku(JsonObject sku, Vault vault)
    {
        var name = sku.RequiredText("name");
        var known = new[] { "RS0", "Standard" }.FirstOrDefault(k => k.Equals(name, StringComparison.OrdinalIgnoreCase))
            ?? throw RecoveryServicesErrors.InvalidInput($"The sku '{name}' does not exist; vaults have 'RS0' or 'Standard'.", "sku.name");
        sku.CheckTexts("family", "size", "capacity");
        return vault with { SkuName = known, SkuTier = sku.OptionalText("tier") ?? "Standard" };
    }

    private static Vault ApplyProperties(JsonObject sent, Vault vault, bool isNew)
    {
        RefuseOwnKeys(sent.OptionalObject("encryption"));
        GuardPasses.Requests(sent);
        var changed = vault with { Properties = VaultSettings.Change(vault.Properties, sent) };
        if (sent.OptionalObject("redundancySettings") is { } redundancy)
        {
            var crossRegion = redundancy.OptionalText("crossRegionRestore") switch
            {
                null => (bool?)null,
                var text when text.Equals("Enabled", StringComparison.OrdinalIgnoreCase) => true,
                var text when text.Equals("Disabled", StringComparison.OrdinalIgnoreCase) => false,
                _ => throw RecoveryServicesErrors.InvalidInput("crossRegionRestore is one of Enabled, Disabled.", "properties.redundancySettings.crossRegionRestore"),
            };
            changed = changed with
            {
                Config = VaultRedundancy.ChangeByVault(changed.Config, redundancy.OptionalText("standardTierStorageRedundancy"), crossRegion, isNew),
            };
        }

        return VaultSecurityContract.Read(sent) is { } security ? changed with { Config = VaultSecurity.Change(changed.Config, security, isNew) } : changed;
    }

    /// <summary>A vault that said it is encrypted with its owner's key, and is not, would be a lie about security.</summary>
    private static void RefuseOwnKeys(JsonObject? encryption)
    {
        if (encryption is null) return;
        encryption.CheckObjects("kekIdentity");
        var key = encryption.OptionalObject("keyVaultProperties")?.OptionalText("keyUri");
        var infrastructure = encryption.OptionalText("infrastructureEncryption") ?? "Disabled";
        if (key is not null || !infrastructure.Equals("Disabled", StringComparison.OrdinalIgnoreCase))
            throw RecoveryServicesErrors.InvalidInput("This version of Strongroom encrypts vaults with its own keys only.", "properties.encryption");
    }

    private static JsonObject Properties(Vault vault, ApiVersion version)
    {
        var properties = new JsonObject
        {
            ["provisioningState"] = "Succeeded",
            ["privateEndpointStateForBackup"] = "None",
            ["privateEndpointStateForSiteRecovery"] = "None",
            ["publicNetworkAccess"] = "Enabled",
            ["monitoringSettings"] = new JsonObject
            {
                ["azureMonitorAlertSettings"] = new JsonObject { ["alertsForAllJobFailures"] = "Enabled" },
                ["classicAlertSettings"] = new JsonObject { ["alertsForCriticalOperations"] = "Enabled" },
            },
            ["restoreSettings"] = new JsonObject { ["crossSubscriptionRestoreSettings"] = new JsonObject { ["crossSubscriptionRestoreState"] = "Enabled" } },
            ["redundancySettings"] = new JsonObject
            {
                ["standardTierStorageRedundancy"] = vault.Config.StorageModelType,
                ["crossRegionRestore"] = vault.Config.CrossRegionRestore ? "Enabled" : "Disabled",
            },
            ["securitySettings"] = VaultSecurityContract.ToJson(vault, version),
            ["backupStorageVersion"] = vault.Config.IsStorageTypeLocked ? "V2" : "Unassigned",
        };
        foreach (var (name, value) in vault.Properties)
            properties[name] = properties[name] is JsonObject standard && value is JsonObject set ? Merge(standard, set) : value?.DeepClone();
        return properties;
    }

    private static JsonObject Merge(JsonObject into, JsonObject change)
    {
        var merged = (JsonObject)into.DeepClone();
        foreach (var (name, value) in change)
            merged[name] = merged[name] is JsonObject before && value is JsonObject after ? Merge(before, after) : value?.DeepClone();
        return merged;
    }
}
