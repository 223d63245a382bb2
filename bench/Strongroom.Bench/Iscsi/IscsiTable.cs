using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Strongroom.Bench.Measuring;

namespace Strongroom.Bench.Iscsi;

/// <summary>One run of a load against a side.</summary>
/// <param name="RequestsPerSecond">What the initiator says.</param>
/// <param name="CpuMicroseconds">Of the server, for each request, as far as the rate tells how many there were.</param>
/// <param name="PeakRssBytes">Of the server, so far.</param>
internal sealed record IscsiRun(double RequestsPerSecond, double CpuMicroseconds, long PeakRssBytes);

/// <summary>Medians as a Markdown table, and all numbers as JSON. Ratios are printed whatever they are.</summary>
internal sealed class IscsiTable
{
    public const string Ours = "strongroom";
    public const string Theirs = "tgt";
    private readonly List<(IscsiLoad Load, bool IsWarm, string Side, IscsiRun Run)> runs = [];

    public void Add(IscsiLoad load, bool isWarm, string side, IscsiRun run) => runs.Add((load, isWarm, side, run));

    public string ToMarkdown()
    {
        var text = new StringBuilder();
        text.AppendLine("| reads | cache | strongroom /s | tgt /s | ratio | strongroom MB/s | tgt MB/s | server CPU µs each | tgt | peak RSS MB | tgt |");
        text.AppendLine("|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
        foreach (var group in runs.GroupBy(run => (run.Load, run.IsWarm)).OrderBy(group => group.Key.IsWarm))
        {
            var (ours, theirs) = (MedianOf(group, Ours), MedianOf(group, Theirs));
            var bytes = group.Key.Load.RequestBytes / 1e6;
            text.AppendLine(CultureInfo.InvariantCulture, $"| {group.Key.Load.Name} | {(group.Key.IsWarm ? "warm" : "cold")} | {ours.RequestsPerSecond:F0} | {theirs.RequestsPerSecond:F0} | **{ours.RequestsPerSecond / theirs.RequestsPerSecond:F2}** | {ours.RequestsPerSecond * bytes:F0} | {theirs.RequestsPerSecond * bytes:F0} | {ours.CpuMicroseconds:F0} | {theirs.CpuMicroseconds:F0} | {ours.PeakRssBytes / 1e6:F0} | {theirs.PeakRssBytes / 1e6:F0} |");
        }

        return text.ToString();
    }

    public JsonArray ToJson() => new([.. runs.Select(run => new JsonObject
    {
        ["load"] = run.Load.Name,
        ["warm"] = run.IsWarm,
        ["side"] = run.Side,
        ["requestsPerSecond"] = run.Run.RequestsPerSecond,
        ["cpuMicroseconds"] = run.Run.CpuMicroseconds,
        ["peakRssBytes"] = run.Run.PeakRssBytes,
    })]);

    private static IscsiRun MedianOf(IEnumerable<(IscsiLoad Load, bool IsWarm, string Side, IscsiRun Run)> group, string side)
    {
        var list = group.Where(run => run.Side == side).Select(run => run.Run).ToList();
        return new(
            Median.Of(list.Select(run => run.RequestsPerSecond)),
            Median.Of(list.Select(run => run.CpuMicroseconds)),
            (long)Median.Of(list.Select(run => (double)run.PeakRssBytes)));
    }
}
