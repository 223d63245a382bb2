using Strongroom.Backup.Items;
using Strongroom.Backup.Policies.Reading;

namespace Strongroom.Backup.Policies;

/// <summary>What a policy for virtual machines or file shares says, read and found sound.</summary>
public sealed record PolicyTerms
{
    /// <summary>Schedule and retention go by the clocks and the calendar of this zone.</summary>
    public required TimeZoneInfo TimeZone { get; init; }

    public required PolicySchedule Schedule { get; init; }

    public required RetentionRules Retention { get; init; }

    /// <summary>How many days a snapshot is kept for restores at once.</summary>
    public required int InstantDays { get; init; }

    /// <summary>Whether its points are said to be in the vault tier. False for file shares without <c>vaultRetentionPolicy</c>, whose points Azure keeps as snapshots of the account; here all are in the vault.</summary>
    public bool IsVaultTier { get; init; } = true;

    /// <summary>True for policyType V2.</summary>
    public required bool IsEnhanced { get; init; }

    /// <summary>snapshotConsistencyType is OnlyCrashConsistent: machines are not asked to hold still for a snapshot.</summary>
    public bool IsCrashConsistentOnly { get; init; }

    /// <summary>Reads a policy in Azure's words.</summary>
    /// <exception cref="BackupRefusedException">It is a policy for databases, or something in it is missing, wrong or out of bounds.</exception>
    public static PolicyTerms Read(BackupPolicy policy) => policy.Kind == ItemKind.FileShare ? ShareTermsReader.Read(policy.Properties) : TermsReader.Read(policy.Properties);
}
