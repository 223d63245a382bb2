namespace Strongroom.Store.Tests.Fakes;

/// <summary>A wall clock that can be set, and a monotonic clock that only goes on.</summary>
internal sealed class TwoClocks(DateTimeOffset start) : TimeProvider
{
    private long elapsedTicks;

    public DateTimeOffset Wall { get; set; } = start;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow() => Wall;

    public override long GetTimestamp() => elapsedTicks;

    /// <summary>Time passes on both.</summary>
    public void Pass(TimeSpan time)
    {
        Wall += time;
        elapsedTicks += time.Ticks;
    }
}
