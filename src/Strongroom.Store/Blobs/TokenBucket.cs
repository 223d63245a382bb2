namespace Strongroom.Store.Blobs;

/// <summary>Lets so many units through each second, up to one second's worth at once. Thread-safe.</summary>
/// <remarks>
/// Who takes more than there is goes into debt and waits until it is paid, so that a request larger than the bucket passes, too, and the rate
/// holds on average. Waiters are served in the order in which they came.
/// </remarks>
internal sealed class TokenBucket
{
    private readonly Lock gate = new();
    private readonly double unitsPerSecond;
    private readonly TimeProvider time;
    private double balance;
    private long settledAt;

    public TokenBucket(double unitsPerSecond, TimeProvider time)
    {
        this.unitsPerSecond = unitsPerSecond;
        this.time = time;
        balance = unitsPerSecond;
        settledAt = time.GetTimestamp();
    }

    /// <summary>Takes units; waits while the bucket is in debt. Cancelled or not, what was taken is taken.</summary>
    public async ValueTask TakeAsync(long units, CancellationToken cancellationToken)
    {
        double debt;
        lock (gate)
        {
            var now = time.GetTimestamp();
            balance = Math.Min(unitsPerSecond, balance + (time.GetElapsedTime(settledAt, now).TotalSeconds * unitsPerSecond));
            settledAt = now;
            balance -= units;
            debt = -balance;
        }

        if (debt > 0)
            await Task.Delay(TimeSpan.FromSeconds(debt / unitsPerSecond), time, cancellationToken);
    }

    /// <summary>Gives back what was taken and not used.</summary>
    public void Return(long units)
    {
        lock (gate)
            balance = Math.Min(unitsPerSecond, balance + units);
    }
}
