using Strongroom.Backup.Jobs;
using Strongroom.Backup.Lifecycle;

namespace Strongroom.TimeTravel;

/// <summary>Moves the clock and waits for what comes of it. Thread-safe: moves go one after another.</summary>
/// <remarks>
/// 1. The target is written down. A server that is killed on the way starts again at the target: what became due on the way is then late, as after any time without a server.
/// 2. Jobs that run are waited for. 3. Do what items are due for. 4. Step to the next timer or to the next time an item is due, whichever comes first; wait until who was woken sleeps again, until no job is live, and until no item is
/// due; until nothing is due before the target. 5. Move to the target.
/// </remarks>
internal sealed class ClockMover(MovableClock clock, ClockFile file, IJobLedger ledger, ItemLifecycle lifecycle, IItemAgenda agenda, IHostApplicationLifetime lifetime, ILogger<ClockMover> log) : IDisposable
{
    /// <summary>Real time that who was woken has for its work, jobs aside. It then goes on while the clock is moved.</summary>
    private static readonly TimeSpan WorkLimit = TimeSpan.FromSeconds(30);

    /// <summary>What cannot be done at its time is tried again so much later by the clock that is moved.</summary>
    private static readonly TimeSpan RetryAfter = TimeSpan.FromHours(1);

    /// <summary>So many looks that change nothing of what is due tell that it cannot be done.</summary>
    private const int LooksInVain = 3;

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
        while (true)
        {
            var (isDone, lookedAt) = await ItemsAsync(cancellationToken);
            // Seen from the last look: the clock runs on, and what has become due since then is next.
            var next = await agenda.FindNextAsync(lookedAt, cancellationToken);
            if (!isDone && !(next < Now + RetryAfter)) next = Now + RetryAfter;
            var sleepers = clock.Sleepers;
            if (clock.TryStep(next < target ? next.Value : target))
            {
                if (!await clock.SettleAsync(sleepers, WorkLimit, cancellationToken))
                    log.LogWarning("What was due at {Now} is not done after {Seconds} seconds; the clock is moved on", Now, WorkLimit.TotalSeconds);
                await JobsAsync(cancellationToken);
            }
            else if (next <= target)
            {
                clock.MoveTo(next.Value);
            }
            else
            {
                return;
            }
        }
    }

    /// <summary>Does what items are due for, and what comes of it: whatever is written of an item, it is looked at again.</summary>
    /// <returns>False when something stays due, which cannot be done now; and the time up to which it was looked what is due.</returns>
    private async Task<(bool IsDone, DateTimeOffset LookedAt)> ItemsAsync(CancellationToken cancellationToken)
    {
        IReadOnlyList<DueItem> before = [];
        var now = Now;
        for (var inVain = 0; inVain < LooksInVain;)
        {
            await JobsAsync(cancellationToken);
            now = Now;
            var due = await agenda.ListDueAsync(now, cancellationToken);
            if (due.Count == 0) return (true, now);
            inVain = due.SequenceEqual(before) ? inVain + 1 : 0;
            before = due;
            try { await lifecycle.RunOnceAsync(cancellationToken); }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                log.LogError(e, "What is due at {Now} cannot be done", now);
                return (false, now);
            }
        }

        log.LogWarning("Something stays due at {Now}; it is tried again an hour later", now);
        return (false, now);
    }

    private async Task JobsAsync(CancellationToken cancellationToken)
    {
        while (await ledger.HasLiveAsync(cancellationToken)) await Task.Delay(LookEvery, cancellationToken);
    }
}
