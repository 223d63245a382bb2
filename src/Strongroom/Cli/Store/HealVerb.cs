using System.CommandLine;
using System.Text.Json.Nodes;
using Strongroom.Store;
using Strongroom.Store.Healing;

namespace Strongroom.Cli.Store;

/// <summary><c>strongroom store heal</c>: puts back from a copy what the vault lost. Ends with <see cref="ExitCodes.Damage"/> when anything is still wrong.</summary>
internal static class HealVerb
{
    public static Command Create()
    {
        var replica = new Option<string>("--from") { Description = $"A copy of the vault, which is only read: {LocationArgument.Description}.", Required = true };
        var command = new VerbCommand("heal", "Put back from a copy what the vault is known to have lost ('scrub' finds it). Nothing else may write to the vault meanwhile.") { replica };
        command.SetVerb(async (parsed, context, cancellationToken) =>
        {
            var started = context.Time.GetTimestamp();
            var key = context.LoadKey();
            var backend = context.OpenPlace();
            var from = context.OpenOther(parsed.GetRequiredValue(replica), mustExist: true).Backend;
            var report = await VaultHealing.RunAsync(backend, from, key, new VaultStoreOptions(), context.Time, new Announcer(), cancellationToken);
            return Result(report, context.Time.GetElapsedTime(started));
        });
        return command;
    }

    private static VerbResult Result(HealReport report, TimeSpan elapsed)
    {
        var json = new JsonObject
        {
            ["healthy"] = report.Problems.Count == 0,
            ["mended"] = new JsonArray([.. report.Mended.Select(JsonNode (name) => name)]),
            ["problems"] = new JsonArray([.. report.Problems.Select(JsonNode (problem) => new JsonObject
            {
                ["what"] = problem.What,
                ["snapshots"] = new JsonArray([.. problem.Snapshots.Select(JsonNode (id) => id.Value)]),
            })]),
            ["seconds"] = Math.Round(elapsed.TotalSeconds, 3),
        };
        List<string> lines = [$"Put back {Sizes.Count(report.Mended.Count, "blob")}, in {Sizes.Seconds(elapsed)}."];
        foreach (var problem in report.Problems)
        {
            lines.Add($"DAMAGE: {problem.What}");
            lines.AddRange(problem.Snapshots.Select(id => $"  affects snapshot {id}"));
        }

        lines.Add(report.Problems.Count == 0 ? "Nothing is known to be wrong any more." : $"{Sizes.Count(report.Problems.Count, "problem")} left. Snapshots that are not named are not affected.");
        return new(json, lines, report.Problems.Count == 0 ? ExitCodes.Done : ExitCodes.Damage);
    }

    /// <summary>How much there is to put back is not known before; each blob is named as it comes.</summary>
    private sealed class Announcer : IProgress<string>
    {
        public void Report(string value) => VerbConsole.Note($"Put back {value}.");
    }
}
