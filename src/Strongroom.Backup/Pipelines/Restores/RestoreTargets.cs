using System.Globalization;
using System.Text.Json.Nodes;
using Strongroom.Arm;
using Strongroom.Backup.Jobs;
using Strongroom.Backup.Machines;
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

    /// <summary>Restored disks that lie in a storage account appear in a group as resources of their own.</summary>
    public async Task ShowDisksAsync(string group, RestoredFiles files, RecoveryPoint point, IEnumerable<RecoveryPointDisk> disks, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var target = await RequireGroupAsync(group, cancellationToken);
        foreach (var disk in disks) await resources.PutAsync(Resource(target, files, point, disk, files.DiskProperties(disk, now), now), null, cancellationToken);
    }

    /// <summary>Restored disks that a host has become resources of a group, all at once.</summary>
    /// <exception cref="RestoreException">The group has gone, or has such a resource already; none was made.</exception>
    public async Task AddDisksAsync(
        string group, RestoredFiles files, RecoveryPoint point, IEnumerable<RecoveryPointDisk> disks, IReadOnlyDictionary<int, HostVolume> volumes, DateTimeOffset now)
    {
        var target = await RequireGroupAsync(group, CancellationToken.None);
        var made = disks.Select(disk => Resource(target, files, point, disk, files.DiskProperties(disk, volumes[disk.Lun], now), now));
        if (!await resources.TryAddAsync([.. made], CancellationToken.None))
            throw new RestoreException(JobErrors.RestoreFailed($"Resource group '{target.Name}' has a disk of the name that this restore gives, or another run of its job has taken over."));
    }

    /// <summary>The volumes of a host that a run of a job has made resources of, by LUN. Where there is one that run was whole, whatever became of the others.</summary>
    public async Task<IReadOnlyDictionary<int, HostVolume>> FindVolumesAsync(ResourceGroup target, RestoredFiles files, IEnumerable<RecoveryPointDisk> disks, CancellationToken cancellationToken)
    {
        var volumes = new Dictionary<int, HostVolume>();
        foreach (var disk in disks)
        {
            if (await resources.GetAsync(files.DiskId(target, disk), cancellationToken) is { } found && files.IsDisk(found, disk) && HostVolume.Find(found) is { } volume) volumes.Add(disk.Lun, volume);
        }

        return volumes;
    }

    private static TrackedResource Resource(ResourceGroup target, RestoredFiles files, RecoveryPoint point, RecoveryPointDisk disk, JsonObject properties, DateTimeOffset now) => new()
    {
        Id = files.DiskId(target, disk),
        Location = point.Machine.Location,
        Sku = new() { ["name"] = "Standard_LRS", ["tier"] = "Standard" },
        Properties = properties,
        ETag = $"W/\"{now.UtcTicks.ToString(CultureInfo.InvariantCulture)}\"",
        CreatedAt = now,
        ChangedAt = now,
    };
}
