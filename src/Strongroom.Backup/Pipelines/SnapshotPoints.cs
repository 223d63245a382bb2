using System.Globalization;
using Strongroom.Backup.RecoveryPoints;
using Strongroom.Store;

namespace Strongroom.Backup.Pipelines;

/// <summary>The recovery point that a committed snapshot is. The same snapshot always makes the same point, whoever makes it.</summary>
internal static class SnapshotPoints
{
    /// <exception cref="System.Text.Json.JsonException">The snapshot was not made by a server.</exception>
    public static RecoveryPoint Of(Guid itemKey, Snapshot made, DateTimeOffset? expiresAt)
    {
        var configuration = SnapshotConfiguration.Read(made.Configuration);
        var identity = configuration.Point ?? OfCommit(made);
        return new()
        {
            ItemKey = itemKey,
            Name = identity.Name,
            Time = identity.Time,
            SnapshotId = made.Id.Value,
            Consistency = made.Consistency,
            MachineOrNone = configuration.Machine,
            Share = configuration.Share,
            Disks = [.. made.Images.Select(image => new RecoveryPointDisk(image.Lun, image.Name, image.Image.LengthBytes, image.Image.ToString()!))],
            ExpiresAt = expiresAt,
            ChangeTracking = configuration.ChangeTracking,
            DueAt = configuration.DueAt,
            Tags = configuration.Tags,
        };
    }

    /// <summary>
    /// 18 digits that grow with time: ticks of a whole millisecond, and in the place of the ticks below it the log's number, because the store's clock
    /// stands still while the machine's, set back, catches up with it.
    /// </summary>
    private static PointIdentity OfCommit(Snapshot made) =>
        new((made.CreatedAt.UtcTicks + made.LogSequence % TimeSpan.TicksPerMillisecond).ToString(CultureInfo.InvariantCulture), made.CreatedAt);
}
