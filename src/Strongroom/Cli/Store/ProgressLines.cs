namespace Strongroom.Cli.Store;

/// <summary>Progress where no bar can be drawn: a line at each quarter, and none for what is done at once. A log is read afterwards.</summary>
internal static class ProgressLines
{
    private const int Parts = 4;
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(2);

    public static Task<T> RunAsync<T>(string title, Func<ProgressMeter, Task<T>> work, TimeProvider time)
    {
        var meter = new ProgressMeter();
        var started = time.GetTimestamp();
        var reached = 0;
        var guard = new Lock();
        meter.Changed = () =>
        {
            var part = (int)(meter.Fraction * Parts);
            if (part <= Volatile.Read(ref reached) || time.GetElapsedTime(started) < Quiet)
                return;
            lock (guard)
            {
                if (part <= reached)
                    return;
                Volatile.Write(ref reached, part);
                Console.Error.WriteLine($"{title}: {part * 100 / Parts} % of {Sizes.Text(meter.TotalBytes)}");
            }
        };
        return work(meter);
    }
}
