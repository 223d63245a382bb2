using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Strongroom.Arm;
using Strongroom.Backup.Machines;

namespace Strongroom.Api.Fabric;

/// <summary>Whether hosts answer, for those kinds that are reached through a connection. Safe for concurrent use.</summary>
/// <param name="limit">How long a host has to answer.</param>
public sealed class HostStates(IEnumerable<IHostProbe> probes, Hosts hosts, ILogger<HostStates> log, TimeSpan limit)
{
    private readonly Dictionary<string, IHostProbe> _probes = probes.ToDictionary(static p => p.Kind, StringComparer.OrdinalIgnoreCase);

    // A host that hangs holds one probe, however often it is asked for.
    private readonly ConcurrentDictionary<string, Lazy<Task<string?>>> _running = new(StringComparer.OrdinalIgnoreCase);
    private readonly ConcurrentDictionary<string, string> _told = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Adds <c>state</c>, and <c>stateMessage</c> where there is something to tell, to what is shown of each host.</summary>
    public Task AddAsync(IReadOnlyList<(TrackedResource Host, JsonObject Properties)> shown, CancellationToken cancellationToken) =>
        Task.WhenAll(shown.Select(s => AddAsync(s.Host, s.Properties, cancellationToken)));

    private async Task AddAsync(TrackedResource host, JsonObject properties, CancellationToken cancellationToken)
    {
        if (host.Properties.OptionalText("kind") is not { } kind || !_probes.TryGetValue(kind, out IHostProbe? probe)) return;
        (bool answers, string? message) = hosts.FindRefusal(host) is { } refusal ? (false, refusal) : await AskAsync(host.Id, probe, cancellationToken);
        properties["state"] = answers ? "Connected" : "Unreachable";
        if (message is not null) properties["stateMessage"] = message;
    }

    private async Task<(bool Answers, string? Message)> AskAsync(ResourceId host, IHostProbe probe, CancellationToken cancellationToken)
    {
        string id = host.ToString();
        Lazy<Task<string?>> asking = _running.GetOrAdd(id, _ => new(() => Task.Run(() => ProbeAsync(id, host.SubscriptionId!, probe), CancellationToken.None)));
        try
        {
            // Real time, never a tester's: the network knows no other.
            string? missing = await asking.Value.WaitAsync(limit, TimeProvider.System, cancellationToken);
            _told.TryRemove(id, out _);
            return (true, missing);
        }
        catch (TimeoutException)
        {
            return (false, Tell(id, "it does not answer", "The host does not answer."));
        }
        catch (MachineException e)
        {
            // What libvirt says may name files of the server and of the host.
            return (false, Tell(id, e.Message, e.Problem == MachineProblem.ToolMissing ? e.Message : "The server does not reach the host, or is not let in; the server's log says why."));
        }
    }

    private async Task<string?> ProbeAsync(string id, string subscriptionId, IHostProbe probe)
    {
        try
        {
            return await probe.ProbeAsync(subscriptionId, id, CancellationToken.None);
        }
        finally
        {
            _running.TryRemove(id, out _);
        }
    }

    private string Tell(string id, string why, string shown)
    {
        if (_told.TryAdd(id, why)) log.LogWarning("Host '{Host}' is not reached: {Why}", id, why);
        return shown;
    }
}
