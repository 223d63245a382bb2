using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Strongroom.Backup.Items;
using Strongroom.Backup.Jobs;
using Strongroom.Backup.Lifecycle;
using Strongroom.Backup.Pipelines.Restores;
using Strongroom.Metadata.Jobs;

namespace Strongroom.Metadata.Items;

/// <inheritdoc cref="IItemAgenda"/>
internal sealed class ItemAgenda(IDbContextFactory<StrongroomContext> contexts) : IItemAgenda
{
    public async Task<IReadOnlyList<DueItem>> ListDueAsync(DateTimeOffset now, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var ticks = now.UtcTicks;
        return await db.Items.Where(r => r.DueAt <= ticks).OrderBy(r => r.DueAt).Select(r => new DueItem(r.Key, r.DueAt)).ToListAsync(cancellationToken);
    }

    public async Task<DateTimeOffset?> FindNextAsync(DateTimeOffset now, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var ticks = now.UtcTicks;
        var next = await db.Items.Where(r => r.DueAt > ticks && r.DueAt < long.MaxValue).MinAsync(r => (long?)r.DueAt, cancellationToken);
        return next is { } due ? new DateTimeOffset(due, TimeSpan.Zero) : null;
    }

    public async Task SetNextAsync(DueItem item, DateTimeOffset? next, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var ticks = next?.UtcTicks ?? long.MaxValue;
        await db.Items.Where(r => r.Key == item.ItemKey && r.DueAt == item.Mark).ExecuteUpdateAsync(u => u.SetProperty(r => r.DueAt, ticks), cancellationToken);
    }

    public async Task<bool> TryFireAsync(ProtectedItem item, Job job, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        if (!await ItemRepository.UpdateAsync(db, item, cancellationToken)) return false;
        db.Jobs.Add(JobLedger.Row(job));
        if (!await db.TrySaveUniqueAsync(cancellationToken)) return false;
        await transaction.CommitAsync(cancellationToken);
        return true;
    }

    public async Task<bool> TryUnlistAsync(ProtectedItem item, IReadOnlyCollection<string> pointNames, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        // Whoever restores reads what goes; a point that is verified is held.
        if (await db.Jobs.AnyAsync(r => r.ItemKey == item.Key && !r.RunsBeside && (r.State == JobStates.InProgress || r.State == JobStates.Cancelling), cancellationToken)) return false;
        if (!await ItemRepository.UpdateAsync(db, item, cancellationToken)) return false;
        await db.Points.Where(r => r.ItemKey == item.Key && pointNames.Contains(r.Name)).ExecuteDeleteAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return true;
    }

    public async Task<int> CountLiveJobsAsync(CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        // Those that serve a machine last for hours and take no other's place.
        return await db.Jobs.CountAsync(
            r => !r.RunsBeside && (r.State == JobStates.InProgress || r.State == JobStates.Cancelling) && StrongroomContext.JsonText(r.Document, JobLedger.ServingPath) != RecoveryTypes.InstantBoot, cancellationToken);
    }

    public async Task ForgetHistoryAsync(DateTimeOffset jobsBefore, DateTimeOffset operationsBefore, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var ticks = jobsBefore.UtcTicks;
        await db.Jobs.Where(r => r.StartedAt < ticks && r.State != JobStates.InProgress && r.State != JobStates.Cancelling).ExecuteDeleteAsync(cancellationToken);
        // Documents spell times in UTC, so that they sort as texts; to the second is enough here.
        var text = operationsBefore.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss", CultureInfo.InvariantCulture);
        await db.Operations.Where(r => StrongroomContext.JsonText(r.Document, "$.StartedAt")!.CompareTo(text) < 0).ExecuteDeleteAsync(cancellationToken);
    }
}
