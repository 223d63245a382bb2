using Strongroom.Store.Blobs;

namespace Strongroom.Store;

/// <summary>What a back end may be asked for each second; null is without limit. Immutable.</summary>
public sealed record BackendLimits(long? ReadBytesPerSecond = null, long? WriteBytesPerSecond = null, long? RequestsPerSecond = null)
{
    /// <summary>No limit at all.</summary>
    public static BackendLimits None { get; } = new();
}

/// <summary>Limits that any number of <see cref="BudgetedBackend"/> share, and that may change while they work. Thread-safe.</summary>
public sealed class BackendBudget
{
    private readonly TimeProvider time;
    private volatile Buckets buckets;

    /// <exception cref="StoreException">InvalidRequest: a limit is not positive.</exception>
    public BackendBudget(BackendLimits limits, TimeProvider time)
    {
        this.time = time;
        buckets = new(limits, time);
    }

    /// <summary>The limits in force. Who waits for an old one waits to the end of that.</summary>
    public BackendLimits Limits
    {
        get => buckets.Limits;
        set => buckets = new(value, time);
    }

    internal Buckets Current => buckets;

    internal sealed class Buckets
    {
        public Buckets(BackendLimits limits, TimeProvider time)
        {
            ArgumentNullException.ThrowIfNull(limits);
            Limits = limits;
            Reads = Make(limits.ReadBytesPerSecond, time);
            Writes = Make(limits.WriteBytesPerSecond, time);
            Requests = Make(limits.RequestsPerSecond, time);
        }

        public BackendLimits Limits { get; }

        public TokenBucket? Reads { get; }

        public TokenBucket? Writes { get; }

        public TokenBucket? Requests { get; }

        private static TokenBucket? Make(long? unitsPerSecond, TimeProvider time) => unitsPerSecond switch
        {
            null => null,
            > 0 => new(unitsPerSecond.Value, time),
            _ => throw new StoreException(StoreErrorKind.InvalidRequest, "A budget of nothing would wait for ever: give a number above 0, or none for no limit."),
        };
    }
}
