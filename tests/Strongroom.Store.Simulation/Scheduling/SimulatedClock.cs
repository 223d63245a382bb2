namespace Strongroom.Store.Simulation.Scheduling;

/// <summary>Time that moves only when everybody waits for it. Used by the simulation's one thread.</summary>
internal sealed class SimulatedClock : TimeProvider
{
    private static readonly DateTimeOffset Start = new(2026, 11, 1, 12, 0, 0, TimeSpan.Zero);
    private readonly PriorityQueue<(Timer Timer, int Generation), (long Ticks, long Order)> due = new();
    private long now;
    private long order;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow() => Start + TimeSpan.FromTicks(now);

    public override long GetTimestamp() => now;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new Timer(this, () => callback(state), period);
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>Moves to the next timer and fires it. False when nobody waits for a time.</summary>
    public bool TryAdvance()
    {
        while (due.TryDequeue(out var next, out var at))
        {
            if (!next.Timer.IsCurrent(next.Generation))
                continue;
            now = Math.Max(now, at.Ticks);
            next.Timer.Fire();
            return true;
        }

        return false;
    }

    private sealed class Timer(SimulatedClock clock, Action callback, TimeSpan period) : ITimer
    {
        private TimeSpan period = period;
        private int generation;

        public bool IsCurrent(int scheduled) => scheduled == generation;

        public void Fire()
        {
            generation++;
            if (period > TimeSpan.Zero)
                Change(period, period);
            callback();
        }

        public bool Change(TimeSpan dueTime, TimeSpan newPeriod)
        {
            generation++;
            period = newPeriod;
            if (dueTime >= TimeSpan.Zero)
                clock.due.Enqueue((this, generation), (clock.now + dueTime.Ticks, clock.order++));
            return true;
        }

        public void Dispose() => generation++;

        public ValueTask DisposeAsync()
        {
            Dispose();
            return default;
        }
    }
}
