using System.Globalization;

namespace Strongroom.Store.Blobs;

/// <summary>Stands for the retention of a back end that has none; and what all that have it say.</summary>
public sealed class NoRetention : IRetainingBackend
{
    private static readonly NoRetention Instance = new();

    private NoRetention()
    {
    }

    /// <summary>The back end's retention, or one that is not available.</summary>
    public static IRetainingBackend Or(IBlobBackend backend) => backend as IRetainingBackend ?? Instance;

    /// <summary>A time in whole seconds, rounded up.</summary>
    public static DateTimeOffset RoundUp(DateTimeOffset time) =>
        DateTimeOffset.FromUnixTimeSeconds((time.ToUnixTimeMilliseconds() + 999) / 1000);

    /// <summary>A retained blob was to be deleted.</summary>
    public static StoreException Retained(string name, DateTimeOffset until) => new(
        StoreErrorKind.Locked,
        $"The storage retains '{name}' until {until.ToUniversalTime().ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture)}. Nothing was removed; it can be removed after that time.");

    /// <summary>A place without retention was asked for it.</summary>
    public static StoreException NotAvailable(string detail) =>
        new(StoreErrorKind.Unsupported, $"The storage cannot retain blobs: {detail}. Nothing was retained.");

    /// <inheritdoc/>
    public ValueTask<RetentionSupport> GetSupportAsync(CancellationToken cancellationToken) => new(new RetentionSupport(false, "this kind of storage knows no retention"));

    /// <inheritdoc/>
    public ValueTask RetainUntilAsync(string name, DateTimeOffset until, CancellationToken cancellationToken) =>
        throw NotAvailable("this kind of storage knows no retention");

    /// <inheritdoc/>
    public ValueTask<DateTimeOffset?> GetRetainedUntilAsync(string name, CancellationToken cancellationToken) => new((DateTimeOffset?)null);
}
