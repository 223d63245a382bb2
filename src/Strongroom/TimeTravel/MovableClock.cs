namespace Strongroom.TimeTravel;

/// <summary>A clock that testers move forwards. Between two moves it runs on as the machine's does; a move makes timers fire that are due by it. Thread-safe.</summary>
/// <remarks>
/// It is the machine's clock with a distance added, so it never stands still or goes back, whatever happens to the process.
/// Timers wait on a time line of their own, which the machine's monotonic clock and the moves drive.
/// </remarks>
internal sealed class MovableClock : TimeProvider
{
    /// <summary>The machine's timers wait no longer than 49 days; one that wakes early waits on.</summary>
    private static readonly TimeSpan LongestRealWait = TimeSpan.FromDays(1);

    private readonly Lock _gate = new();
    private readonly HashSet<MovedTimer> _waiting = [];
    private readonly long _startedAt = System.GetTimestamp();
    private readonly TimeSpan _aheadAtStart;
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _movedTicks;

    /// <param name="ahead">The distance to the machine's clock to begin with.</param>
    public MovableClock(TimeSpan ahead) => _aheadAtStart = ahead;

    /// <summary>The distance to the machine's clock; negative when it is behind.</summary>
    public TimeSpan Ahead => _aheadAtStart + Moved;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    /// <summary>How many timers wait.</summary>
    public int Sleepers
    {
        get { lock (_gate) return _waiting.Count; }
    }

    private TimeSpan Moved => new(Volatile.Read(ref _movedTicks));

    private TimeSpan Elapsed => System.GetElapsedTime(_startedAt) + Moved;

    public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + Ahead;

    public override long GetTimestamp() => Elapsed.Ticks;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        ArgumentNullException.ThrowIfNull(callback);
        var timer = new MovedTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>Moves to the next time for which a timer waits, and makes it fire.</summary>
    /// <returns>False when none waits for a time until <paramref name="latest"/>; the clock was not moved.</returns>
    public bool TryStep(DateTimeOffset latest)
    {
        lock (_gate)
        {
            var first = _waiting.MinBy(timer => timer.Due);
            if (first?.Due is not { } due) return false;
            var wait = due - Elapsed;
            if (GetUtcNow() + wait > latest) return false;
            Forward(wait);
            return true;
        }
    }

    /// <summary>Moves to a time; does nothing when it has been.</summary>
    public void MoveTo(DateTimeOffset time)
    {
        lock (_gate) Forward(time - GetUtcNow());
    }

    /// <summary>Returns when no timer is due and so many wait: who was woken has done its work and sleeps again.</summary>
    /// <param name="limit">Real time. Who was woken need not sleep again.</param>
    /// <returns>False when the limit was reached.</returns>
    public async Task<bool> SettleAsync(int sleepers, TimeSpan limit, CancellationToken cancellationToken)
    {
        var begin = System.GetTimestamp();
        while (true)
        {
            Task changed;
            lock (_gate)
            {
                var now = Elapsed;
                if (_waiting.Count >= sleepers && _waiting.All(timer => timer.Due > now)) return true;
                changed = _changed.Task;
            }

            var left = limit - System.GetElapsedTime(begin);
            if (left <= TimeSpan.Zero) return false;
            // Somebody may also become due by the time that goes by; hence no long wait for a change.
            await Task.WhenAny(changed, Task.Delay(left < TimeSpan.FromMilliseconds(100) ? left : TimeSpan.FromMilliseconds(100), cancellationToken));
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    private void Forward(TimeSpan by)
    {
        if (by <= TimeSpan.Zero) return;
        Volatile.Write(ref _movedTicks, _movedTicks + by.Ticks);
        foreach (var timer in _waiting) timer.Rearm(Elapsed);
    }

    private void Changed()
    {
        var changed = _changed;
        _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        changed.SetResult();
    }

    /// <summary>A timer that waits for a point of the clock's time line. A real timer calls it, which is set anew at every move.</summary>
    private sealed class MovedTimer : ITimer
    {
        private readonly MovableClock _clock;
        private readonly TimerCallback _callback;
        private readonly object? _state;
        private readonly ITimer _real;
        private TimeSpan _period = Timeout.InfiniteTimeSpan;
        private bool _isDisposed;

        public MovedTimer(MovableClock clock, TimerCallback callback, object? state)
        {
            (_clock, _callback, _state) = (clock, callback, state);
            // The real timer keeps the caller's execution context, too.
            _real = System.CreateTimer(static timer => ((MovedTimer)timer!).Tick(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }

        /// <summary>When it fires, on the clock's time line; null: it does not wait.</summary>
        public TimeSpan? Due { get; private set; }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (_clock._gate)
            {
                if (_isDisposed) return false;
                var now = _clock.Elapsed;
                _period = period;
                WaitFor(dueTime == Timeout.InfiniteTimeSpan ? null : now + dueTime, now);
                return true;
            }
        }

        public void Dispose()
        {
            lock (_clock._gate)
            {
                if (_isDisposed) return;
                _isDisposed = true;
                WaitFor(null, default);
            }

            _real.Dispose();
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return _real.DisposeAsync();
        }

        /// <summary>Sets the real timer. Under the clock's lock.</summary>
        public void Rearm(TimeSpan now)
        {
            if (Due is not { } due) return;
            var wait = due - now;
            _real.Change(wait <= TimeSpan.Zero ? TimeSpan.Zero : wait > LongestRealWait ? LongestRealWait : TimeSpan.FromMilliseconds(Math.Ceiling(wait.TotalMilliseconds)), Timeout.InfiniteTimeSpan);
        }

        private void WaitFor(TimeSpan? due, TimeSpan now)
        {
            Due = due;
            if (due is null)
            {
                _clock._waiting.Remove(this);
                if (!_isDisposed) _real.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            }
            else
            {
                _clock._waiting.Add(this);
                Rearm(now);
            }

            _clock.Changed();
        }

        private void Tick()
        {
            lock (_clock._gate)
            {
                var now = _clock.Elapsed;
                if (_isDisposed || Due is not { } due) return;
                if (due > now)
                {
                    Rearm(now);
                    return;
                }

                WaitFor(_period > TimeSpan.Zero ? due + _period : null, now);
            }

            _callback(_state);
        }
    }
}
