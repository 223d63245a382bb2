using System.Collections.Immutable;
using Strongroom.Backup.Items;
using Strongroom.Backup.Machines;
using Strongroom.Backup.RecoveryPoints;
using Strongroom.Store;

namespace Strongroom.Backup.Pipelines;

/// <summary>The recovery point that a backup goes on from: what has not changed since is taken from its images.</summary>
/// <param name="Id">Null: there is none.</param>
/// <param name="Images">By disk name.</param>
/// <param name="ChangeTracking">As <see cref="IMachineSnapshot.ChangeTracking"/>.</param>
internal sealed record ParentPoint(SnapshotId? Id, IReadOnlyDictionary<string, ImageRef> Images, string? ChangeTracking)
{
    public static ParentPoint None { get; } = new(null, ImmutableDictionary<string, ImageRef>.Empty, null);

    /// <summary>The newest recovery point that the store has.</summary>
    public static async Task<ParentPoint> FindAsync(ProtectedItem item, IRecoveryPointRepository points, VaultStore store, CancellationToken cancellationToken)
    {
        foreach (var point in await points.ListAsync(item.Key, cancellationToken))
        {
            if (store.Find(new(point.SnapshotId)) is { } parent) return Of(parent, point.ChangeTracking);
        }

        return None;
    }

    /// <summary>A recovery point of the item, or none where the store does not have it any more.</summary>
    public static ParentPoint Find(ProtectedItem item, Guid point, VaultStore store) =>
        store.Find(new(point)) is { } found && found.ItemId == item.Key.ToString("N") ? Of(found, null) : None;

    private static ParentPoint Of(Snapshot point, string? changeTracking) =>
        new(point.Id, point.Images.DistinctBy(i => i.Name, StringComparer.Ordinal).ToDictionary(i => i.Name, i => i.Image, StringComparer.Ordinal), changeTracking);

    public ImageRef? ImageOf(MachineDisk disk) => Images.TryGetValue(disk.Name, out var image) ? image : null;
}
