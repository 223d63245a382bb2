using Microsoft.EntityFrameworkCore;
using Strongroom.Backup.Containers;

namespace Strongroom.Metadata.Containers;

/// <inheritdoc cref="IContainerRepository"/>
internal sealed class ContainerRepository(IDbContextFactory<StrongroomContext> contexts) : IContainerRepository
{
    /// <summary>The character after ';': what begins with a container's name and ';' lies before its name with this, and the index finds it.</summary>
    private const string AfterSeparator = "<";

    public async Task<ContainerInUse?> FindAsync(Guid vaultKey, string nativeName, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var name = nativeName.Key();
        return await Counted(db, db.Containers.Where(r => r.VaultKey == vaultKey && r.NativeName == name)).FirstOrDefaultAsync(cancellationToken) is { } row ? Read(row) : null;
    }

    public async Task<IReadOnlyList<ContainerInUse>> ListAsync(Guid vaultKey, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        return (await Counted(db, db.Containers.Where(r => r.VaultKey == vaultKey)).ToListAsync(cancellationToken)).ConvertAll(Read);
    }

    public async Task<IReadOnlySet<string>> ListRegisteredSourcesAsync(CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        return (await db.Containers.Select(r => r.SourceKey).ToListAsync(cancellationToken)).ToHashSet(StringComparer.Ordinal);
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

    /// <summary>Containers in the order of their names, each with its items, as one query.</summary>
    private static IQueryable<CountedRow> Counted(StrongroomContext db, IQueryable<ContainerRow> containers) =>
        from c in containers
        orderby c.NativeName
        select new CountedRow(
            c.Document,
            db.Items.Count(r => r.VaultKey == c.VaultKey && r.NativeName.CompareTo(c.NativeName + ";") > 0 && r.NativeName.CompareTo(c.NativeName + AfterSeparator) < 0),
            db.Items.Count(r => r.VaultKey == c.VaultKey && r.NativeName.CompareTo(c.NativeName + ";") > 0 && r.NativeName.CompareTo(c.NativeName + AfterSeparator) < 0
                && StrongroomContext.JsonText(r.Document, "$.DeletedAt") != null));

    private static ContainerInUse Read(CountedRow row) => new(Documents.Read(row.Document, Documents.Default.RegisteredContainer), row.Items, row.SoftDeletedItems);

    private static RegisteredContainer Read(ContainerRow row) => Documents.Read(row.Document, Documents.Default.RegisteredContainer);

    private sealed record CountedRow(string Document, int Items, int SoftDeletedItems);
}
