using Spectre.Console;

namespace Strongroom.Cli.Store;

/// <summary>Progress on a terminal: one moving bar on standard error, gone when the work is done.</summary>
/// <remarks>In a file of its own, so that nothing of the library is loaded where no bar is drawn.</remarks>
internal static class ProgressBars
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    public static Task<T> RunAsync<T>(string title, Func<ProgressMeter, Task<T>> work)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        return console.Progress()
            .AutoClear(true)
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn(), new TransferSpeedColumn(), new RemainingTimeColumn())
            .StartAsync(async context =>
            {
                var bar = context.AddTask(Markup.Escape(title));
                bar.IsIndeterminate = true;
                var meter = new ProgressMeter();
                var running = work(meter);
                while (await Task.WhenAny(running, Task.Delay(Interval)) != running)
                    Show(bar, meter);
                return await running;
            });
    }

    private static void Show(ProgressTask bar, ProgressMeter meter)
    {
        if (meter.TotalBytes == 0)
            return;
        bar.IsIndeterminate = false;
        bar.MaxValue = meter.TotalBytes;
        bar.Value = Math.Max(bar.Value, meter.DoneBytes);
    }
}
