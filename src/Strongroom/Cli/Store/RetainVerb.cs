using System.CommandLine;
using System.Text.Json.Nodes;
using Strongroom.Store;

namespace Strongroom.Cli.Store;

/// <summary><c>strongroom store retain</c>: has the storage itself keep what locked snapshots need. Ends with <see cref="ExitCodes.Damage"/> when something of that is missing.</summary>
internal static class RetainVerb
{
    public static Command Create()
    {
        var ahead = CommandLine.NumberOption("--days-ahead", "The most days ahead; what is locked for longer is retained further by later runs.", new RetentionOptions().GreatestDaysAhead);
        var command = new VerbCommand("retain", "Have the storage itself (S3 Object Lock, Azure immutability policies, immutable files) keep what locked snapshots of a locked vault need.") { ahead };
        command.SetVerb(async (parsed, context, cancellationToken) =>
        {
            var started = context.Time.GetTimestamp();
            var vault = await context.OpenAsync(cancellationToken);
            var report = await vault.ExtendRetentionAsync(new() { GreatestDaysAhead = parsed.GetValue(ahead) }, cancellationToken);
            return Result(report, context.Time.GetElapsedTime(started));
        });
        return command;
    }

    private static VerbResult Result(RetentionReport report, TimeSpan elapsed)
    {
        var json = new JsonObject
        {
            ["retained"] = report.State == RetentionState.Extended && report.Until is not null,
            ["state"] = report.State.ToString(),
            ["detail"] = report.Detail,
            ["blobsExtended"] = report.BlobsExtended,
            ["blobsRetained"] = report.BlobsRetained,
            ["until"] = report.Until is { } end ? Sizes.IsoTime(end) : null,
            ["problems"] = new JsonArray([.. report.Problems.Select(JsonNode (problem) => problem)]),
            ["seconds"] = Math.Round(elapsed.TotalSeconds, 3),
        };
        List<string> lines =
        [
            (report.State, report.Until) switch
            {
                (RetentionState.Extended, { } until) => $"Retained {Sizes.Count(report.BlobsRetained, "blob")} until {Sizes.Time(until)} UTC or less, {report.BlobsExtended} of them anew or longer, by {report.Detail}, in {Sizes.Seconds(elapsed)}.",
                (RetentionState.Extended, null) => "Nothing is retained: no snapshot is locked.",
                (RetentionState.NotAvailable, _) => $"NOTHING IS RETAINED: {report.Detail}. Who may delete there can delete everything.",
                _ => $"Nothing is retained: {report.Detail} (see 'strongroom store policy').",
            },
        ];
        lines.AddRange(report.Problems.Select(problem => $"DAMAGE: {problem}"));
        return new(json, lines, report.Problems.Count == 0 ? ExitCodes.Done : ExitCodes.Damage);
    }
}
