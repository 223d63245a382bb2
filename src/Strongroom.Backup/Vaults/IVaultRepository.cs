using Strongroom.Backup.Policies;

namespace Strongroom.Backup.Vaults;

/// <summary>Keeps vaults. Names are compared without regard to case.</summary>
public interface IVaultRepository
{
    Task<Vault?> FindAsync(string subscriptionId, string resourceGroup, string name, CancellationToken cancellationToken);

    Task<Vault?> FindAsync(Guid key, CancellationToken cancellationToken);

    /// <summary>The keys of all vaults of all subscriptions.</summary>
    Task<IReadOnlySet<Guid>> ListKeysAsync(CancellationToken cancellationToken);

    /// <summary>Vaults of a subscription or one group of it, in the order of their creation.</summary>
    Task<IReadOnlyList<Vault>> ListAsync(string subscriptionId, string? resourceGroup, CancellationToken cancellationToken);

    /// <summary>Adds a vault with its first policies, in one transaction.</summary>
    /// <returns>False when a vault of that name exists already.</returns>
    Task<bool> TryAddAsync(Vault vault, IEnumerable<BackupPolicy> policies, CancellationToken cancellationToken);

    /// <summary>Writes the vault if it is still the one that was read.</summary>
    /// <returns>False when someone else wrote it since (<paramref name="readAt"/> is not its <see cref="Vault.ChangedAt"/>) or it is gone.</returns>
    Task<bool> TryUpdateAsync(Vault vault, DateTimeOffset readAt, CancellationToken cancellationToken);

    /// <summary>Removes the vault with its policies, finished jobs and operations, if it holds no item.</summary>
    /// <returns>False when an item is in it: nothing was removed.</returns>
    Task<bool> TryDeleteEmptyAsync(Guid key, CancellationToken cancellationToken);
}
