using System.Collections.Concurrent;

namespace Strongroom.Store.Trees;

/// <summary>Knows what was begun and has not ended, so that nothing runs on when its owner has failed. Thread-safe.</summary>
internal sealed class RunningTasks
{
    private readonly ConcurrentDictionary<Task, byte> running = [];

    public Task<T> Add<T>(Task<T> task)
    {
        if (task.IsCompleted)
            return task;
        running[task] = 0;
        _ = task.ContinueWith(ended => running.TryRemove(ended, out _), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        return task;
    }

    /// <summary>Waits until all has ended, however it did.</summary>
    public async Task WhenAllEndedAsync()
    {
        while (!running.IsEmpty)
        {
            foreach (var task in running.Keys)
                await task.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
