using Strongroom.Store;

namespace Strongroom.Backup.Vaults;

/// <summary>The chunk stores of the vaults, opened once each and shared.</summary>
/// <remarks>Thread-safe.</remarks>
public interface IVaultStores
{
    /// <summary>The vault's store; made on first use.</summary>
    /// <exception cref="StoreException">It cannot be opened.</exception>
    Task<VaultStore> OpenAsync(Guid vaultKey, CancellationToken cancellationToken);

    /// <summary>Destroys the vault's store and all that is in it. Nothing happens when it does not exist.</summary>
    Task DeleteAsync(Guid vaultKey, CancellationToken cancellationToken);
}
