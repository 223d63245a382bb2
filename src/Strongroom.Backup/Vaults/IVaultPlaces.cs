using Strongroom.Store;

namespace Strongroom.Backup.Vaults;

/// <summary>The places that this server may keep vaults' stores at. Thread-safe.</summary>
public interface IVaultPlaces
{
    /// <summary>Where the store of a new vault goes.</summary>
    /// <param name="vaultKey">The vault's key, which names the store there.</param>
    /// <param name="name">A storage's name, as the operator has given it; null for where vaults go otherwise.</param>
    /// <returns>What to record in the vault; null for the server's own folder.</returns>
    /// <exception cref="BackupRefusedException">InvalidInput: no storage has that name.</exception>
    VaultStorage? Choose(Guid vaultKey, string? name);

    /// <summary>Connects to the place of a vault's store, without asking it anything yet.</summary>
    /// <exception cref="StoreException">AccessDenied: there are no credentials for it.</exception>
    IVaultPlace Open(Guid vaultKey, VaultStorage? storage);

    /// <summary>The keys of the stores in the server's own folder; what a cut-off deletion left there is removed.</summary>
    IReadOnlyList<Guid> ListKeys();
}

/// <summary>The place of one vault's store. Disposing closes connections and files.</summary>
public interface IVaultPlace : IDisposable
{
    IBlobBackend Backend { get; }

    /// <summary>How people call it: a path or a URL, without secrets.</summary>
    string Text { get; }

    /// <summary>Makes what must be there before a store is made.</summary>
    /// <exception cref="StoreException">Io: the place itself is not there.</exception>
    void Prepare();

    /// <summary>Removes the store with all that is in it. What is left by one that is cut off does not look like a vault.</summary>
    Task DestroyAsync(CancellationToken cancellationToken);
}
