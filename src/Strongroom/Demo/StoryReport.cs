using System.Globalization;
using Spectre.Console;

namespace Strongroom.Demo;

/// <summary>The end of the demo: a table of what each step moved, and a sentence that says what was proven.</summary>
internal static class StoryReport
{
    private const double MegabyteBytes = 1e6;

    public static void Write(IAnsiConsole console, StoryOutcome outcome)
    {
        console.WriteLine();
        console.Write(Table(outcome.Measures));
        console.WriteLine();
        if (outcome.Differences.Count == 0)
        {
            console.MarkupLineInterpolated($"[green]{Proof(outcome)}[/]");
            return;
        }

        foreach (var difference in outcome.Differences)
            console.MarkupLineInterpolated($"[red]{difference.Disk}, {difference.Moment}: {difference.Difference}[/]");
        console.MarkupLineInterpolated(
            $"[red]Not proven: {outcome.Differences.Count} of {outcome.DisksCompared} restored disks are not what the originals were.[/]");
    }

    /// <summary>What a run without differences has shown, and nothing beyond it.</summary>
    public static string Proof(StoryOutcome outcome)
    {
        var text = $"Proven: all {outcome.DisksCompared} restored disks of {outcome.MachineCount} machines, from two recovery points each, "
            + "are byte for byte what the originals were at the moment of the backup (SHA-256 of the whole disk).";
        if (outcome.BytesStoredForChange is { } stored)
            text += $" Between the two, {Megabytes(outcome.BytesChangedBetween)} MB changed, and the second backup stored {Megabytes(stored)} MB.";
        return text;
    }

    private static Table Table(IReadOnlyList<StepMeasure> measures)
    {
        var table = new Table().Border(TableBorder.Simple);
        // Narrow enough for a terminal of eighty columns.
        table.AddColumn(new TableColumn("Step").NoWrap().Padding(0, 0));
        foreach (var heading in (string[])["Read\nMB", "Changed\nMB", "Stored\nMB", "Dedup", "Compr.", "Seconds", "MB/s"])
            table.AddColumn(new TableColumn(heading).RightAligned().NoWrap().Padding(0, 0));
        foreach (var measure in measures)
        {
            table.AddRow(
                Markup.Escape(measure.Step),
                Megabytes(measure.BytesRead),
                Megabytes(measure.BytesChanged),
                Megabytes(measure.BytesStored),
                Number(measure.DeduplicationRatio, "0.00", "x"),
                Number(measure.CompressionRatio, "0.00", "x"),
                Number(measure.Elapsed.TotalSeconds, "0.0", ""),
                Number(measure.BytesPerSecond / MegabyteBytes, "0", ""));
        }

        return table;
    }

    private static string Megabytes(long? bytes) => Number(bytes / MegabyteBytes, "0.0", "");

    private static string Number(double? value, string format, string unit) =>
        value is { } number ? number.ToString(format, CultureInfo.InvariantCulture) + unit : "-";
}
