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
            if (store.Find(new(point.SnapshotId)) is not { } parent) continue;
            var images = parent.Images.DistinctBy(i => i.Name, StringComparer.Ordinal).ToDictionary(i => i.Name, i => i.Image, StringComparer.Ordinal);
            return new(parent.Id, images, point.ChangeTracking);
        }

        return None;
    }

    public ImageRef? ImageOf(MachineDisk disk) => Images.TryGetValue(disk.Name, out var image) ? image : null;
}
