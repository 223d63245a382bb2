using Microsoft.EntityFrameworkCore;
using Strongroom.Backup.RecoveryPoints;

namespace Strongroom.Metadata.Items;

/// <inheritdoc cref="IRecoveryPointRepository"/>
internal sealed class RecoveryPointRepository(IDbContextFactory<StrongroomContext> contexts) : IRecoveryPointRepository
{
    public async Task<RecoveryPoint?> FindAsync(Guid itemKey, string name, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var row = await db.Points.AsNoTracking().FirstOrDefaultAsync(r => r.ItemKey == itemKey && r.Name == name, cancellationToken);
        return row is null ? null : Documents.Read(row.Document, Documents.Default.RecoveryPoint);
    }

    public async Task<IReadOnlyList<RecoveryPoint>> ListAsync(Guid itemKey, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var rows = await db.Points.AsNoTracking().Where(r => r.ItemKey == itemKey).OrderByDescending(r => r.Time).ThenByDescending(r => r.Name).ToListAsync(cancellationToken);
        return rows.ConvertAll(r => Documents.Read(r.Document, Documents.Default.RecoveryPoint));
    }

    public async Task<IReadOnlyList<RecoveryPoint>> ListAsync(
        Guid itemKey, DateTimeOffset? from, DateTimeOffset? until, string? after, int count, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var rows = db.Points.AsNoTracking().Where(r => r.ItemKey == itemKey);
        if (from?.UtcTicks is { } first) rows = rows.Where(r => r.Time >= first);
        if (until?.UtcTicks is { } last) rows = rows.Where(r => r.Time <= last);
        // Names are decimal numbers of one length that grow with time.
        if (after is not null) rows = rows.Where(r => r.Name.CompareTo(after) < 0);
        var page = await rows.OrderByDescending(r => r.Name).Take(count).ToListAsync(cancellationToken);
        return page.ConvertAll(r => Documents.Read(r.Document, Documents.Default.RecoveryPoint));
    }

    public async Task<(int Count, DateTimeOffset? Oldest, string? Newest)> SummarizeAsync(Guid itemKey, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var found = await db.Points.Where(r => r.ItemKey == itemKey).GroupBy(r => r.ItemKey)
            .Select(g => new { Count = g.Count(), Oldest = g.Min(r => r.Time), Newest = g.Max(r => r.Name) }).FirstOrDefaultAsync(cancellationToken);
        return found is null ? (0, null, null) : (found.Count, new DateTimeOffset(found.Oldest, TimeSpan.Zero), found.Newest);
    }

    public async Task<IReadOnlyList<Guid>> ListSnapshotIdsAsync(Guid vaultKey, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        return await db.Points.Where(r => db.Items.Any(i => i.Key == r.ItemKey && i.VaultKey == vaultKey)).Select(r => r.SnapshotId).ToListAsync(cancellationToken);
    }
}
