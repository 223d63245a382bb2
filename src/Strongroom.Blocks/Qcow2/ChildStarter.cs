using System.Collections.Concurrent;
using System.Diagnostics;

namespace Strongroom.Blocks.Qcow2;

/// <summary>Starts child programs from one thread that lives as long as this process.</summary>
/// <remarks>
/// A child's parent-death signal (prctl(2), PR_SET_PDEATHSIG) fires when the *thread* that started it ends, not when the process does; started from a
/// pool thread, a healthy child would be killed as soon as the pool retires that thread.
/// </remarks>
internal static class ChildStarter
{
    private static readonly BlockingCollection<(ProcessStartInfo Start, TaskCompletionSource<Process> Started)> Queue = Begin();

    /// <summary>Starts a program.</summary>
    /// <exception cref="System.ComponentModel.Win32Exception">It is not there or may not be run.</exception>
    public static Task<Process> StartAsync(ProcessStartInfo start)
    {
        var started = new TaskCompletionSource<Process>(TaskCreationOptions.RunContinuationsAsynchronously);
        Queue.Add((start, started));
        return started.Task;
    }

    private static BlockingCollection<(ProcessStartInfo Start, TaskCompletionSource<Process> Started)> Begin()
    {
        var queue = new BlockingCollection<(ProcessStartInfo Start, TaskCompletionSource<Process> Started)>();
        var thread = new Thread(() =>
        {
            foreach (var (start, started) in queue.GetConsumingEnumerable())
            {
                try
                {
                    started.SetResult(Process.Start(start)!);
                }
                catch (Exception exception)
                {
                    started.SetException(exception);
                }
            }
        })
        { IsBackground = true, Name = "Child starter" };
        thread.Start();
        return queue;
    }
}
