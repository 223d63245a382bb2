using System.Globalization;
using Spectre.Console;

namespace Strongroom.Demo;

/// <summary>Where a step says how far it is.</summary>
internal interface IStepProgress
{
    /// <summary>Starts a bar, or a series of lines where bars cannot be drawn.</summary>
    IStepBar AddBar(string label);
}

/// <summary>One bar. Safe for concurrent use.</summary>
internal interface IStepBar
{
    /// <param name="fraction">From 0 to 1; less than before is allowed and ignored.</param>
    void Report(double fraction);
}

/// <summary>Shows the numbered steps of the demo: moving bars on a terminal, plain lines anywhere else.</summary>
internal sealed class StoryConsole(IAnsiConsole console, TimeProvider time, int stepCount)
{
    private int stepNumber;

    private bool IsLive => console.Profile.Capabilities is { Interactive: true, Ansi: true };

    /// <summary>The step that runs or ran last, as people see it.</summary>
    public string CurrentStep { get; private set; } = "before the first step";

    /// <summary>Runs one step, shows it, and passes on what it returns.</summary>
    /// <param name="title">What it does, as an order: "Create the vault".</param>
    /// <param name="work">Returns the result and a few words about it.</param>
    public async Task<T> StepAsync<T>(string title, Func<IStepProgress, Task<(T Result, string Detail)>> work)
    {
        stepNumber++;
        CurrentStep = $"step {stepNumber}, \"{title}\"";
        var number = $"{stepNumber,2}/{stepCount}";
        var started = time.GetTimestamp();
        T result;
        string detail;
        if (IsLive)
        {
            (result, detail) = await console.Progress()
                .AutoClear(true)
                .Columns(new SpinnerColumn(), new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
                .StartAsync(async context =>
                {
                    var heading = context.AddTask($"{number} {Markup.Escape(title)}", autoStart: true);
                    heading.IsIndeterminate = true;
                    return await work(new LiveProgress(context, heading));
                });
        }
        else
        {
            console.MarkupLineInterpolated($"   {number} {title} ...");
            (result, detail) = await work(new LineProgress(console));
        }

        var seconds = time.GetElapsedTime(started).TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture);
        var mark = console.Profile.Capabilities.Unicode && IsLive ? "✓" : "ok";
        console.MarkupLineInterpolated($"[green]{mark}[/] {number} {title}: {detail} [grey]({seconds} s)[/]");
        return result;
    }

    public Task StepAsync(string title, Func<IStepProgress, Task<string>> work) =>
        StepAsync(title, async progress => (true, await work(progress)));

    public void Line(string text) => console.MarkupLineInterpolated($"{text}");

    private sealed class LiveProgress(ProgressContext context, ProgressTask heading) : IStepProgress
    {
        private bool hasBars;

        public IStepBar AddBar(string label)
        {
            // The first bar takes the heading's line: one thing at work needs one line.
            if (!hasBars)
            {
                hasBars = true;
                heading.IsIndeterminate = false;
                heading.MaxValue = 1;
                heading.Description = $"{heading.Description} [grey]{Markup.Escape(label)}[/]";
                return new LiveBar(heading);
            }

            return new LiveBar(context.AddTask($"      [grey]{Markup.Escape(label)}[/]", maxValue: 1));
        }
    }

    private sealed class LiveBar(ProgressTask task) : IStepBar
    {
        public void Report(double fraction)
        {
            lock (task)
                task.Value = Math.Max(task.Value, Math.Clamp(fraction, 0, 1));
        }
    }

    private sealed class LineProgress(IAnsiConsole console) : IStepProgress
    {
        public IStepBar AddBar(string label) => new LineBar(console, label);
    }

    /// <summary>A line at each quarter: a log is read afterwards, and a hundred lines tell no more than four.</summary>
    private sealed class LineBar(IAnsiConsole console, string label) : IStepBar
    {
        private readonly Lock guard = new();
        private int quarters;

        public void Report(double fraction)
        {
            lock (guard)
            {
                var reached = (int)(Math.Clamp(fraction, 0, 1) * 4);
                if (reached <= quarters)
                    return;
                quarters = reached;
                console.MarkupLineInterpolated($"         {label} {reached * 25} %");
            }
        }
    }
}
