using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Strongroom.Backup.ResourceGuards;

namespace Strongroom.Backup.Vaults;

/// <summary>Where a vault's store is, other than in the server's own folder. Fixed when the vault is made.</summary>
/// <param name="Name">The operator's name for the storage; null when the vault went where vaults go by default.</param>
/// <param name="Location">The store's own place, as <c>--storage</c> writes places. Where the name is still known, its present place counts instead: the operator may have moved it.</param>
public sealed record VaultStorage(string? Name, string Location);

/// <summary>A Recovery Services vault: what ARM knows of it and how it is set up for backup.</summary>
public sealed record Vault
{
    /// <summary>Our own key: names the vault's folder in the store; never reused, unlike the name.</summary>
    public required Guid Key { get; init; }

    public required string SubscriptionId { get; init; }
    public required string ResourceGroup { get; init; }
    public required string Name { get; init; }
    public required string Location { get; init; }
    public ImmutableSortedDictionary<string, string> Tags { get; init => field = value ?? ImmutableSortedDictionary<string, string>.Empty; } = ImmutableSortedDictionary<string, string>.Empty;
    public required string SkuName { get; init; }
    public string? SkuTier { get; init; }

    /// <summary>The identity as it is answered: type in canonical spelling, principalId and tenantId when system-assigned.</summary>
    public JsonObject? Identity { get; init; }

    /// <summary>Properties that the caller set and that are echoed (publicNetworkAccess, monitoringSettings, securitySettings ...).</summary>
    public JsonObject Properties { get; init => field = value ?? []; } = [];

    /// <summary>Whether restores may be aimed at other subscriptions: they may unless the caller has set crossSubscriptionRestoreState.</summary>
    public bool RestoresAcrossSubscriptions =>
        (string?)Properties["restoreSettings"]?["crossSubscriptionRestoreSettings"]?["crossSubscriptionRestoreState"] is null or "Enabled";

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>The last write; the etag is made of it.</summary>
    public required DateTimeOffset ChangedAt { get; init; }

    /// <summary>Where its store is; null: in the server's own folder.</summary>
    public VaultStorage? Storage { get; init; }

    public VaultConfig Config { get; init => field = value ?? new(); } = new();

    /// <summary>The resource guard that it is under; null: none.</summary>
    public VaultGuard? Guard { get; init; }

    /// <summary>What <c>extendedInformation/vaultExtendedInfo</c> holds for its clients, with its etag; null: nothing yet.</summary>
    public JsonObject? ExtendedInfo { get; init; }

    /// <summary>The tag that names the storage of a new vault.</summary>
    public const string StorageTag = "strongroom-storage";

    /// <summary>The storage that the tags ask for, or null.</summary>
    public string? TaggedStorage => Tags.FirstOrDefault(t => t.Key.Equals(StorageTag, StringComparison.OrdinalIgnoreCase)).Value;

    public string ResourceId => $"/subscriptions/{SubscriptionId}/resourceGroups/{ResourceGroup}/providers/Microsoft.RecoveryServices/vaults/{Name}";

    /// <summary>Azure prints the etag as a quoted datetime with its colons escaped.</summary>
    public string ETag => $"W/\"datetime'{ChangedAt.UtcDateTime.ToString("yyyy-MM-dd'T'HH'%3A'mm'%3A'ss.fffffff'Z'", System.Globalization.CultureInfo.InvariantCulture)}'\"";
}

/// <summary>The settings of a vault that rules hang on: security and redundancy, each of which has two doors in the API.</summary>
public sealed record VaultConfig
{
    /// <summary><c>Enabled</c>, <c>Disabled</c> or <c>AlwaysON</c> (which can never be left again).</summary>
    public string EnhancedSecurityState { get; init => field = value ?? "Enabled"; } = "Enabled";

    /// <summary><c>Enabled</c>, <c>Disabled</c> or <c>AlwaysON</c> (which can never be left again).</summary>
    public string SoftDeleteFeatureState { get; init => field = value ?? "Enabled"; } = "Enabled";

    /// <summary>Days that deleted backup data is kept: 14 to 180.</summary>
    public int SoftDeleteRetentionDays { get; init => field = value == 0 ? 14 : value; } = 14;

    /// <summary>One of <see cref="ImmutabilityStates"/>.</summary>
    public string Immutability { get; init => field = value ?? ImmutabilityStates.Disabled; } = ImmutabilityStates.Disabled;

    /// <summary>While the vault is immutable: days that every recovery point is kept whatever its policy says (<c>TimeBased</c>); 0: as its policy says (<c>AsPerPolicy</c>).</summary>
    public int ImmutabilityDays { get; init; }

    public string StorageModelType { get; init => field = value ?? "GeoRedundant"; } = "GeoRedundant";

    public bool CrossRegionRestore { get; init; }

    /// <summary>True once an item was protected: the redundancy cannot be changed any more.</summary>
    public bool IsStorageTypeLocked { get; init; }

    /// <summary>True once the redundancy was set through the vault itself: from then on that is the only door.</summary>
    public bool IsRedundancySetByVault { get; init; }

    public bool IsImmutable => Immutability != ImmutabilityStates.Disabled;

    public bool IsSoftDeleteAlwaysOn => SoftDeleteFeatureState == VaultSecurity.AlwaysOn;

    public bool IsSoftDeleteOn => !string.Equals(SoftDeleteFeatureState, "Disabled", StringComparison.OrdinalIgnoreCase);
}
