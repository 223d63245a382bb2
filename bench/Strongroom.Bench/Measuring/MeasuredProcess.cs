using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Strongroom.Bench.Measuring;

/// <summary>A command to run: where, and with what besides the environment of this process.</summary>
internal sealed record Invocation(IReadOnlyList<string> Arguments, string Folder, IReadOnlyDictionary<string, string> Environment);

/// <summary>What came of it.</summary>
internal sealed record Outcome(Usage Usage, string Output)
{
    /// <summary>The last line, which is one JSON object.</summary>
    public JsonNode Json => JsonNode.Parse(Output.TrimEnd().Split('\n')[^1])!;
}

/// <summary>Runs commands and learns what they and their children took.</summary>
/// <remarks>
/// The kernel tells a parent only the greatest resident set of all children that it ever had. So each command gets a parent of its own: this
/// program as <c>measure FILE COMMAND...</c>, which starts it, waits, and writes what the kernel says to FILE.
/// </remarks>
internal static class MeasuredProcess
{
    public const string Verb = "measure";

    /// <summary>This program, to be run as a child.</summary>
    public static string Self => Path.Combine(AppContext.BaseDirectory, "Strongroom.Bench");

    /// <exception cref="InvalidOperationException">The command failed; with the end of what it said.</exception>
    public static async Task<Outcome> RunAsync(Invocation invocation, CancellationToken cancellationToken)
    {
        var result = Path.GetTempFileName();
        try
        {
            var start = new ProcessStartInfo(Self, [Verb, result, .. invocation.Arguments])
            {
                WorkingDirectory = invocation.Folder,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            };
            foreach (var (name, value) in invocation.Environment)
                start.Environment[name] = value;
            using var process = Process.Start(start)!;
            try
            {
                var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
                var error = process.StandardError.ReadToEndAsync(cancellationToken);
                await Task.WhenAll(output, error);
                await process.WaitForExitAsync(cancellationToken);
                if (process.ExitCode != 0)
                    throw new InvalidOperationException($"{string.Join(' ', invocation.Arguments)}: status {process.ExitCode}\n{Tail(await output)}\n{Tail(await error)}");
                return new(Usage.Read(JsonNode.Parse(await File.ReadAllTextAsync(result, cancellationToken))!), await output);
            }
            catch (OperationCanceledException)
            {
                process.Kill(entireProcessTree: true);
                throw;
            }
        }
        finally
        {
            File.Delete(result);
        }
    }

    /// <summary>The parent's part.</summary>
    public static async Task<int> MeasureAsync(string resultPath, string[] command)
    {
        var before = ProcessCounters.Read(Environment.ProcessId);
        var startedAt = Stopwatch.GetTimestamp();
        using var process = Process.Start(new ProcessStartInfo(command[0], command[1..]))!;
        await process.WaitForExitAsync();
        var wall = Stopwatch.GetElapsedTime(startedAt).TotalSeconds;
        var (cpu, peak) = ResourceCalls.UsageOfChildren();

        // The kernel adds a child's to its parent's when the parent has waited for it.
        var read = ProcessCounters.Read(Environment.ProcessId).ReadBytes - before.ReadBytes;
        await File.WriteAllTextAsync(resultPath, new Usage(wall, cpu, peak, read).ToJson().ToJsonString());
        return process.ExitCode;
    }

    private static string Tail(string text) => text.Length <= 2000 ? text : text[^2000..];
}
