using System.CommandLine;
using System.Text.Json.Nodes;
using Strongroom.Store;

namespace Strongroom.Cli.Store;

/// <summary><c>strongroom store verify</c>: ends with <see cref="ExitCodes.Damage"/> when anything is wrong.</summary>
internal static class VerifyVerb
{
    public static Command Create()
    {
        var readData = new Option<bool>("--read-data") { Description = "Read, decrypt and identify every chunk, not only the manifests and directories." };
        var budget = LimitOptions.RateOption("--budget", "Scrub instead: read every pack at no more than so many bytes a second, such as 20M, what was verified for longest first.");
        var command = new VerbCommand("verify", "Check that every snapshot can be restored.") { readData, budget };
        command.SetVerb(async (parsed, context, cancellationToken) =>
        {
            if (parsed.GetValue(budget) is { } rate)
                return await ScrubVerb.RunAsync(context, new() { BudgetBytesPerSecond = rate, Deep = parsed.GetValue(readData) }, cancellationToken);
            var started = context.Time.GetTimestamp();
            var vault = await context.OpenAsync(cancellationToken);
            var stored = vault.Statistics.BytesStored;
            var report = await context.Console.TrackAsync(
                "Verifying",
                meter => vault.VerifyAsync(parsed.GetValue(readData), meter.As<long>(bytes => (bytes, stored)), cancellationToken));
            return Result(report, parsed.GetValue(readData), context.Time.GetElapsedTime(started));
        });
        return command;
    }

    private static VerbResult Result(VerifyReport report, bool hasReadData, TimeSpan elapsed)
    {
        var json = new JsonObject
        {
            ["healthy"] = report.IsHealthy,
            ["dataRead"] = hasReadData,
            ["snapshotsChecked"] = report.SnapshotsChecked,
            ["packsChecked"] = report.PacksChecked,
            ["bytesRead"] = report.BytesRead,
            ["problems"] = new JsonArray([.. report.Problems.Select(JsonNode (problem) => new JsonObject
            {
                ["what"] = problem.What,
                ["snapshots"] = new JsonArray([.. problem.Snapshots.Select(JsonNode (id) => id.Value)]),
            })]),
            ["seconds"] = Math.Round(elapsed.TotalSeconds, 3),
        };
        List<string> lines = [$"Checked {Sizes.Count(report.SnapshotsChecked, "snapshot")} and {Sizes.Count(report.PacksChecked, "pack")}, read {Sizes.Text(report.BytesRead)}, in {Sizes.Seconds(elapsed)}."];
        foreach (var problem in report.Problems)
        {
            lines.Add($"DAMAGE: {problem.What}");
            lines.AddRange(problem.Snapshots.Select(id => $"  affects snapshot {id}"));
        }

        lines.Add((report.IsHealthy, hasReadData) switch
        {
            (true, true) => "Everything is as it should be.",
            (true, false) => "Nothing is wrong as far as it was looked at: manifests and directories. The data was not read; --read-data does that.",
            (false, true) => $"{Sizes.Count(report.Problems.Count, "problem")}. Snapshots that are not named are not affected.",
            (false, false) => $"{Sizes.Count(report.Problems.Count, "problem")}. The data was not read: --read-data tells whether more is damaged.",
        });
        return new(json, lines, report.IsHealthy ? ExitCodes.Done : ExitCodes.Damage);
    }
}
