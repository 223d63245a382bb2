using Microsoft.EntityFrameworkCore;
using Strongroom.Backup.Discovery;

namespace Strongroom.Metadata.Discovery;

/// <inheritdoc cref="IDiscoveryRepository"/>
internal sealed class DiscoveryRepository(IDbContextFactory<StrongroomContext> contexts) : IDiscoveryRepository
{
    public async Task<IReadOnlySet<string>> ListAsync(Guid vaultKey, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        return (await db.Discoveries.Where(r => r.VaultKey == vaultKey).Select(r => r.SourceKey).ToListAsync(cancellationToken)).ToHashSet(StringComparer.Ordinal);
    }

    public async Task ReplaceAsync(Guid vaultKey, IReadOnlyCollection<string> resourceIds, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        await db.Discoveries.Where(r => r.VaultKey == vaultKey).ExecuteDeleteAsync(cancellationToken);
        db.Discoveries.AddRange(resourceIds.Select(id => id.Key()).Distinct().Select(id => new DiscoveryRow { VaultKey = vaultKey, SourceKey = id }));
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }
}
