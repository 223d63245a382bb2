using System.Diagnostics;
using Strongroom.Backup.Jobs;

namespace Strongroom.Backup.Pipelines;

/// <summary>Turns bytes done into what a job shows: percent, remaining time, "x / y Transferred".</summary>
internal sealed class TransferMeter(JobRun run, string task, long totalBytes)
{
    private const double Gigabyte = 1024.0 * 1024 * 1024;
    private readonly long _startedAt = Stopwatch.GetTimestamp();

    /// <summary>Called from any thread, with the bytes done in all.</summary>
    public void At(long doneBytes)
    {
        var done = Math.Clamp(doneBytes, 0, totalBytes);
        var elapsed = Stopwatch.GetElapsedTime(_startedAt);
        var remaining = done == 0 ? (TimeSpan?)null : TimeSpan.FromSeconds(Math.Ceiling(elapsed.TotalSeconds * (totalBytes - done) / done));
        // 99 until the end is committed: a bar that is full while work goes on is a lie.
        var percent = Math.Round(Math.Min(99, 100.0 * done / totalBytes), 1);
        var details = string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{done / Gigabyte:0.##} GBs / {totalBytes / Gigabyte:0.##} GBs Transferred");
        run.Progress(j => j.Detail(task, details) with { ProgressPercent = Math.Max(percent, j.ProgressPercent ?? 0), EstimatedRemaining = remaining });
    }
}
