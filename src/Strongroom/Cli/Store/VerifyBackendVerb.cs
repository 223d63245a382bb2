using System.CommandLine;
using System.Text.Json.Nodes;
using Strongroom.Store;
using Strongroom.Store.Blobs.Conformance;

namespace Strongroom.Cli.Store;

/// <summary><c>strongroom store verify-backend</c>: whether a vault would be safe in a place. Ends with <see cref="ExitCodes.Damage"/> when it would not.</summary>
internal static class VerifyBackendVerb
{
    public static Command Create()
    {
        var command = new VerbCommand("verify-backend", "Try whether a place keeps the rules that a vault relies on.", needsKey: false);
        command.SetVerb(async (_, context, cancellationToken) =>
        {
            var started = context.Time.GetTimestamp();
            var backend = context.OpenPlace();
            using var traces = ConformanceTraces.At(LocationArgument.FolderOf(context.Location));
            var report = await RunAsync(backend, context.Time, cancellationToken);
            return Result(context.Location, report, context.Time.GetElapsedTime(started));
        });
        return command;
    }

    internal static VerbResult Result(string location, ConformanceReport report, TimeSpan elapsed)
    {
        var violations = report.Results.Count(result => !result.HasPassed);
        var json = new JsonObject
        {
            ["location"] = location,
            ["conforming"] = report.IsConforming,
            ["rules"] = new JsonArray([.. report.Results.Select(JsonNode (result) => new JsonObject
            {
                ["rule"] = result.Rule,
                ["requirement"] = result.Requirement,
                ["passed"] = result.HasPassed,
                ["violation"] = result.Violation,
                ["seconds"] = Math.Round(result.Duration.TotalSeconds, 3),
            })]),
            ["seconds"] = Math.Round(elapsed.TotalSeconds, 3),
        };
        List<string> lines = [];
        foreach (var result in report.Results)
        {
            lines.Add($"{(result.HasPassed ? "kept  " : "BROKEN")}  {result.Rule,-28} {result.Requirement}");
            if (result.Violation is { } violation)
                lines.Add($"        {violation}");
        }

        lines.Add(report.IsConforming
            ? $"All {report.Results.Count} rules are kept, in {Sizes.Seconds(elapsed)}: a vault is safe there."
            : $"{violations} of {Sizes.Count(report.Results.Count, "rule")} broken: a vault would not be safe there.");
        return new(json, lines, report.IsConforming ? ExitCodes.Done : ExitCodes.Damage);
    }

    private static async Task<ConformanceReport> RunAsync(IBlobBackend backend, TimeProvider time, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        try
        {
            return await BackendConformance.RunAsync(backend, new(), time, new Announcer(), cancellationToken);
        }
        catch (StoreException refusal) when (refusal.Kind == StoreErrorKind.Unsupported)
        {
            // The back end found out by itself, before anything was tried.
            return new([new("conditional-create", "The service can create a blob only where none is.", refusal.Message, time.GetElapsedTime(started))]);
        }
    }

    /// <summary>The run takes up to a minute; what it does is shown as it comes.</summary>
    private sealed class Announcer : IProgress<ConformanceResult>
    {
        public void Report(ConformanceResult value) => VerbConsole.Note($"{value.Rule}: {(value.HasPassed ? "kept" : "BROKEN")}, {Sizes.Seconds(value.Duration)}");
    }
}
