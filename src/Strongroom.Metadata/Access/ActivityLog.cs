using Microsoft.EntityFrameworkCore;
using Strongroom.Arm;

namespace Strongroom.Metadata.Access;

/// <inheritdoc cref="IActivityLog"/>
internal sealed class ActivityLog(IDbContextFactory<StrongroomContext> contexts) : IActivityLog
{
    public async Task AppendAsync(ActivityEvent activity, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        db.Activities.Add(new ActivityRow
        {
            Time = activity.Time.UtcTicks,
            ScopeKey = activity.Scope.Key(),
            ActionKey = activity.Action.Key(),
            CorrelationKey = activity.CorrelationId.Key(),
            CallerKey = activity.Caller.ObjectId.ToString(),
            ClientKey = activity.Caller.ClientId.Key(),
            Status = activity.Status,
            Document = Documents.Write(activity, Documents.Default.ActivityEvent),
        });
        await db.SaveChangesAsync(cancellationToken);
    }

    public async Task<IReadOnlyList<(long Number, ActivityEvent Activity)>> ListAsync(ActivityQuery query, long? before, int count, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var rows = Within(db.Activities.AsNoTracking(), $"/subscriptions/{query.SubscriptionId}");
        if (query.ResourceGroup is { } group) rows = Within(rows, $"/subscriptions/{query.SubscriptionId}/resourceGroups/{group}");
        if (query.Scope is { } scope) rows = Within(rows, scope);
        var (from, until) = (query.From.UtcTicks, query.Until.UtcTicks);
        rows = rows.Where(r => r.Time >= from && r.Time <= until);
        if (before is { } number) rows = rows.Where(r => r.Number < number);
        if (query.ProviderNamespace is { } provider)
        {
            var prefix = provider.Key() + "/";
            rows = rows.Where(r => r.ActionKey.StartsWith(prefix));
        }

        if (query.CorrelationId?.Key() is { } correlation) rows = rows.Where(r => r.CorrelationKey == correlation);
        if (query.Caller?.Key() is { } caller) rows = rows.Where(r => r.CallerKey == caller || r.ClientKey == caller);
        if (query.Status is { } status) rows = rows.Where(r => r.Status == status);
        var found = await rows.OrderByDescending(r => r.Number).Take(count).ToListAsync(cancellationToken);
        return found.ConvertAll(r => (r.Number, Documents.Read(r.Document, Documents.Default.ActivityEvent)));
    }

    public async Task<int> PruneAsync(DateTimeOffset now, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var oldest = (now - IActivityLog.Retention).UtcTicks;
        return await db.Activities.Where(r => r.Time < oldest).ExecuteDeleteAsync(cancellationToken);
    }

    private static IQueryable<ActivityRow> Within(IQueryable<ActivityRow> rows, string scope)
    {
        var (key, below) = (scope.Key(), scope.Key() + "/");
        return rows.Where(r => r.ScopeKey == key || r.ScopeKey.StartsWith(below));
    }
}
