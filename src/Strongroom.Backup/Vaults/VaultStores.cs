using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Strongroom.Backup.RecoveryPoints;
using Strongroom.Store;

namespace Strongroom.Backup.Vaults;

/// <summary>The vaults' stores, each at the place that was recorded when its vault was made.</summary>
/// <param name="masterKey">Wraps the key ring of every vault.</param>
/// <param name="options">How every store is worked with.</param>
public sealed class VaultStores(
    IVaultPlaces places, IKeyEncryptionKey masterKey, IVaultRepository vaults, IRecoveryPointRepository points, VaultStoreOptions options, TimeProvider time, ILogger<VaultStores> log)
    : IVaultStores, IAsyncDisposable
{
    private readonly ConcurrentDictionary<Guid, Lazy<Task<OpenStore?>>> _open = new();

    public async Task<VaultStore> OpenAsync(Guid vaultKey, CancellationToken cancellationToken) =>
        await OpenAsync(vaultKey, isMadeIfMissing: true, cancellationToken)
        ?? throw new InvalidOperationException("A store that is made if it is missing is never missing.");

    public Task<VaultStore?> FindAsync(Guid vaultKey, CancellationToken cancellationToken) => OpenAsync(vaultKey, isMadeIfMissing: false, cancellationToken);

    public async Task DeleteAsync(Guid vaultKey, VaultStorage? storage, CancellationToken cancellationToken)
    {
        if (_open.TryRemove(vaultKey, out var opening) && opening.IsValueCreated)
        {
            try { await DisposeAsync(opening); }
            catch (Exception e) when (e is StoreException or IOException)
            {
                log.LogDebug(e, "The store of vault {VaultKey} was not open", vaultKey);
            }
        }

        using var place = places.Open(vaultKey, storage);
        await place.DestroyAsync(cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var opening in _open.Values.Where(o => o.IsValueCreated))
        {
            try { await DisposeAsync(opening); }
            catch (Exception e) when (e is StoreException or IOException)
            {
                log.LogWarning(e, "A vault's store could not be closed; it is consistent all the same");
            }
        }

        _open.Clear();
    }

    private static async Task DisposeAsync(Lazy<Task<OpenStore?>> opening)
    {
        if (await opening.Value is { } store) await store.DisposeAsync();
    }

    private async Task<VaultStore?> OpenAsync(Guid vaultKey, bool isMadeIfMissing, CancellationToken cancellationToken)
    {
        while (true)
        {
            // Opened under no caller's token: others may wait for the same opening.
            var opening = _open.GetOrAdd(vaultKey, key => new(() => OpenNowAsync(key, isMadeIfMissing)));
            try
            {
                if (await opening.Value.WaitAsync(cancellationToken) is { } store) return store.Store;
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                // A failed opening is forgotten, so that the next caller tries again (the disk may have room by then).
                _open.TryRemove(new(vaultKey, opening));
                throw;
            }

            // Somebody only looked, and found none.
            _open.TryRemove(new(vaultKey, opening));
            if (!isMadeIfMissing) return null;
        }
    }

    private async Task<OpenStore?> OpenNowAsync(Guid key, bool isMadeIfMissing)
    {
        var vault = await vaults.FindAsync(key, CancellationToken.None);
        var place = places.Open(key, vault?.Storage);
        try
        {
            var exists = await VaultStore.ExistsAsync(place.Backend, CancellationToken.None);
            // A new store in place of one that holds points would take backups where nobody looks for them: under a mount point, beside a mistake.
            if (!exists && (await points.ListSnapshotIdsAsync(key, CancellationToken.None)).Count > 0)
                throw new StoreException(StoreErrorKind.NotFound, $"The store '{place.Text}' of this vault is not there, though the vault has recovery points. Is its disk mounted? Else restore it from a copy.");
            if (!exists && !isMadeIfMissing)
            {
                place.Dispose();
                return null;
            }

            place.Prepare();
            var store = exists
                ? await VaultStore.OpenAsync(place.Backend, masterKey, options, time, CancellationToken.None)
                : await VaultStore.CreateAsync(place.Backend, masterKey, options, time, CancellationToken.None);
            if (vault is not null) await ApplyAsync(store, vault);
            return new(store, place);
        }
        catch
        {
            place.Dispose();
            throw;
        }
    }

    /// <summary>A store that was just made, or that did not answer when the vault's settings were changed, gets them now.</summary>
    private async Task ApplyAsync(VaultStore store, Vault vault)
    {
        try { await StoreRules.SetPolicyAsync(store, null, vault.Config, CancellationToken.None); }
        catch (StoreException e)
        {
            // What can be read is read all the same: a disk that is full or read-only must not keep anyone from restoring.
            log.LogWarning(e, "The store of vault {VaultKey} does not have the vault's settings yet", vault.Key);
        }
    }

    /// <summary>A store and the place under it, which the store does not own.</summary>
    private sealed record OpenStore(VaultStore Store, IVaultPlace Place) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await Store.DisposeAsync();
            Place.Dispose();
        }
    }
}
