using System.Globalization;
using System.Text.Json.Nodes;
using Strongroom.Arm;
using Strongroom.Backup.Jobs;
using Strongroom.Backup.RecoveryPoints;

namespace Strongroom.Backup.Pipelines.Restores;

/// <summary>The resources that a restore is aimed at.</summary>
internal sealed class RestoreTargets(IResourceStore resources)
{
    public async Task<bool> ExistsAsync(ResourceId id, CancellationToken cancellationToken) => await resources.GetAsync(id, cancellationToken) is not null;

    /// <exception cref="RestoreException">It does not exist.</exception>
    public async Task<ResourceGroup> RequireGroupAsync(string group, CancellationToken cancellationToken) =>
        ResourceId.TryParse(group, out var id) && id.SubscriptionId is { } subscription && id.ResourceGroup is { } name
        && await resources.GetGroupAsync(subscription, name, cancellationToken) is { } found
            ? found
            : throw new RestoreException(JobErrors.ResourceGroupMissing(group.Split('/')[^1]));

    /// <exception cref="RestoreException">A network, or the subnet of it, that was named does not exist.</exception>
    public async Task RequireNetworkAsync(string? virtualNetworkId, string? subnetId, CancellationToken cancellationToken)
    {
        if (string.IsNullOrEmpty(virtualNetworkId) && string.IsNullOrEmpty(subnetId)) return;
        var subnet = string.IsNullOrEmpty(subnetId) ? null : ResourceId.Parse(subnetId);
        var network = string.IsNullOrEmpty(virtualNetworkId) ? subnet!.Parent! : ResourceId.Parse(virtualNetworkId);
        var found = await resources.GetAsync(network, cancellationToken) ?? throw new RestoreException(JobErrors.SubnetMissing(network.ToString()));
        if (subnet is null) return;
        var subnets = found.Properties["subnets"] as JsonArray ?? [];
        if (subnet.Parent != network || !subnets.Any(s => string.Equals((string?)s?["name"], subnet.Name, StringComparison.OrdinalIgnoreCase)))
            throw new RestoreException(JobErrors.SubnetMissing(subnet.ToString()));
    }

    /// <summary>Restored disks appear in a group as resources of their own.</summary>
    public async Task ShowDisksAsync(string group, RestoredFiles files, RecoveryPoint point, IEnumerable<RecoveryPointDisk> disks, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var target = await RequireGroupAsync(group, cancellationToken);
        foreach (var disk in disks)
        {
            await resources.PutAsync(new TrackedResource
            {
                Id = ResourceId.ForResource(target.SubscriptionId, target.Name, "Microsoft.Compute", "disks", files.DiskResourceName(disk)),
                Location = point.Machine.Location,
                Sku = new() { ["name"] = "Standard_LRS", ["tier"] = "Standard" },
                Properties = files.DiskProperties(disk, now),
                ETag = $"W/\"{now.UtcTicks.ToString(CultureInfo.InvariantCulture)}\"",
                CreatedAt = now,
                ChangedAt = now,
            }, null, cancellationToken);
        }
    }
}
