using System.Globalization;

namespace Strongroom.Store.Governance;

/// <summary>What may happen to a snapshot, decided from the replayed log alone: the writer asks before it appends, every reader when it replays.</summary>
internal static class SnapshotRules
{
    /// <summary>The latest time until which something keeps the snapshot; null when nothing that ends with time does.</summary>
    public static DateTimeOffset? KeptUntil(Snapshot snapshot, VaultPolicy policy)
    {
        var until = snapshot.LockedUntil;
        if (policy.Immutability == Immutability.Off || policy.MinimumRetentionDays == 0)
            return until;
        var retained = Later(snapshot.CreatedAt, policy.MinimumRetentionDays);
        return until > retained ? until : retained;
    }

    /// <summary>Why a snapshot must not leave the list at a time, or null.</summary>
    public static Refusal? WhyKept(Snapshot snapshot, VaultPolicy policy, DateTimeOffset at)
    {
        if (snapshot.HasLegalHold)
            return new(StoreErrorKind.Locked, "a legal hold is on it until it is lifted");
        return KeptUntil(snapshot, policy) is { } until && at < until
            ? new(StoreErrorKind.Locked, $"{(until == snapshot.LockedUntil ? "it is locked" : "the vault's minimum retention keeps it")} until {Text(until)}")
            : null;
    }

    /// <summary>Why a deleted snapshot cannot go for good at a time, or null.</summary>
    public static Refusal? WhyNotPurged(SoftDeletedSnapshot deleted, VaultPolicy policy, DateTimeOffset at, bool isForced)
    {
        if (WhyKept(deleted.Snapshot, policy, at) is { } kept)
            return kept;
        if (at >= deleted.DeleteAfter)
            return null;
        if (!isForced)
            return new(StoreErrorKind.Locked, $"soft delete keeps it until {Text(deleted.DeleteAfter)}");
        return IsForceAllowed(policy) ? null : new(StoreErrorKind.Locked, $"soft delete is always on in this vault and keeps it until {Text(deleted.DeleteAfter)}");
    }

    /// <summary>Why a snapshot that was not deleted before cannot go for good at once, or null.</summary>
    public static Refusal? WhyNotPurgedAtOnce(Snapshot snapshot, VaultPolicy policy, DateTimeOffset at) =>
        policy.SoftDeleteDays > 0
            ? new(StoreErrorKind.Refused, "the vault's policy has soft delete: delete it first")
            : WhyKept(snapshot, policy, at);

    /// <summary>True when a purge before its time is a matter of the caller's will.</summary>
    public static bool IsForceAllowed(VaultPolicy policy) => !policy.IsSoftDeleteAlwaysOn && policy.Immutability != Immutability.Locked;

    /// <summary>Why one policy must not follow another, or null.</summary>
    public static Refusal? WhyNotPolicy(VaultPolicy current, VaultPolicy next)
    {
        var isLocked = current.Immutability == Immutability.Locked;
        if (isLocked && next.Immutability != Immutability.Locked)
            return new(StoreErrorKind.Refused, "immutability is locked, and stays so for ever");
        if (isLocked && next.MinimumRetentionDays < current.MinimumRetentionDays)
            return new(StoreErrorKind.Refused, $"immutability is locked, so minimum retention cannot become shorter than {current.MinimumRetentionDays} days");
        if (current.IsSoftDeleteAlwaysOn && !next.IsSoftDeleteAlwaysOn)
            return new(StoreErrorKind.Refused, "soft delete is always on, and stays so for ever");
        return (isLocked || current.IsSoftDeleteAlwaysOn) && next.SoftDeleteDays < current.SoftDeleteDays
            ? new(StoreErrorKind.Refused, $"soft delete cannot become shorter than {current.SoftDeleteDays} days, because it is always on or immutability is locked")
            : null;
    }

    /// <summary>Why the vault's keys must not be destroyed at a time, or null.</summary>
    public static Refusal? WhyNotErased(IEnumerable<Snapshot> snapshots, VaultPolicy policy, DateTimeOffset at)
    {
        foreach (var snapshot in snapshots)
        {
            if (WhyKept(snapshot, policy, at) is { } kept)
                return kept with { Why = $"of snapshot {snapshot.Id}, {kept.Why}" };
            if (!IsForceAllowed(policy))
                return new(StoreErrorKind.Refused, "the vault's policy allows no purge before its time, and there are snapshots");
        }

        return null;
    }

    /// <summary>A time some days later, at most the end of time.</summary>
    public static DateTimeOffset Later(DateTimeOffset time, int days) =>
        DateTimeOffset.MaxValue - time > TimeSpan.FromDays(days) ? time.AddDays(days) : DateTimeOffset.MaxValue;

    private static string Text(DateTimeOffset time) => time.ToUniversalTime().ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture);
}
