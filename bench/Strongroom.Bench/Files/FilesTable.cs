using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Strongroom.Bench.Measuring;

namespace Strongroom.Bench.Files;

/// <summary>The numbers of a comparison: medians as a Markdown table, and all of them as JSON.</summary>
internal sealed class FilesTable(IReadOnlyList<string> tools)
{
    private const double Megabyte = 1e6;
    private readonly Dictionary<(FilesStep Step, string Tool), List<(Usage Usage, long AddedBytes)>> runs = [];

    public void Add(FilesStep step, string tool, Usage usage, long addedBytes)
    {
        if (!runs.TryGetValue((step, tool), out var list))
            runs[(step, tool)] = list = [];
        list.Add((usage, addedBytes));
    }

    /// <summary>After each number of a peer stands how many times ours it is.</summary>
    public string ToMarkdown()
    {
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"| step | | {string.Join(" | ", tools)} |");
        text.AppendLine(CultureInfo.InvariantCulture, $"|---|---|{string.Concat(Enumerable.Repeat("---:|", tools.Count))}");
        foreach (var step in Enum.GetValues<FilesStep>())
        {
            Row(text, NameOf(step), "wall s", step, run => run.Usage.WallSeconds, "F2");
            Row(text, "", "CPU s", step, run => run.Usage.CpuSeconds, "F2");
            Row(text, "", "peak RSS MB", step, run => run.Usage.PeakRssBytes / Megabyte, "F0");
            if (step < FilesStep.Restore)
                Row(text, "", "adds MB", step, run => run.AddedBytes / Megabyte, "F1");
        }

        return text.ToString();
    }

    public JsonArray ToJson() =>
    [
        .. runs.Select(entry => (JsonNode)new JsonObject
        {
            ["step"] = entry.Key.Step.ToString(),
            ["tool"] = entry.Key.Tool,
            ["runs"] = new JsonArray([.. entry.Value.Select(ToJson)]),
        }),
    ];

    private static JsonObject ToJson((Usage Usage, long AddedBytes) run)
    {
        var json = run.Usage.ToJson();
        json["addedBytes"] = run.AddedBytes;
        return json;
    }

    private static string NameOf(FilesStep step) => step switch
    {
        FilesStep.First => "first backup",
        FilesStep.Unchanged => "second, nothing changed",
        FilesStep.Changed => "third, some changed",
        FilesStep.Restore => "restore of all",
        _ => "restore of one file",
    };

    private void Row(StringBuilder text, string name, string unit, FilesStep step, Func<(Usage Usage, long AddedBytes), double> pick, string format)
    {
        double? ours = null;
        text.Append(CultureInfo.InvariantCulture, $"| {name} | {unit} |");
        foreach (var tool in tools)
        {
            if (runs.GetValueOrDefault((step, tool)) is not { } list)
            {
                text.Append(" – |");
                continue;
            }

            var median = Median.Of(list.Select(pick));
            text.Append(CultureInfo.InvariantCulture, $" {median.ToString(format, CultureInfo.InvariantCulture)}");
            if (ours is > 0)
                text.Append(CultureInfo.InvariantCulture, $" (×{median / ours.Value:F1})");
            text.Append(" |");
            ours ??= median;
        }

        text.AppendLine();
    }
}
