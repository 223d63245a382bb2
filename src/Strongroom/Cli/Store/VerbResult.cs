using System.Text.Json.Nodes;

namespace Strongroom.Cli.Store;

/// <summary>What a verb has to say at its end.</summary>
/// <param name="Json">For programs: the last line of the output with <c>--output json</c>.</param>
/// <param name="Lines">For people.</param>
/// <param name="ExitCode">One of <see cref="ExitCodes"/>.</param>
internal sealed record VerbResult(JsonObject Json, IReadOnlyList<string> Lines, int ExitCode = ExitCodes.Done);
