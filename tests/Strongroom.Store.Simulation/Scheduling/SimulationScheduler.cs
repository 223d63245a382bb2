using System.Diagnostics;

namespace Strongroom.Store.Simulation.Scheduling;

/// <summary>Runs everything on one thread; a seed decides which of the ready continuations goes next.</summary>
/// <remarks>
/// What the runtime itself does on the thread pool (<see cref="SemaphoreSlim"/> with a token, <c>CancelAsync</c>, sources that complete
/// asynchronously) only carries a continuation back to this scheduler. The pool is held at one thread, so that it carries them in order, and
/// no step begins before it is idle.
/// </remarks>
internal sealed class SimulationScheduler(Random random, SimulatedClock clock, long greatestSteps, Action<string>? log) : TaskScheduler
{
    private readonly Lock gate = new();
    private readonly List<Task> ready = [];
    private readonly List<Task> fromPool = [];
    private Thread? driver;

    /// <summary>Continuations run so far.</summary>
    public long Steps { get; private set; }

    /// <summary>Depends on everything that was done and in which order. Two runs of one seed have the same.</summary>
    public ulong Trace { get; private set; } = 14695981039346656037;

    /// <summary>Puts an event into <see cref="Trace"/> (FNV-1a).</summary>
    public void Record(string what)
    {
        log?.Invoke(what);
        foreach (var c in what)
            Trace = (Trace ^ c) * 1099511628211;
    }

    /// <summary>Runs to the end of <paramref name="root"/> on a thread of its own; rethrows its failure. Nothing else may use the thread pool meanwhile.</summary>
    public void Run(Func<Task> root)
    {
        ThreadPool.GetMinThreads(out _, out var leastPorts);
        ThreadPool.GetMaxThreads(out _, out var mostPorts);
        if (!ThreadPool.SetMinThreads(1, leastPorts) || !ThreadPool.SetMaxThreads(1, mostPorts))
            throw new InvalidOperationException("The thread pool cannot be held at one thread.");
        Exception? failure = null;
        var thread = new Thread(() => failure = Drive(root), 16 << 20);
        thread.Start();
        thread.Join();
        if (failure is not null)
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure);
    }

    protected override IEnumerable<Task> GetScheduledTasks()
    {
        lock (gate)
            return [.. ready, .. fromPool];
    }

    protected override void QueueTask(Task task)
    {
        // Apart, so that the order does not depend on whether the pool was faster than the end of the step.
        lock (gate)
            (Thread.CurrentThread == driver ? ready : fromPool).Add(task);
    }

    /// <summary>Never: each continuation is a choice of the seed.</summary>
    protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) => false;

    private Exception? Drive(Func<Task> root)
    {
        driver = Thread.CurrentThread;
        try
        {
            var main = Task.Factory.StartNew(root, CancellationToken.None, TaskCreationOptions.DenyChildAttach, this).Unwrap();
            while (!main.IsCompleted)
            {
                WaitForIdlePool();
                if (TakeNext() is { } next)
                {
                    if (++Steps > greatestSteps)
                        throw new InvalidOperationException($"The simulation did not end in {greatestSteps} steps.");
                    TryExecuteTask(next);
                }
                else if (!clock.TryAdvance() && !main.IsCompleted)
                {
                    throw new InvalidOperationException("Everybody waits and nothing will happen: a deadlock.");
                }
            }

            main.GetAwaiter().GetResult();
            return null;
        }
        catch (Exception failure)
        {
            return failure;
        }
    }

    private Task? TakeNext()
    {
        lock (gate)
        {
            ready.AddRange(fromPool);
            fromPool.Clear();
            if (ready.Count == 0)
                return null;
            var i = random.Next(ready.Count);
            var next = ready[i];
            ready.RemoveAt(i);
            return next;
        }
    }

    private static void WaitForIdlePool()
    {
        if (IsPoolIdle())
            return;
        var since = Stopwatch.GetTimestamp();
        var spin = default(SpinWait);
        while (!IsPoolIdle())
        {
            spin.SpinOnce(sleep1Threshold: -1);
            if (Stopwatch.GetElapsedTime(since) > TimeSpan.FromSeconds(30))
                throw new InvalidOperationException("The thread pool is never idle: something outside the simulation uses it.");
        }
    }

    /// <summary>A worker counts as busy from before it takes an item until it has found no other: first the queue, then the workers.</summary>
    private static bool IsPoolIdle() => ThreadPool.PendingWorkItemCount == 0 && BusyWorkers() == 0;

    private static int BusyWorkers()
    {
        ThreadPool.GetMaxThreads(out var most, out _);
        ThreadPool.GetAvailableThreads(out var available, out _);
        return most - available;
    }
}
