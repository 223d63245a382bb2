using System.Collections.Concurrent;

namespace Strongroom.Backup.FileShares;

/// <summary>
/// Calls to file systems that may never answer: a mount whose server is gone holds whoever asks. Each call has a thread of its own, so that none of the pool's is lost, and
/// its caller waits no longer than a limit. What is held up goes on waiting; for one place there are only so many at a time.
/// </summary>
/// <remarks>Thread-safe.</remarks>
/// <param name="limit">How long a caller waits.</param>
public sealed class BoundedCalls(TimeSpan limit)
{
    private const int MostAtOnce = 8;

    private readonly ConcurrentDictionary<string, SemaphoreSlim> _permits = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>How long is waited where nobody says otherwise.</summary>
    public static TimeSpan UsualLimit { get; } = TimeSpan.FromSeconds(10);

    /// <summary>Runs a call that blocks. What it returns too late is disposed.</summary>
    /// <param name="place">What it asks: the calls for one place do not hold up another's.</param>
    /// <exception cref="TimeoutException">There was no answer.</exception>
    public async Task<T> RunAsync<T>(string place, Func<T> call, CancellationToken cancellationToken)
    {
        // Real time, never a tester's: disks know no other.
        var time = TimeProvider.System;
        var began = time.GetTimestamp();
        var permits = _permits.GetOrAdd(place, static _ => new SemaphoreSlim(MostAtOnce));
        if (!await permits.WaitAsync(limit, cancellationToken)) throw new TimeoutException();
        var running = Task.Factory.StartNew(
            () =>
            {
                try { return call(); }
                finally { permits.Release(); }
            },
            CancellationToken.None,
            TaskCreationOptions.LongRunning | TaskCreationOptions.DenyChildAttach,
            TaskScheduler.Default);
        try
        {
            var left = limit - time.GetElapsedTime(began);
            return await running.WaitAsync(left > TimeSpan.Zero ? left : TimeSpan.Zero, time, cancellationToken);
        }
        catch (Exception end) when (end is TimeoutException or OperationCanceledException && !running.IsFaulted)
        {
            _ = DropAsync(running);
            throw;
        }
    }

    private static async Task DropAsync<T>(Task<T> running)
    {
        await ((Task)running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (running.IsCompletedSuccessfully) (await running as IDisposable)?.Dispose();
    }
}
