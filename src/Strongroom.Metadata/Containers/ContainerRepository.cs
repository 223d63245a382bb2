using Microsoft.EntityFrameworkCore;
using Strongroom.Backup.Containers;

namespace Strongroom.Metadata.Containers;

/// <inheritdoc cref="IContainerRepository"/>
internal sealed class ContainerRepository(IDbContextFactory<StrongroomContext> contexts) : IContainerRepository
{
    public async Task<ContainerInUse?> FindAsync(Guid vaultKey, string nativeName, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var name = nativeName.Key();
        return await db.Containers.AsNoTracking().FirstOrDefaultAsync(r => r.VaultKey == vaultKey && r.NativeName == name, cancellationToken) is { } row
            ? await CountAsync(db, Read(row), cancellationToken)
            : null;
    }

    public async Task<IReadOnlyList<ContainerInUse>> ListAsync(Guid vaultKey, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var rows = await db.Containers.AsNoTracking().Where(r => r.VaultKey == vaultKey).OrderBy(r => r.NativeName).ToListAsync(cancellationToken);
        var found = new List<ContainerInUse>(rows.Count);
        foreach (var row in rows) found.Add(await CountAsync(db, Read(row), cancellationToken));
        return found;
    }

    public async Task<RegisteredContainer?> FindBySourceAsync(string sourceResourceId, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var key = sourceResourceId.Key();
        return await db.Containers.AsNoTracking().FirstOrDefaultAsync(r => r.SourceKey == key, cancellationToken) is { } row ? Read(row) : null;
    }

    public async Task<bool> TryAddAsync(RegisteredContainer container, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        // The vault may be deleted at this very moment.
        if (!await db.Vaults.AnyAsync(r => r.Key == container.VaultKey, cancellationToken)) return false;
        db.Containers.Add(new ContainerRow
        {
            VaultKey = container.VaultKey,
            NativeName = container.NativeName.Key(),
            SourceKey = container.SourceResourceId.Key(),
            Document = Documents.Write(container, Documents.Default.RegisteredContainer),
        });
        if (!await db.TrySaveUniqueAsync(cancellationToken)) return false;
        await transaction.CommitAsync(cancellationToken);
        return true;
    }

    public async Task<ContainerRemoval> RemoveAsync(Guid vaultKey, string nativeName, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var name = nativeName.Key();
        // Written first, so that no item comes in between the look and the end: SQLite lets one transaction write at a time.
        if (await db.Containers.Where(r => r.VaultKey == vaultKey && r.NativeName == name).ExecuteDeleteAsync(cancellationToken) == 0) return ContainerRemoval.Absent;
        var prefix = name + ";";
        if (await db.Items.AnyAsync(r => r.VaultKey == vaultKey && r.NativeName.StartsWith(prefix), cancellationToken)) return ContainerRemoval.InUse;
        await transaction.CommitAsync(cancellationToken);
        return ContainerRemoval.Removed;
    }

    private static async Task<ContainerInUse> CountAsync(StrongroomContext db, RegisteredContainer container, CancellationToken cancellationToken)
    {
        var (vault, prefix) = (container.VaultKey, container.NativeName.Key() + ";");
        var all = db.Items.Where(r => r.VaultKey == vault && r.NativeName.StartsWith(prefix));
        return new(container, await all.CountAsync(cancellationToken), await all.CountAsync(r => StrongroomContext.JsonText(r.Document, "$.DeletedAt") != null, cancellationToken));
    }

    private static RegisteredContainer Read(ContainerRow row) => Documents.Read(row.Document, Documents.Default.RegisteredContainer);
}
