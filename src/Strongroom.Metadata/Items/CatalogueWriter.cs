using Microsoft.EntityFrameworkCore;
using Strongroom.Backup.Catalogue;
using Strongroom.Backup.RecoveryPoints;

namespace Strongroom.Metadata.Items;

/// <inheritdoc cref="ICatalogueWriter"/>
internal sealed class CatalogueWriter(IDbContextFactory<StrongroomContext> contexts) : ICatalogueWriter
{
    public async Task<bool> TryAddAsync(RecoveryPoint point, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        db.Points.Add(Row(point));
        return await db.TrySaveUniqueAsync(cancellationToken);
    }

    internal static PointRow Row(RecoveryPoint point) => new()
    {
        ItemKey = point.ItemKey,
        Name = point.Name,
        Time = point.Time.UtcTicks,
        SnapshotId = point.SnapshotId,
        Document = Documents.Write(point, Documents.Default.RecoveryPoint),
    };
}
