using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Strongroom.Clients.Az;

/// <summary>
/// Runs the commands of one az in forks of one process (az-forks.py), which spares each the second of processor time that
/// az takes to import itself. One command at a time.
/// </summary>
internal sealed class AzForks : IDisposable
{
    private readonly SemaphoreSlim _oneAtATime = new(1);
    private readonly Process _process;

    private AzForks(Process process) => _process = process;

    /// <summary>Whether a script says that the system's own Python runs it, as az of Debian's package does.</summary>
    public static bool CanRun(string script)
    {
        using var reader = File.OpenText(script);
        return reader.ReadLine() is { } line && line.StartsWith("#!", StringComparison.Ordinal) && line[2..].Trim() == "/usr/bin/python3";
    }

    /// <summary>Starts the process that forks.</summary>
    /// <param name="command">What runs a program: itself and its first arguments, in the right root, folder and environment.</param>
    /// <param name="script">Path of az as that program sees it.</param>
    public static AzForks Start(IReadOnlyList<string> command, string script)
    {
        var forker = File.ReadAllText(Path.Combine(Repository.Root, "tests", "Strongroom.Clients", "Az", "az-forks.py"));
        var start = new ProcessStartInfo(command[0], [.. command.Skip(1), "/usr/bin/python3", "-c", forker, script])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        return new AzForks(Process.Start(start)!);
    }

    /// <summary>Runs a command to its end; a cancelled one ends this.</summary>
    public async Task<CommandResult> RunAsync(IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string> environment, CancellationToken cancellationToken)
    {
        await _oneAtATime.WaitAsync(cancellationToken);
        try
        {
            JsonObject request = new()
            {
                ["arguments"] = new JsonArray([.. arguments.Select(argument => (JsonNode)argument)]),
                ["environment"] = new JsonObject(environment.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)pair.Value))),
            };
            await _process.StandardInput.WriteLineAsync(request.ToJsonString().AsMemory(), cancellationToken);
            await _process.StandardInput.FlushAsync(cancellationToken);
            var line = await _process.StandardOutput.ReadLineAsync(cancellationToken) ?? throw new EndOfStreamException("The process that forks for az has ended.");
            var answer = JsonNode.Parse(line)!;
            return new CommandResult($"az {string.Join(' ', arguments)}",
                answer["status"]!.GetValue<int>(), answer["output"]!.GetValue<string>(), answer["error"]!.GetValue<string>());
        }
        catch (OperationCanceledException)
        {
            _process.Kill(entireProcessTree: true);
            throw;
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        _process.Dispose();
        _oneAtATime.Dispose();
    }
}
