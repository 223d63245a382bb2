using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Strongroom.Bench.Measuring;

namespace Strongroom.Bench.Peers;

/// <summary>The numbers of one disk: medians as a Markdown table, and all of them as JSON.</summary>
internal sealed class PeersTable(DiskCase disk, (long ZeroBytes, long TextBytes, long RandomBytes) content, IReadOnlyList<string> tools)
{
    private const double Megabyte = 1e6;
    private readonly Dictionary<(Step Step, string Tool), List<(Usage Usage, long? AddedBytes)>> runs = [];
    private readonly Dictionary<string, long> restored = [];
    private readonly List<JsonNode> reads = [];

    public void Add(Step step, string tool, Usage usage, long? addedBytes)
    {
        if (!runs.TryGetValue((step, tool), out var list))
            runs[(step, tool)] = list = [];
        list.Add((usage, addedBytes));
    }

    public void AddRestored(string tool, long dataBytes) => restored[tool] = dataBytes;

    public void AddReads(JsonNode read) => reads.Add(read);

    /// <summary>After each number of a peer stands how many times ours it is.</summary>
    public string ToMarkdown()
    {
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"### {disk.Name}: {disk.Disk.LengthBytes / Megabyte:F0} MB, of which {content.ZeroBytes / Megabyte:F0} holes, {content.TextBytes / Megabyte:F0} files, {content.RandomBytes / Megabyte:F0} random; changed {disk.Change.Percent} % in {disk.Change.ExtentBytes / 1024} KiB pieces");
        text.AppendLine();
        text.AppendLine(CultureInfo.InvariantCulture, $"| step | | {string.Join(" | ", tools)} |");
        text.AppendLine(CultureInfo.InvariantCulture, $"|---|---|{string.Concat(Enumerable.Repeat("---:|", tools.Count))}");
        foreach (var step in Enum.GetValues<Step>())
        {
            Row(text, NameOf(step), "wall s", step, run => run.Usage.WallSeconds, "F2");
            Row(text, "", "CPU s", step, run => run.Usage.CpuSeconds, "F2");
            Row(text, "", "peak RSS MB", step, run => run.Usage.PeakRssBytes / Megabyte, "F0");
            if (step < Step.Restore)
                Row(text, "", "adds MB", step, run => run.AddedBytes!.Value / Megabyte, "F1");
        }

        text.AppendLine(CultureInfo.InvariantCulture, $"| restored file | takes MB | {string.Join(" | ", tools.Select(tool => restored.TryGetValue(tool, out var bytes) ? Format(bytes / Megabyte, "F0") : "–"))} |");
        foreach (var (name, label) in ((string, string)[])
                 [
                     ("cpuMicrosecondsPerRead", "4 KiB read anywhere, CPU µs"), ("cpuMicrosecondsPerDataRead", "4 KiB read of data, CPU µs"),
                     ("wallMicrosecondsPerDataRead", "4 KiB read of data, wall µs"),
                 ])
        {
            if (reads.Count > 0)
                text.AppendLine(CultureInfo.InvariantCulture, $"| {label} | | {Format(MedianOfReads(name), "F0")} |{string.Concat(Enumerable.Repeat(" – |", tools.Count - 1))}");
        }

        return text.ToString();
    }

    public JsonObject ToJson()
    {
        var steps = new JsonArray();
        foreach (var ((step, tool), list) in runs)
        {
            steps.Add((JsonNode)new JsonObject
            {
                ["step"] = step.ToString(),
                ["tool"] = tool,
                ["medianWallSeconds"] = Median.Of(list.Select(run => run.Usage.WallSeconds)),
                ["medianCpuSeconds"] = Median.Of(list.Select(run => run.Usage.CpuSeconds)),
                ["medianPeakRssBytes"] = Median.Of(list.Select(run => (double)run.Usage.PeakRssBytes)),
                ["runs"] = new JsonArray([.. list.Select(run => ToJson(run.Usage, run.AddedBytes))]),
            });
        }

        return new()
        {
            ["disk"] = disk.Name,
            ["lengthBytes"] = disk.Disk.LengthBytes,
            ["zeroBytes"] = content.ZeroBytes,
            ["textBytes"] = content.TextBytes,
            ["randomBytes"] = content.RandomBytes,
            ["changedPercent"] = disk.Change.Percent,
            ["changedExtentBytes"] = disk.Change.ExtentBytes,
            ["steps"] = steps,
            ["restoredDataBytes"] = new JsonObject(restored.Select(one => KeyValuePair.Create(one.Key, (JsonNode?)JsonValue.Create(one.Value)))),
            ["reads"] = new JsonArray([.. reads.Select(read => read.DeepClone())]),
        };
    }

    private static JsonObject ToJson(Usage usage, long? addedBytes)
    {
        var json = usage.ToJson();
        json["addedBytes"] = addedBytes;
        return json;
    }

    private static string NameOf(Step step) => step switch
    {
        Step.FirstBackup => "first backup",
        Step.SecondBackupKnown => "second, changes known",
        Step.SecondBackup => "second, changes not known",
        Step.Restore => "restore",
        _ => "verify all data",
    };

    private static string Format(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);

    private void Row(
        StringBuilder text, string name, string unit, Step step, Func<(Usage Usage, long? AddedBytes), double> pick, string format)
    {
        double? ours = null;
        text.Append(CultureInfo.InvariantCulture, $"| {name} | {unit} |");
        foreach (var tool in tools)
        {
            // Where the peers have no such step, what they do instead stands beside ours.
            var list = runs.GetValueOrDefault((step, tool)) ?? (step == Step.SecondBackupKnown ? runs.GetValueOrDefault((Step.SecondBackup, tool)) : null);
            if (list is null)
            {
                text.Append(" – |");
                continue;
            }

            var median = Median.Of(list.Select(pick));
            text.Append(' ').Append(Format(median, format));
            if (ours is > 0)
                text.Append(CultureInfo.InvariantCulture, $" (×{median / ours.Value:F1})");
            text.Append(" |");
            ours ??= median;
        }

        text.AppendLine();
    }

    private double MedianOfReads(string name) => Median.Of(reads.Select(read => read[name]!.GetValue<double>()));
}
