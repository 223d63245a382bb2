using System.Diagnostics;

namespace Strongroom.Bench.Measuring;

/// <summary>Wall and CPU seconds of this process since the start.</summary>
internal readonly record struct StepClock(long StartedAt, TimeSpan CpuBefore)
{
    public static StepClock Start() => new(Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime);

    public (double WallSeconds, double CpuSeconds) Stop() =>
        (Stopwatch.GetElapsedTime(StartedAt).TotalSeconds, (Environment.CpuUsage.TotalTime - CpuBefore).TotalSeconds);
}
