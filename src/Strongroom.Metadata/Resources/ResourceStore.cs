using Microsoft.EntityFrameworkCore;
using Strongroom.Arm;

namespace Strongroom.Metadata.Resources;

/// <inheritdoc cref="IResourceStore"/>
internal sealed class ResourceStore(IDbContextFactory<StrongroomContext> contexts) : IResourceStore
{
    public async Task<ResourceGroup?> GetGroupAsync(string subscriptionId, string name, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        return await FindGroupAsync(db, subscriptionId, name, cancellationToken) is { } row ? Read(row) : null;
    }

    public async Task<IReadOnlyList<ResourceGroup>> ListGroupsAsync(string subscriptionId, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var s = subscriptionId.Key();
        return (await db.Groups.AsNoTracking().Where(r => r.SubscriptionKey == s).OrderBy(r => r.NameKey).ToListAsync(cancellationToken)).ConvertAll(Read);
    }

    public async Task<bool> PutGroupAsync(ResourceGroup group, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var row = await FindGroupAsync(db, group.SubscriptionId, group.Name, cancellationToken);
        if (row is null)
        {
            db.Groups.Add(new GroupRow
            {
                SubscriptionKey = group.SubscriptionId.Key(),
                NameKey = group.Name.Key(),
                Document = Documents.Write(StoredGroup.Of(group), Documents.Default.StoredGroup),
            });
        }
        else
        {
            var before = Read(row);
            var after = group with { Name = before.Name, Location = before.Location, CreatedAt = before.CreatedAt };
            row.Document = Documents.Write(StoredGroup.Of(after), Documents.Default.StoredGroup);
            db.Groups.Update(row);
        }

        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return row is null;
    }

    public async Task<bool> DeleteGroupAsync(string subscriptionId, string name, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var (s, n) = (subscriptionId.Key(), name.Key());
        return await db.Groups.Where(r => r.SubscriptionKey == s && r.NameKey == n).ExecuteDeleteAsync(cancellationToken) > 0;
    }

    public async Task<TrackedResource?> GetAsync(ResourceId id, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        return await FindAsync(db, id, cancellationToken) is { } row ? Read(row) : null;
    }

    public async Task<IReadOnlyList<TrackedResource>> ListAsync(string subscriptionId, string? resourceGroup, string? type, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var (s, g, t) = (subscriptionId.Key(), resourceGroup?.Key(), type?.Key());
        var rows = await db.Resources.AsNoTracking()
            .Where(r => r.SubscriptionKey == s && (g == null || r.GroupKey == g) && (t == null || r.TypeKey == t))
            .OrderBy(r => r.IdKey).ToListAsync(cancellationToken);
        return rows.ConvertAll(Read);
    }

    public async Task<PutOutcome> PutAsync(TrackedResource resource, string? expectedETag, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var row = await FindAsync(db, resource.Id, cancellationToken);
        var before = row is null ? null : Read(row);
        if (expectedETag is not null && expectedETag != (before?.ETag ?? "")) return PutOutcome.Conflict;
        if (row is null)
        {
            db.Resources.Add(NewRow(resource));
        }
        else
        {
            row.Document = Documents.Write(StoredResource.Of(resource with { Id = before!.Id, CreatedAt = before.CreatedAt }), Documents.Default.StoredResource);
            db.Resources.Update(row);
        }

        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return row is null ? PutOutcome.Created : PutOutcome.Updated;
    }

    public async Task<bool> TryAddAsync(IReadOnlyCollection<TrackedResource> resources, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        db.Resources.AddRange(resources.Select(NewRow));
        return await db.TrySaveUniqueAsync(cancellationToken);
    }

    public async Task<bool> DeleteAsync(ResourceId id, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var key = id.ToString().Key();
        return await db.Resources.Where(r => r.IdKey == key).ExecuteDeleteAsync(cancellationToken) > 0;
    }

    private static ResourceRow NewRow(TrackedResource resource) => new()
    {
        IdKey = resource.Id.ToString().Key(),
        SubscriptionKey = (resource.Id.SubscriptionId ?? "").Key(),
        GroupKey = (resource.Id.ResourceGroup ?? "").Key(),
        TypeKey = resource.Id.Type.Key(),
        Document = Documents.Write(StoredResource.Of(resource), Documents.Default.StoredResource),
    };

    private static Task<GroupRow?> FindGroupAsync(StrongroomContext db, string subscriptionId, string name, CancellationToken cancellationToken)
    {
        var (s, n) = (subscriptionId.Key(), name.Key());
        return db.Groups.AsNoTracking().FirstOrDefaultAsync(r => r.SubscriptionKey == s && r.NameKey == n, cancellationToken);
    }

    private static Task<ResourceRow?> FindAsync(StrongroomContext db, ResourceId id, CancellationToken cancellationToken)
    {
        var key = id.ToString().Key();
        return db.Resources.AsNoTracking().FirstOrDefaultAsync(r => r.IdKey == key, cancellationToken);
    }

    private static ResourceGroup Read(GroupRow row) => Documents.Read(row.Document, Documents.Default.StoredGroup).ToGroup();

    private static TrackedResource Read(ResourceRow row) => Documents.Read(row.Document, Documents.Default.StoredResource).ToResource();
}
