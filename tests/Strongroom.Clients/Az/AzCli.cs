using System.Text.Json.Nodes;
using Strongroom.Clients.Servers;

namespace Strongroom.Clients.Az;

/// <summary>
/// The unmodified az command line, signed in to a server through a configuration folder of its own. What the user of
/// the machine has configured is neither read nor changed.
/// </summary>
internal sealed class AzCli
{
    private const string CloudName = "strongroom";
    private readonly AzProgram _program;
    private readonly ServerProcess _server;

    private AzCli(AzProgram program, ServerProcess server)
    {
        _program = program;
        _server = server;
    }

    /// <summary>Registers the server as a cloud and signs in as its administrator.</summary>
    public static async Task<AzCli> SignInAsync(AzProgram program, ServerProcess server, CancellationToken cancellationToken)
    {
        program.Trust(server.TrustFile);
        var az = new AzCli(program, server);
        var endpoint = server.Endpoint.GetLeftPart(UriPartial.Authority);
        await az.RunAsync(["cloud", "register", "-n", CloudName, "--endpoint-resource-manager", endpoint], cancellationToken);
        await az.RunAsync(["cloud", "set", "-n", CloudName], cancellationToken);
        await az.RunAsync(
            // As one argument: a secret may begin with a dash.
            ["login", "--service-principal", "-u", server.Admin.ClientId, "--password=" + server.Admin.ClientSecret, "--tenant", server.Admin.TenantId],
            cancellationToken);
        return az;
    }

    /// <summary>Runs one command and returns what it printed as JSON, or null where it printed nothing.</summary>
    public async Task<JsonNode?> RunAsync(IReadOnlyList<string> arguments, CancellationToken cancellationToken)
    {
        var result = await TryAsync(arguments, cancellationToken);
        Assert.True(result.ExitCode == 0, Describe(result));
        return result.StandardOutput.Trim().Length == 0 ? null : JsonNode.Parse(result.StandardOutput);
    }

    /// <summary>Runs a command line as a person types it: arguments parted by blanks, none of them quoted.</summary>
    public Task<JsonNode?> RunAsync(string commandLine, CancellationToken cancellationToken) =>
        RunAsync(commandLine.Split(' ', StringSplitOptions.RemoveEmptyEntries), cancellationToken);

    /// <summary>Runs a command that prints a list.</summary>
    public async Task<IReadOnlyList<JsonNode>> ListAsync(string commandLine, CancellationToken cancellationToken)
    {
        var answer = await RunAsync(commandLine, cancellationToken);
        return [.. Assert.IsType<JsonArray>(answer).OfType<JsonNode>()];
    }

    /// <summary>Runs a command that has to fail, and returns what it complained about.</summary>
    public Task<string> FailAsync(string commandLine, CancellationToken cancellationToken) =>
        FailAsync(commandLine.Split(' ', StringSplitOptions.RemoveEmptyEntries), cancellationToken);

    /// <summary>As <see cref="FailAsync(string, CancellationToken)"/>, with arguments that hold blanks.</summary>
    public async Task<string> FailAsync(IReadOnlyList<string> arguments, CancellationToken cancellationToken)
    {
        var result = await TryAsync(arguments, cancellationToken);
        Assert.True(result.ExitCode != 0, $"{result.CommandLine} succeeded.\n{result.StandardOutput}");
        return result.StandardError;
    }

    /// <summary>Runs a command and returns what it tells its user beside its output.</summary>
    public async Task<string> WarningsAsync(string commandLine, CancellationToken cancellationToken)
    {
        var result = await _program.RunAsync([.. commandLine.Split(' ', StringSplitOptions.RemoveEmptyEntries), "--output", "json"], cancellationToken);
        Assert.True(result.ExitCode == 0, Describe(result));
        return result.StandardError;
    }

    /// <summary>`az rest`: any request of the management API, by its path and query.</summary>
    public Task<JsonNode?> RestAsync(string method, string pathAndQuery, JsonNode? body, CancellationToken cancellationToken)
    {
        List<string> arguments = ["rest", "--method", method, "--url", new Uri(_server.Endpoint, pathAndQuery).AbsoluteUri];
        if (body is not null)
            arguments.AddRange(["--body", body.ToJsonString()]);
        return RunAsync(arguments, cancellationToken);
    }

    private Task<Peers.CommandResult> TryAsync(IReadOnlyList<string> arguments, CancellationToken cancellationToken) =>
        _program.RunAsync([.. arguments, "--output", "json", "--only-show-errors"], cancellationToken);

    private string Describe(Peers.CommandResult result) =>
        $"{result.CommandLine}\nended with status {result.ExitCode}\n{result.StandardError}\n{result.StandardOutput}\n{_server.LogTail}";
}
