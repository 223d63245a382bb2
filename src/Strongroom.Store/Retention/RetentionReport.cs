namespace Strongroom.Store;

/// <summary>How retention below the store is extended. Immutable.</summary>
public sealed record RetentionOptions
{
    /// <summary>Ends of retention are rounded up to multiples of this many days, so that a blob is prolonged at most once in that time; 1 to 100, 10 by default.</summary>
    public int GenerationDays { get; init; } = 10;

    /// <summary>What is locked for longer is retained so many days ahead, and further as time goes by; 1 to 36,500, 3,650 by default. A mistyped lock then costs no century.</summary>
    public int GreatestDaysAhead { get; init; } = 3650;

    /// <summary>How far ahead what is under a legal hold, which has no end, is retained, in days; 1 to 36,500, 30 by default.</summary>
    public int HoldDaysAhead { get; init; } = 30;

    /// <summary>Requests under way at once; 1 to 64.</summary>
    public int ConcurrentRequests { get; init; } = 8;

    internal void Validate()
    {
        if (GenerationDays is < 1 or > 100 || GreatestDaysAhead is < 1 or > 36_500 || HoldDaysAhead is < 1 or > 36_500)
            throw new StoreException(StoreErrorKind.InvalidRequest, "Retention is extended by generations of 1 to 100 days, 1 to 36,500 days ahead.");
        if (ConcurrentRequests is < 1 or > 64)
            throw new StoreException(StoreErrorKind.InvalidRequest, "Retention is extended by 1 to 64 requests at once.");
    }
}

/// <summary>Whether blobs are retained below the store.</summary>
public enum RetentionState
{
    /// <summary>All that locked snapshots need is retained, as far as the report names nothing else.</summary>
    Extended,

    /// <summary>The vault's policy is not locked: nothing is retained.</summary>
    PolicyNotLocked,

    /// <summary>The storage offers no retention: nothing is retained, and who may delete there can delete everything.</summary>
    NotAvailable,
}

/// <summary>What an extension of retention did.</summary>
/// <param name="State">Whether anything is retained.</param>
/// <param name="Detail">What enforces it, or why nothing is retained; a part of a sentence.</param>
/// <param name="BlobsExtended">Blobs whose retention was set or prolonged.</param>
/// <param name="BlobsRetained">All blobs that locked snapshots need.</param>
/// <param name="Until">The latest end of retention; null when no snapshot is locked.</param>
/// <param name="Problems">Blobs that are missing, and snapshots whose manifests cannot be read (for them, every pack is retained).</param>
public sealed record RetentionReport(
    RetentionState State, string Detail, int BlobsExtended, int BlobsRetained, DateTimeOffset? Until, IReadOnlyList<string> Problems);
