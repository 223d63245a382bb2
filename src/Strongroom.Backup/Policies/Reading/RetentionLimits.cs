namespace Strongroom.Backup.Policies.Reading;

/// <summary>For how long each kind of retention may be, as Azure publishes it.</summary>
internal sealed record RetentionLimits(RetentionLimit Days, RetentionLimit Weeks, RetentionLimit Months, RetentionLimit Years)
{
    public static RetentionLimits OfMachines { get; } = new(new("Days", 7, 9999), new("Weeks", 1, 5163), new("Months", 1, 1188), new("Years", 1, 99));

    /// <summary>Of shares whose points are snapshots alone: an account holds 200 of them.</summary>
    public static RetentionLimits OfShareSnapshots { get; } = new(new("Days", 1, 200), new("Weeks", 1, 200), new("Months", 1, 120), new("Years", 1, 10));

    /// <summary>Of shares whose points are in the vault.</summary>
    public static RetentionLimits OfVaultedShares { get; } = OfMachines with { Days = new("Days", 1, 9999) };
}

internal sealed record RetentionLimit(string Unit, int Least, int Most);
