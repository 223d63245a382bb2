using System.Text;
using System.Text.Json.Nodes;
using Strongroom.Libvirt.Hosts;

namespace Strongroom.Libvirt.Machines;

/// <summary>QEMU's guest agent in a machine, by virsh.</summary>
internal sealed class GuestAgent(Libvirtd host, string machine)
{
    private static readonly TimeSpan BootLimit = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan CommandLimit = TimeSpan.FromMinutes(10);

    /// <summary>Waits until it answers.</summary>
    public async Task WaitAsync(CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(BootLimit);
        CommandResult? answer = null;
        try
        {
            while ((answer = await SendAsync("guest-ping", null, limit.Token)).ExitCode != 0)
                await Task.Delay(100, limit.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"The guest agent of {machine} does not answer: {answer?.StandardError}");
        }
    }

    /// <summary>Whether it answers now.</summary>
    public async Task<bool> AnswersAsync(CancellationToken cancellationToken) => (await SendAsync("guest-ping", null, cancellationToken)).ExitCode == 0;

    /// <summary>Freezes all file systems.</summary>
    /// <returns>How many.</returns>
    public async Task<int> FreezeAsync(CancellationToken cancellationToken) => (int)await AskAsync("guest-fsfreeze-freeze", null, cancellationToken);

    /// <summary>Thaws all file systems.</summary>
    /// <returns>How many.</returns>
    public async Task<int> ThawAsync(CancellationToken cancellationToken) => (int)await AskAsync("guest-fsfreeze-thaw", null, cancellationToken);

    /// <summary>Whether file systems are frozen.</summary>
    public async Task<bool> IsFrozenAsync(CancellationToken cancellationToken) => (string?)await AskAsync("guest-fsfreeze-status", null, cancellationToken) == "frozen";

    /// <summary>Runs a shell's command line to its end.</summary>
    public async Task<CommandResult> RunAsync(string commandLine, CancellationToken cancellationToken) =>
        await WaitForEndAsync(commandLine, await StartAsync("/bin/sh", ["-c", commandLine], cancellationToken), cancellationToken);

    /// <summary>Starts a program.</summary>
    /// <returns>Its process id in the guest.</returns>
    public async Task<long> StartAsync(string program, IEnumerable<string> arguments, CancellationToken cancellationToken)
    {
        var call = new JsonObject { ["path"] = program, ["arg"] = new JsonArray([.. arguments.Select(argument => JsonValue.Create(argument))]), ["capture-output"] = true };
        return (long)(await AskAsync("guest-exec", call, cancellationToken))["pid"]!;
    }

    /// <summary>Waits for the end of a program that <see cref="StartAsync"/> started.</summary>
    /// <param name="name">What it is called in messages.</param>
    public async Task<CommandResult> WaitForEndAsync(string name, long processId, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(CommandLimit);
        while (true)
        {
            var status = await AskAsync("guest-exec-status", new() { ["pid"] = processId }, limit.Token);
            if ((bool)status["exited"]!)
                return new(name, (int?)status["exitcode"] ?? 128 + (int)status["signal"]!, Text(status["out-data"]), Text(status["err-data"]));
            await Task.Delay(50, limit.Token);
        }
    }

    private static string Text(JsonNode? base64) => base64 is null ? "" : Encoding.UTF8.GetString(Convert.FromBase64String((string)base64!));

    private async Task<JsonNode> AskAsync(string command, JsonObject? arguments, CancellationToken cancellationToken) =>
        JsonNode.Parse((await SendAsync(command, arguments, cancellationToken)).Succeeded().StandardOutput)!["return"]!;

    private Task<CommandResult> SendAsync(string command, JsonObject? arguments, CancellationToken cancellationToken)
    {
        var request = new JsonObject { ["execute"] = command };
        if (arguments is not null)
            request["arguments"] = arguments;
        return host.VirshAsync(["qemu-agent-command", machine, "--timeout", "30", request.ToJsonString()], cancellationToken);
    }
}
