using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace Strongroom.Bench.Live;

/// <summary>What one backup took.</summary>
/// <param name="WallSeconds">From the start of the tool to its end.</param>
/// <param name="ToolCpuSeconds">User and system time of the tool and its children.</param>
/// <param name="QemuCpuSeconds">The same of QEMU, which runs the guest too.</param>
/// <param name="ReadBytes">Read from the disk's file, by QEMU or by the tool.</param>
/// <param name="StoredBytes">What the repository grew by.</param>
/// <param name="Job">What the tool says of it; null: it says nothing.</param>
internal sealed record LiveRun(double WallSeconds, double ToolCpuSeconds, double QemuCpuSeconds, long ReadBytes, long StoredBytes, LiveJob? Job = null);

/// <summary>Medians as Markdown tables, and all numbers as JSON.</summary>
internal sealed class LiveTable
{
    public const string NoBackup = "no backup";

    private static readonly (string Name, Func<LiveRun, double> Of, string Format)[] Rows =
    [
        ("wall s", run => run.WallSeconds, "F2"),
        ("its CPU s", run => run.ToolCpuSeconds, "F2"),
        ("QEMU's CPU s", run => run.QemuCpuSeconds, "F2"),
        ("read MB", run => run.ReadBytes / 1e6, "F0"),
        ("stored MB", run => run.StoredBytes / 1e6, "F0"),
    ];

    private readonly List<(LiveStep Step, string Tool, LiveRun Run)> _runs = [];
    private readonly List<(string During, WriteLatency Latency)> _latencies = [];

    public void Add(LiveStep step, string tool, LiveRun run) => _runs.Add((step, tool, run));

    /// <param name="during">The tool that made a full backup meanwhile, or <see cref="NoBackup"/>.</param>
    public void Add(string during, WriteLatency latency) => _latencies.Add((during, latency));

    public string ToMarkdown()
    {
        // Ours first: the others are told in times of it.
        var tools = _runs.Select(run => run.Tool).Distinct().OrderBy(tool => tool != StrongroomLiveTool.OurName).ThenBy(tool => tool, StringComparer.Ordinal).ToArray();
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"| backup | | {string.Join(" | ", tools)} |");
        text.AppendLine(CultureInfo.InvariantCulture, $"|---|---|{string.Concat(tools.Select(_ => "---:|"))}");
        foreach (var step in _runs.GroupBy(run => run.Step).OrderBy(step => step.Key))
            foreach (var (name, of, format) in Rows)
                text.AppendLine(CultureInfo.InvariantCulture, $"| {(name == Rows[0].Name ? NameOf(step.Key) : "")} | {name} | {string.Join(" | ", tools.Select(tool => Cell(step, tool, of, format)))} |");
        text.AppendLine();
        AppendJobs(text);
        text.AppendLine("| the guest's writes of 4 KiB | writes | p50 µs | p99 µs |");
        text.AppendLine("|---|---:|---:|---:|");
        foreach (var during in _latencies.GroupBy(run => run.During))
            text.AppendLine(CultureInfo.InvariantCulture, $"| {(during.Key == NoBackup ? NoBackup : $"full backup by {during.Key}")} | {during.Sum(run => run.Latency.Writes)} | {MedianOf(during, 0.5)} | {MedianOf(during, 0.99)} |");
        return text.ToString();
    }

    public JsonObject ToJson() => new()
    {
        ["backups"] = new JsonArray([.. _runs.Select(run => new JsonObject
        {
            ["step"] = run.Step.ToString(),
            ["tool"] = run.Tool,
            ["wallSeconds"] = run.Run.WallSeconds,
            ["toolCpuSeconds"] = run.Run.ToolCpuSeconds,
            ["qemuCpuSeconds"] = run.Run.QemuCpuSeconds,
            ["readBytes"] = run.Run.ReadBytes,
            ["storedBytes"] = run.Run.StoredBytes,
            ["job"] = run.Run.Job?.ToJson(),
        })]),
        ["writes"] = new JsonArray([.. _latencies.Select(run => new JsonObject
        {
            ["during"] = run.During,
            ["writes"] = run.Latency.Writes,
            ["p50Microseconds"] = run.Latency.Percentile(0.5),
            ["p99Microseconds"] = run.Latency.Percentile(0.99),
        })]),
    };

    /// <summary>The median of a tool, and how many times ours it is.</summary>
    private static string Cell(IEnumerable<(LiveStep Step, string Tool, LiveRun Run)> step, string tool, Func<LiveRun, double> of, string format)
    {
        double? MedianOf(string wanted) => step.Where(run => run.Tool == wanted).Select(run => of(run.Run)).ToList() is { Count: > 0 } runs ? Measuring.Median.Of(runs) : null;
        if (MedianOf(tool) is not { } median)
            return "–";
        var number = median.ToString(format, CultureInfo.InvariantCulture);
        return tool != StrongroomLiveTool.OurName && MedianOf(StrongroomLiveTool.OurName) is > 0 and var ours
            ? string.Create(CultureInfo.InvariantCulture, $"{number} (×{median / ours:F1})")
            : number;
    }

    private void AppendJobs(StringBuilder text)
    {
        var jobs = _runs.Where(run => run.Run.Job is not null).Select(run => (run.Step, Job: run.Run.Job!)).GroupBy(run => run.Step, run => run.Job).OrderBy(step => step.Key).ToList();
        if (jobs.Count == 0)
            return;
        text.AppendLine("| our jobs say | job s | until the moment is taken s | transfer, commit and clean-up s | frozen ms | read MB | stored MB |");
        text.AppendLine("|---|---:|---:|---:|---:|---:|---:|");
        foreach (var step in jobs)
        {
            string Of(Func<LiveJob, double> of, string format) => Median(step.Select(of), format);
            text.AppendLine(CultureInfo.InvariantCulture, $"| {NameOf(step.Key)} | {Of(job => job.Seconds, "F2")} | {Of(job => job.SnapshotSeconds, "F2")} | {Of(job => job.TransferSeconds, "F2")} | {Of(job => job.FrozenMilliseconds, "F0")} | {Of(job => job.ReadBytes / 1e6, "F0")} | {Of(job => job.StoredBytes / 1e6, "F0")} |");
        }

        text.AppendLine();
    }

    private static string NameOf(LiveStep step) => step switch
    {
        LiveStep.First => "first",
        LiveStep.Second => "second",
        _ => "full, while the guest writes",
    };

    private static string MedianOf(IEnumerable<(string During, WriteLatency Latency)> runs, double share)
    {
        var known = runs.Select(run => run.Latency.Percentile(share)).ToList();
        // One beyond the last boundary has no number.
        return known.Contains(null) ? "–" : Median(known.Select(value => value!.Value), "F0");
    }

    private static string Median(IEnumerable<double> values, string format) => Measuring.Median.Of(values).ToString(format, CultureInfo.InvariantCulture);
}
