namespace Strongroom.Store;

/// <summary>Whether a vault's rules may be weakened. The numbers are the format's.</summary>
public enum Immutability
{
    /// <summary>Minimum retention is not enforced.</summary>
    Off = 0,

    /// <summary>Minimum retention is enforced; the policy may still be weakened.</summary>
    Unlocked = 1,

    /// <summary>Minimum retention is enforced, and the policy can only be made stricter, for ever.</summary>
    Locked = 2,
}

/// <summary>The rules of a vault about deletion. They are entries of its log: no process that writes to the vault can get round them. Immutable.</summary>
public sealed record VaultPolicy
{
    private const int GreatestDays = 36_500;

    /// <summary>How long a deleted snapshot can be brought back, in days of 24 hours; 0 to 36,500. 0: deletion is at once.</summary>
    public int SoftDeleteDays { get; init; }

    /// <summary>True: soft delete cannot be turned off or shortened any more, and nothing is purged before its time. Cannot be undone.</summary>
    public bool IsSoftDeleteAlwaysOn { get; init; }

    /// <summary>Whether <see cref="MinimumRetentionDays"/> is enforced, and whether this policy may be weakened.</summary>
    public Immutability Immutability { get; init; }

    /// <summary>A snapshot cannot be deleted before it is so old, in days of 24 hours; 0 to 36,500.</summary>
    public int MinimumRetentionDays { get; init; }

    internal void Validate()
    {
        if (SoftDeleteDays is < 0 or > GreatestDays || MinimumRetentionDays is < 0 or > GreatestDays)
            throw Refuse("days are from 0 to 36,500");
        if (!Enum.IsDefined(Immutability))
            throw Refuse("its immutability is not known");
        if (IsSoftDeleteAlwaysOn && SoftDeleteDays == 0)
            throw Refuse("soft delete that is always on needs at least one day");
    }

    private static StoreException Refuse(string why) => new(StoreErrorKind.InvalidRequest, $"The policy cannot be set: {why}. Nothing was changed.");
}
