using Microsoft.EntityFrameworkCore;
using Strongroom.Backup.Items;
using Strongroom.Backup.Policies;
using Strongroom.Metadata.Policies;

namespace Strongroom.Metadata.Items;

/// <inheritdoc cref="IItemRepository"/>
internal sealed class ItemRepository(IDbContextFactory<StrongroomContext> contexts) : IItemRepository
{
    public async Task<ProtectedItem?> FindAsync(Guid vaultKey, string nativeName, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var name = nativeName.Key();
        return Read(await db.Items.AsNoTracking().FirstOrDefaultAsync(r => r.VaultKey == vaultKey && r.NativeName == name, cancellationToken));
    }

    public async Task<ProtectedItem?> FindAsync(Guid itemKey, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        return Read(await db.Items.AsNoTracking().FirstOrDefaultAsync(r => r.Key == itemKey, cancellationToken));
    }

    public async Task<IReadOnlyList<ProtectedItem>> ListAsync(Guid vaultKey, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var rows = await db.Items.AsNoTracking().Where(r => r.VaultKey == vaultKey).OrderBy(r => r.CreatedAt).ThenBy(r => r.Key).ToListAsync(cancellationToken);
        return rows.ConvertAll(r => Read(r)!);
    }

    public async Task<IReadOnlyList<ProtectedItem>> ListAsync(Guid vaultKey, ItemQuery query, string? after, int count, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var rows = db.Items.AsNoTracking().Where(r => r.VaultKey == vaultKey);
        if (query.PolicyName?.Key() is { } policy) rows = rows.Where(r => r.PolicyKey == policy);
        if (query.NativeName?.Key() is { } name) rows = rows.Where(r => r.NativeName == name);
        if (query.Kind is { } kind) rows = OfKind(rows, kind);
        if (query.Container?.Key() is { } container) rows = rows.Where(r => r.NativeName == container || r.NativeName.StartsWith(container + ";"));
        // The last part of an ARM id is the name.
        if (query.FriendlyName?.Key() is { } friendly) rows = rows.Where(r => r.SourceKey.EndsWith("/" + friendly));
        if (query.IsFailing is { } isFailing) rows = rows.Where(r => (StrongroomContext.JsonText(r.Document, "$.LastBackupStatus") == "Failed") == isFailing);
        if (after?.Key() is { } last) rows = rows.Where(r => r.NativeName.CompareTo(last) > 0);
        var page = await rows.OrderBy(r => r.NativeName).Take(count).ToListAsync(cancellationToken);
        return page.ConvertAll(r => Read(r)!);
    }

    public async Task<ProtectedItem?> FindBySourceAsync(string sourceResourceId, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var key = sourceResourceId.Key();
        return Read(await db.Items.AsNoTracking().FirstOrDefaultAsync(r => r.SourceKey == key, cancellationToken));
    }

    public async Task<IReadOnlySet<string>> ListProtectedSourcesAsync(CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        return (await db.Items.Select(r => r.SourceKey).ToListAsync(cancellationToken)).ToHashSet(StringComparer.Ordinal);
    }

    public async Task<bool> TryAddAsync(ProtectedItem item, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        // The vault may be deleted at this very moment; an item without a vault would never be found again.
        if (!await db.Vaults.AnyAsync(r => r.Key == item.VaultKey, cancellationToken) || !await HasPolicyAsync(db, item, cancellationToken) || !await HasContainerAsync(db, item, cancellationToken)) return false;
        db.Items.Add(new ItemRow
        {
            Key = item.Key,
            VaultKey = item.VaultKey,
            NativeName = item.NativeName.Key(),
            SourceKey = item.SourceResourceId.Key(),
            PolicyKey = item.PolicyName.Key(),
            Version = item.Version,
            CreatedAt = item.CreatedAt.UtcTicks,
            Document = Documents.Write(item, Documents.Default.ProtectedItem),
        });
        if (!await db.TrySaveUniqueAsync(cancellationToken)) return false;
        await transaction.CommitAsync(cancellationToken);
        return true;
    }

    public async Task<bool> TryUpdateAsync(ProtectedItem item, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        if (!await HasPolicyAsync(db, item, cancellationToken) || !await UpdateAsync(db, item, cancellationToken)) return false;
        await transaction.CommitAsync(cancellationToken);
        return true;
    }

    public async Task<bool> TryUpdateAsync(ProtectedItem item, BackupPolicy judged, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        if (!await PolicyRepository.IsAsync(db, item.VaultKey, item.PolicyName.Key(), judged, cancellationToken) || !await UpdateAsync(db, item, cancellationToken)) return false;
        await transaction.CommitAsync(cancellationToken);
        return true;
    }

    /// <summary>The rows, by what they carry a native name, of one kind.</summary>
    private static IQueryable<ItemRow> OfKind(IQueryable<ItemRow> rows, ItemKind kind)
    {
        var prefix = ItemNames.PrefixOf(kind);
        return rows.Where(r => r.NativeName.StartsWith(prefix));
    }

    /// <summary>False when a share's account has been unregistered meanwhile. Machines need no registration.</summary>
    private static async Task<bool> HasContainerAsync(StrongroomContext db, ProtectedItem item, CancellationToken cancellationToken)
    {
        if (item.Kind == ItemKind.VirtualMachine) return true;
        var container = ItemNames.ContainerOf(item.NativeName).Key();
        return await db.Containers.AnyAsync(r => r.VaultKey == item.VaultKey && r.NativeName == container, cancellationToken);
    }

    /// <summary>False when the item is about to get a policy that was deleted meanwhile. One that it has cannot be deleted.</summary>
    private static async Task<bool> HasPolicyAsync(StrongroomContext db, ProtectedItem item, CancellationToken cancellationToken)
    {
        if (item.PolicyName.Length == 0) return true;
        var policy = item.PolicyName.Key();
        return await db.Policies.AnyAsync(r => r.VaultKey == item.VaultKey && r.NameKey == policy, cancellationToken)
            || await db.Items.AnyAsync(r => r.Key == item.Key && r.PolicyKey == policy, cancellationToken);
    }

    /// <summary>Writes the item in a caller's transaction if nobody wrote it since it was read.</summary>
    internal static async Task<bool> UpdateAsync(StrongroomContext db, ProtectedItem item, CancellationToken cancellationToken)
    {
        var next = item with { Version = item.Version + 1 };
        var (policy, document) = (next.PolicyName.Key(), Documents.Write(next, Documents.Default.ProtectedItem));
        return await db.Items.Where(r => r.Key == item.Key && r.Version == item.Version).ExecuteUpdateAsync(u => u
            .SetProperty(r => r.PolicyKey, policy).SetProperty(r => r.Version, next.Version).SetProperty(r => r.Document, document)
            .SetProperty(r => r.DueAt, r => r.DueAt > 0 ? 0 : r.DueAt - 1), cancellationToken) == 1;
    }

    internal static ProtectedItem? Read(ItemRow? row) => row is null ? null : Documents.Read(row.Document, Documents.Default.ProtectedItem);
}
