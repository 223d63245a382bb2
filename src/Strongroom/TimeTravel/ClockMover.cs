using Strongroom.Backup.Jobs;

namespace Strongroom.TimeTravel;

/// <summary>Moves the clock and waits for what comes of it. Thread-safe: moves go one after another.</summary>
/// <remarks>
/// 1. The target is written down. A server that is killed on the way starts again at the target: what became due on the way is then late, as after any time without a server.
/// 2. Jobs that run are waited for. 3. Step to the next timer; wait until who was woken sleeps again, and until no job is live; until no timer is due before the target. 4. Move to the target.
/// </remarks>
internal sealed class ClockMover(MovableClock clock, ClockFile file, IJobLedger ledger, IHostApplicationLifetime lifetime, ILogger<ClockMover> log) : IDisposable
{
    /// <summary>Real time that who was woken has for its work, jobs aside. It then goes on while the clock is moved.</summary>
    private static readonly TimeSpan WorkLimit = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(10);
    private readonly SemaphoreSlim _moving = new(1, 1);

    public DateTimeOffset Now => clock.GetUtcNow();

    /// <summary>Moves the clock.</summary>
    /// <param name="choose">Tells from the time that it is where to move to, and throws what is wrong with it. Called when all earlier moves are done.</param>
    /// <returns>The time that it is then.</returns>
    /// <exception cref="OperationCanceledException">The caller does not wait any more; the clock stays where it came to.</exception>
    public async Task<DateTimeOffset> MoveAsync(Func<DateTimeOffset, DateTimeOffset> choose, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, lifetime.ApplicationStopping);
        await _moving.WaitAsync(stop.Token);
        try
        {
            await JobsAsync(stop.Token);
            var now = Now;
            var target = choose(now);
            file.Write(clock.Ahead + (target - now));
            try
            {
                await StepAsync(target, stop.Token);
                clock.MoveTo(target);
            }
            finally
            {
                file.Write(clock.Ahead);
            }

            return Now;
        }
        finally
        {
            _moving.Release();
        }
    }

    public void Dispose() => _moving.Dispose();

    private async Task StepAsync(DateTimeOffset target, CancellationToken cancellationToken)
    {
        var sleepers = clock.Sleepers;
        while (clock.TryStep(target))
        {
            if (!await clock.SettleAsync(sleepers, WorkLimit, cancellationToken))
                log.LogWarning("What was due at {Now} is not done after {Seconds} seconds; the clock is moved on", Now, WorkLimit.TotalSeconds);
            await JobsAsync(cancellationToken);
            sleepers = clock.Sleepers;
        }
    }

    private async Task JobsAsync(CancellationToken cancellationToken)
    {
        while (await ledger.HasLiveAsync(cancellationToken)) await Task.Delay(LookEvery, cancellationToken);
    }
}
