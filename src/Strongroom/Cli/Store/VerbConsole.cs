using System.Text.Json;
using System.Text.Json.Nodes;

namespace Strongroom.Cli.Store;

/// <summary>What <c>--output</c> takes.</summary>
internal enum OutputFormat
{
    Text,
    Json,
}

/// <summary>Where a verb talks to: results go to standard output, everything else to standard error.</summary>
internal sealed class VerbConsole(OutputFormat format, TimeProvider time)
{
    /// <summary>Something worth knowing that is no result.</summary>
    public static void Note(string text) => Console.Error.WriteLine(text);

    /// <summary>Runs work that says how far it is: a bar on a terminal, a line at each quarter anywhere else.</summary>
    public Task<T> TrackAsync<T>(string title, Func<ProgressMeter, Task<T>> work) => Console.IsErrorRedirected
        ? ProgressLines.RunAsync(title, work, time)
        : ProgressBars.RunAsync(title, work);

    public void Write(VerbResult result)
    {
        if (format == OutputFormat.Json)
        {
            WriteJson(result.Json);
            return;
        }

        foreach (var line in result.Lines)
            Console.Out.WriteLine(line);
    }

    public void Write(VerbFailure failure)
    {
        Console.Error.WriteLine($"strongroom: {failure.Message}");
        if (format == OutputFormat.Json)
            WriteJson(new JsonObject { ["error"] = new JsonObject { ["code"] = failure.Code, ["message"] = failure.Message } });
    }

    /// <summary>One line, whatever the texts in it hold.</summary>
    public static void WriteJson(JsonObject json)
    {
        using var output = Console.OpenStandardOutput();
        using (var writer = new Utf8JsonWriter(output))
            json.WriteTo(writer);
        output.WriteByte((byte)'\n');
    }
}
