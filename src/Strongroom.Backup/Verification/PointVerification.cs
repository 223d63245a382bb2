namespace Strongroom.Backup.Verification;

/// <summary>What is known of whether a recovery point boots.</summary>
public static class VerificationStates
{
    public const string ProvenBootable = "ProvenBootable";

    /// <summary>It was tried, and the machine did not prove itself.</summary>
    public const string Failed = "Failed";

    /// <summary>Nobody tried, or trying was not possible.</summary>
    public const string NotVerified = "NotVerified";
}

/// <summary>The result of a recovery point's last verification.</summary>
/// <param name="State">One of <see cref="VerificationStates"/>.</param>
/// <param name="At">When it ended.</param>
public sealed record PointVerification(string State, DateTimeOffset At)
{
    /// <summary>What proved it: one of <see cref="VerificationProofs"/>; null where nothing did.</summary>
    public string? By { get; init; }

    /// <summary>From the machine's start on, in seconds.</summary>
    public double? TookSeconds { get; init; }

    /// <summary>A sentence for the owner of the machine.</summary>
    public string Message { get; init => field = value ?? ""; } = "";

    /// <summary>There is a picture of the console.</summary>
    public bool HasScreenshot { get; init; }
}

/// <summary>A result that is to be kept with its recovery point.</summary>
/// <param name="Screenshot">The console as PNG; empty: there is none.</param>
public sealed record VerificationOutcome(string PointName, PointVerification Result, ReadOnlyMemory<byte> Screenshot);

/// <summary>Reads results of verifications; they are written by <see cref="Jobs.IJobLedger"/> under a job's fence, and go with their recovery points.</summary>
public interface IPointVerificationRepository
{
    Task<PointVerification?> FindAsync(Guid itemKey, string pointName, CancellationToken cancellationToken);

    /// <summary>The picture as PNG, or null.</summary>
    Task<byte[]?> FindScreenshotAsync(Guid itemKey, string pointName, CancellationToken cancellationToken);

    /// <summary>When the last verification of one of the item's recovery points ended, or null.</summary>
    Task<DateTimeOffset?> FindLastAsync(Guid itemKey, CancellationToken cancellationToken);
}
