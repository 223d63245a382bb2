using System.Text.Json.Nodes;
using Strongroom.Store;

namespace Strongroom.Cli.Store;

/// <summary>What of a tree could not be backed up or restored as it is.</summary>
internal static class TreeProblems
{
    public static JsonArray Json(IReadOnlyList<TreeProblem> problems) => new([.. problems.Select(JsonNode (problem) => new JsonObject
    {
        ["path"] = problem.Path.ToString(),
        ["what"] = problem.What,
    })]);

    /// <summary>The first ones, and how many there are.</summary>
    public static IEnumerable<string> Lines(IReadOnlyList<TreeProblem> problems, long count, int most)
    {
        if (count == 0)
            yield break;
        yield return $"{Sizes.Count(count, "problem")}:";
        foreach (var problem in problems.Take(most))
            yield return $"  {Shown.Text($"{problem.Path}")}: {Shown.Text(problem.What)}";
        if (count > most)
            yield return $"  ... and {count - most} more (--output json shows up to 10,000)";
    }
}
