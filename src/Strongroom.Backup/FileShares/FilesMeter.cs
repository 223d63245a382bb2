using System.Globalization;
using Strongroom.Backup.Jobs;
using Strongroom.Backup.Pipelines;
using Strongroom.Store;

namespace Strongroom.Backup.FileShares;

/// <summary>Turns files done into what a job shows.</summary>
/// <param name="expectedBytes">About how much there is, or null where nobody knows.</param>
internal sealed class FilesMeter(JobRun run, string task, long? expectedBytes)
{
    private const double Gigabyte = 1024.0 * 1024 * 1024;
    private const long ShowEveryMilliseconds = 200;

    private long _shownAt = -ShowEveryMilliseconds;

    /// <summary>What a task says of files done.</summary>
    public static string Text(long entries, long bytes) => string.Create(CultureInfo.InvariantCulture, $"{entries} files and folders, {bytes / Gigabyte:0.##} GBs Transferred");

    /// <summary>Called from any thread.</summary>
    public void At(TreeProgress done)
    {
        // Files come by the thousand each second.
        var (now, shown) = (Environment.TickCount64, Volatile.Read(ref _shownAt));
        if (now < shown + ShowEveryMilliseconds || Interlocked.CompareExchange(ref _shownAt, now, shown) != shown) return;
        var details = Text(done.Entries, done.Bytes);
        // 99 until the end is committed: a bar that is full while work goes on is a lie.
        var percent = expectedBytes is > 0 and { } expected ? Math.Round(Math.Min(99, 100.0 * done.Bytes / expected), 1) : 0;
        run.Progress(j => j.Detail(task, details) with { ProgressPercent = Math.Max(percent, j.ProgressPercent ?? 0) });
    }
}
