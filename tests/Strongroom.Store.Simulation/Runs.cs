using System.Diagnostics;
using Strongroom.Store.Simulation.Storage;
using Strongroom.Store.Simulation.World;

namespace Strongroom.Store.Simulation;

/// <summary>Rows of runs, and what they print: a line for each that failed, and a sum.</summary>
internal static class Runs
{
    private const long StorySeed = 20;
    private static readonly Act[] Story = [Act.BackUp, Act.Lock, Act.ChangeKeys, Act.BackUp, Act.Delete, Act.Undelete, Act.Collect, Act.BackUp, Act.Copy, Act.Scrub, Act.Restore];

    /// <summary>One seed.</summary>
    public static RunReport Play(long seed, Action<string>? log) =>
        SimulatedWorld.Run(seed, processes: 1 + (int)(seed % 3), acts: null, plan: null, log);

    /// <summary>Seeds from <paramref name="first"/> on, until so many were played or the time is up. 0 when none failed.</summary>
    public static int PlayMany(long first, long count, TimeSpan limit)
    {
        var since = Stopwatch.GetTimestamp();
        var sum = new Sum();
        for (var seed = first; seed < first + count && Stopwatch.GetElapsedTime(since) < limit; seed++)
            sum.Add($"seed {seed}", () => Play(seed, null));
        return sum.Print();
    }

    /// <summary>One story with one process, and the fault at each of its calls of the storage in turn, or at every so many-th. 0 when none failed.</summary>
    public static int PlayEveryCall(Fault fault, long stride)
    {
        RunReport At(long call) => SimulatedWorld.Run(StorySeed, 1, Story, new FaultPlan { AtCall = call, FaultAtCall = fault }, null);
        var calls = At(long.MaxValue).Calls;
        var sum = new Sum();
        for (var call = calls % stride; call < calls; call += stride)
            sum.Add($"{fault} at call {call}", () => At(call));
        return sum.Print();
    }

    private sealed class Sum
    {
        private long runs;
        private long commits;
        private long calls;
        private ulong traces;
        private long failed;

        public void Add(string what, Func<RunReport> play)
        {
            runs++;
            try
            {
                var report = play();
                commits += report.Commits;
                calls += report.Calls;
                traces = (traces * 31) + report.Trace;
            }
            catch (Exception failure)
            {
                Console.WriteLine($"FAILED {what}: {failure.Message}");
                failed++;
            }
        }

        public int Print()
        {
            Console.WriteLine($"{runs} runs, {commits} commits, {calls} calls, {failed} failed, trace {traces:x16}");
            return failed == 0 ? 0 : 1;
        }
    }
}
