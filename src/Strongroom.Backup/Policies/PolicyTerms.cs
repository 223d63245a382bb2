using Strongroom.Backup.Policies.Reading;

namespace Strongroom.Backup.Policies;

/// <summary>What a policy for virtual machines says, read and found sound.</summary>
public sealed record PolicyTerms
{
    /// <summary>Schedule and retention go by the clocks and the calendar of this zone.</summary>
    public required TimeZoneInfo TimeZone { get; init; }

    public required PolicySchedule Schedule { get; init; }

    public required RetentionRules Retention { get; init; }

    /// <summary>How many days a snapshot is kept for restores at once.</summary>
    public required int InstantDays { get; init; }

    /// <summary>True for policyType V2.</summary>
    public required bool IsEnhanced { get; init; }

    /// <summary>snapshotConsistencyType is OnlyCrashConsistent: machines are not asked to hold still for a snapshot.</summary>
    public bool IsCrashConsistentOnly { get; init; }

    /// <summary>Reads a policy in Azure's words.</summary>
    /// <exception cref="BackupRefusedException">It is not a policy for virtual machines, or something in it is missing, wrong or out of bounds.</exception>
    public static PolicyTerms Read(BackupPolicy policy) => TermsReader.Read(policy.Properties);
}
