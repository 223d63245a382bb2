using System.Collections.Immutable;
using Strongroom.Backup.FileShares;
using Strongroom.Backup.Machines;
using Strongroom.Backup.Policies;

namespace Strongroom.Backup.RecoveryPoints;

/// <summary>A recovery point as it is shown: one that can be restored, or one whose disks or files are on their way into the vault.</summary>
public sealed record ListedPoint
{
    /// <summary>For how many days a point counts as instantly restorable where no policy says it: the number of Azure's policies unless they say another.</summary>
    public const int InstantDaysWithoutPolicy = 2;

    public required string Name { get; init; }

    /// <summary>When the snapshot was taken.</summary>
    public required DateTimeOffset Time { get; init; }

    public required string Consistency { get; init; }

    /// <summary>The machine as it was; null for a share.</summary>
    public required VirtualMachine? Machine { get; init; }

    /// <summary>What is known of a share's files; null for a machine, and while they are on their way.</summary>
    public SharePoint? Share { get; init; }

    /// <summary>LUN and name of each disk that is in it, in LUN order.</summary>
    public required ImmutableArray<(int Lun, string Name)> Disks { get; init; }

    /// <summary>When it expires as things are; null: not known, or never.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>False while its disks are on their way: it cannot be restored yet.</summary>
    public required bool IsInVault { get; init; }

    /// <summary>Whether it is said to be in the vault tier, once it is in the vault: not so of shares whose policy keeps snapshots alone.</summary>
    public bool IsVaultTier { get; init; } = true;

    /// <summary>Whether the days of its policy for instant restores are not over.</summary>
    public required bool IsInstant { get; init; }

    public static ListedPoint Of(RecoveryPoint point, PolicyTerms? terms, DateTimeOffset now) => new()
    {
        Name = point.Name,
        Time = point.Time,
        Consistency = point.Consistency,
        Machine = point.MachineOrNone,
        Share = point.Share,
        Disks = [.. point.Disks.Select(d => (d.Lun, d.Name))],
        ExpiresAt = Expiry(point, terms),
        IsInVault = true,
        IsVaultTier = terms?.IsVaultTier ?? point.Share is null,
        // A share without a policy has only snapshots.
        IsInstant = (terms is null && point.Share is not null) || now < point.Time.AddDays(terms?.InstantDays ?? InstantDaysWithoutPolicy),
    };

    public static ListedPoint Of(PointInTransfer point) => new()
    {
        Name = point.Name,
        Time = point.Time,
        Consistency = point.Consistency,
        Machine = point.Machine,
        Disks = [.. (point.Machine?.Disks ?? []).Where(d => point.Luns.Contains(d.Lun)).OrderBy(d => d.Lun).Select(d => (d.Lun, d.Name))],
        ExpiresAt = point.ExpiresAt,
        IsInVault = false,
        IsInstant = true,
    };

    /// <summary>A scheduled point without tags has its place among all others, which is not looked for here.</summary>
    private static DateTimeOffset? Expiry(RecoveryPoint point, PolicyTerms? terms)
    {
        if (terms is null) return point.ExpiresAt;
        if (point.DueAt is null) return point.ExpiresAt ?? point.Time.AddDays(RetentionEvaluation.OnDemandDays);
        return point.Tags is { } tags ? RetentionEvaluation.Expiry(terms, point.Time, tags) : null;
    }
}
