using System.Text.Json.Nodes;
using Strongroom.Api.Resources;
using Strongroom.Arm;
using Strongroom.Backup.Machines;

namespace Strongroom.Api.Fabric;

/// <summary>A host as it is shown: what was stored, how many machines it has now and whether it answers. A host that hangs holds nobody up.</summary>
/// <param name="limit">How long all hosts together have to name their machines.</param>
public sealed class HostView(IMachineFabric fabric, HostStates states, TimeSpan limit)
{
    /// <summary>One host.</summary>
    public async Task<JsonObject> ShowAsync(TrackedResource host, CancellationToken cancellationToken) =>
        (await ShowAsync([host], host.Id.SubscriptionId!, host.Id.ResourceGroup, cancellationToken))[host];

    /// <summary>Hosts of a subscription, or of one group of it.</summary>
    public async Task<IReadOnlyDictionary<TrackedResource, JsonObject>> ShowAsync(
        IReadOnlyList<TrackedResource> hosts, string subscriptionId, string? resourceGroup, CancellationToken cancellationToken)
    {
        if (hosts.Count == 0) return new Dictionary<TrackedResource, JsonObject>();
        var shown = hosts.Select(static host => (Host: host, Properties: (JsonObject)host.Properties.DeepClone())).ToArray();
        Task<IReadOnlyList<VirtualMachine>?> listing = ListAsync(subscriptionId, resourceGroup, cancellationToken);
        await states.AddAsync(shown, cancellationToken);
        IReadOnlyList<VirtualMachine>? machines = await listing;
        foreach ((TrackedResource host, JsonObject properties) in shown)
        {
            string id = host.Id.ToString();
            if (machines is not null) properties["virtualMachineCount"] = machines.Count(m => m.HostId.Equals(id, StringComparison.OrdinalIgnoreCase));
        }
        return shown.ToDictionary(static s => s.Host, static s => TrackedResources.ToJson(s.Host, s.Properties));
    }

    private async Task<IReadOnlyList<VirtualMachine>?> ListAsync(string subscriptionId, string? resourceGroup, CancellationToken cancellationToken)
    {
        try
        {
            return await fabric.ListAsync(subscriptionId, resourceGroup, cancellationToken).WaitAsync(limit, TimeProvider.System, cancellationToken);
        }
        catch (TimeoutException)
        {
            return null;
        }
    }
}
