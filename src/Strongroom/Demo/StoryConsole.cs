using System.Globalization;
using Spectre.Console;

namespace Strongroom.Demo;

/// <summary>Where a step says how far it is.</summary>
internal interface IStepProgress
{
    /// <summary>Shows a bar for each label, or lines where bars cannot be drawn, and one for all of them together. Called once a step at most.</summary>
    /// <returns>As many bars as labels, in their order.</returns>
    IReadOnlyList<IStepBar> AddBars(IReadOnlyList<string> labels);
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

    /// <summary>Where the demo is, as the end of a sentence: the step that runs or ran last.</summary>
    public string CurrentStep { get; private set; } = "before the first step";

    /// <summary>Runs one step, shows it, and passes on what it returns.</summary>
    /// <param name="title">What it does, as an order: "Create the vault".</param>
    /// <param name="work">Returns the result and a few words about it.</param>
    public async Task<T> StepAsync<T>(string title, Func<IStepProgress, Task<(T Result, string Detail)>> work)
    {
        stepNumber++;
        CurrentStep = $"at step {stepNumber}, \"{title}\"";
        var number = $"{stepNumber,2}/{stepCount}";
        var started = time.GetTimestamp();
        T result;
        string detail;
        if (IsLive)
        {
            (result, detail) = await console.Progress()
                .AutoClear(true)
                .Columns(Columns())
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

    private ProgressColumn[] Columns()
    {
        ProgressColumn[] narrow =
        [
            new SpinnerColumn(),
            new TaskDescriptionColumn { Alignment = Justify.Left },
            new ProgressBarColumn { Width = 20 },
            new PercentageColumn(),
        ];
        return console.Profile.Width < 90 ? narrow : [.. narrow, new RemainingTimeColumn()];
    }

    /// <summary>The heading's own bar shows the mean of the step's bars; a single bar needs no line beside it.</summary>
    private sealed class LiveProgress(ProgressContext context, ProgressTask heading) : IStepProgress
    {
        private readonly Lock guard = new();
        private double[] fractions = [];

        public IReadOnlyList<IStepBar> AddBars(IReadOnlyList<string> labels)
        {
            heading.IsIndeterminate = false;
            heading.MaxValue = labels.Count;
            fractions = new double[labels.Count];
            return [.. labels.Select((label, index) => new LiveBar(
                this, index, labels.Count == 1 ? null : context.AddTask($"      [grey]{Markup.Escape(label)}[/]", maxValue: 1)))];
        }

        private void ShowSum() => heading.Value = fractions.Sum();

        private sealed class LiveBar(LiveProgress step, int index, ProgressTask? task) : IStepBar
        {
            public void Report(double fraction)
            {
                lock (step.guard)
                {
                    step.fractions[index] = Math.Max(step.fractions[index], Math.Clamp(fraction, 0, 1));
                    task?.Value = step.fractions[index];
                    step.ShowSum();
                }
            }
        }
    }

    private sealed class LineProgress(IAnsiConsole console) : IStepProgress
    {
        public IReadOnlyList<IStepBar> AddBars(IReadOnlyList<string> labels) =>
            [.. labels.Select(label => new LineBar(console, label, partCount: labels.Count < 3 ? 4 : 1))];
    }

    /// <summary>A line at each quarter, or at the end alone where there are many bars: a log is read afterwards.</summary>
    private sealed class LineBar(IAnsiConsole console, string label, int partCount) : IStepBar
    {
        private readonly Lock guard = new();
        private int partsDone;

        public void Report(double fraction)
        {
            lock (guard)
            {
                var reached = (int)(Math.Clamp(fraction, 0, 1) * partCount);
                if (reached <= partsDone)
                    return;
                partsDone = reached;
                console.MarkupLineInterpolated($"         {label} {reached * 100 / partCount} %");
            }
        }
    }
}
