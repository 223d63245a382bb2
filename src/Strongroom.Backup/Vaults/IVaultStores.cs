using Strongroom.Store;

namespace Strongroom.Backup.Vaults;

/// <summary>The chunk stores of the vaults, opened once each and shared.</summary>
/// <remarks>Thread-safe.</remarks>
public interface IVaultStores
{
    /// <summary>The vault's store; made on first use.</summary>
    /// <exception cref="StoreException">It cannot be opened.</exception>
    Task<VaultStore> OpenAsync(Guid vaultKey, CancellationToken cancellationToken);

    /// <summary>The vault's store, or null when none was made yet.</summary>
    /// <exception cref="StoreException">It cannot be opened.</exception>
    Task<VaultStore?> FindAsync(Guid vaultKey, CancellationToken cancellationToken);

    /// <summary>Destroys the vault's store and all that is in it. Nothing happens when it does not exist.</summary>
    /// <param name="vaultKey">The vault's key; its row may be gone.</param>
    /// <param name="storage">Where the vault was recorded to be.</param>
    /// <param name="cancellationToken">Leaves what no longer looks like a vault.</param>
    Task DeleteAsync(Guid vaultKey, VaultStorage? storage, CancellationToken cancellationToken);
}
