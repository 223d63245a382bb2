using Microsoft.EntityFrameworkCore;
using Strongroom.Backup.Policies;
using Strongroom.Backup.Vaults;
using Strongroom.Metadata.Policies;

namespace Strongroom.Metadata.Vaults;

/// <inheritdoc cref="IVaultRepository"/>
internal sealed class VaultRepository(IDbContextFactory<StrongroomContext> contexts) : IVaultRepository
{
    public async Task<Vault?> FindAsync(string subscriptionId, string resourceGroup, string name, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var (s, g, n) = (subscriptionId.Key(), resourceGroup.Key(), name.Key());
        var row = await db.Vaults.AsNoTracking().FirstOrDefaultAsync(r => r.SubscriptionKey == s && r.GroupKey == g && r.NameKey == n, cancellationToken);
        return row is null ? null : Read(row);
    }

    public async Task<Vault?> FindAsync(Guid key, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var row = await db.Vaults.AsNoTracking().FirstOrDefaultAsync(r => r.Key == key, cancellationToken);
        return row is null ? null : Read(row);
    }

    public async Task<IReadOnlySet<Guid>> ListKeysAsync(CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        return (await db.Vaults.Select(r => r.Key).ToListAsync(cancellationToken)).ToHashSet();
    }

    public async Task<IReadOnlyList<Vault>> ListAsync(string subscriptionId, string? resourceGroup, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var (s, g) = (subscriptionId.Key(), resourceGroup?.Key());
        var rows = await db.Vaults.AsNoTracking().Where(r => r.SubscriptionKey == s && (g == null || r.GroupKey == g))
            .OrderBy(r => r.CreatedAt).ThenBy(r => r.Key).ToListAsync(cancellationToken);
        return rows.ConvertAll(Read);
    }

    public async Task<bool> TryAddAsync(Vault vault, IEnumerable<BackupPolicy> policies, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        db.Vaults.Add(new VaultRow
        {
            Key = vault.Key,
            SubscriptionKey = vault.SubscriptionId.Key(),
            GroupKey = vault.ResourceGroup.Key(),
            NameKey = vault.Name.Key(),
            CreatedAt = vault.CreatedAt.UtcTicks,
            ChangedAt = vault.ChangedAt.UtcTicks,
            Document = Documents.Write(vault, Documents.Default.Vault),
        });
        db.Policies.AddRange(policies.Select(PolicyRepository.Row));
        return await db.TrySaveUniqueAsync(cancellationToken);
    }

    public async Task<bool> TryUpdateAsync(Vault vault, DateTimeOffset readAt, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var document = Documents.Write(vault, Documents.Default.Vault);
        var (before, after) = (readAt.UtcTicks, vault.ChangedAt.UtcTicks);
        return await db.Vaults.Where(r => r.Key == vault.Key && r.ChangedAt == before)
            .ExecuteUpdateAsync(u => u.SetProperty(r => r.ChangedAt, after).SetProperty(r => r.Document, document), cancellationToken) == 1;
    }

    public async Task<bool> TryDeleteEmptyAsync(Guid key, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        if (await db.Items.AnyAsync(r => r.VaultKey == key, cancellationToken) || await db.Containers.AnyAsync(r => r.VaultKey == key, cancellationToken)) return false;
        await db.Vaults.Where(r => r.Key == key).ExecuteDeleteAsync(cancellationToken);
        await db.Policies.Where(r => r.VaultKey == key).ExecuteDeleteAsync(cancellationToken);
        await db.Jobs.Where(r => r.VaultKey == key).ExecuteDeleteAsync(cancellationToken);
        await db.Discoveries.Where(r => r.VaultKey == key).ExecuteDeleteAsync(cancellationToken);
        await db.Operations.Where(r => r.VaultKey == key).ExecuteDeleteAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return true;
    }

    private static Vault Read(VaultRow row) => Documents.Read(row.Document, Documents.Default.Vault);
}
