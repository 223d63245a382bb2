using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Strongroom.Backup.RecoveryPoints;
using Strongroom.Store;

namespace Strongroom.Backup.Vaults;

/// <summary>The vaults' stores on local disk: one folder for each, named by the vault's key.</summary>
/// <param name="folder">The folder of folders; the caller holds the data folder's lock, so no other process writes here.</param>
/// <param name="masterKey">Wraps the key ring of every vault.</param>
public sealed class VaultStores(string folder, IKeyEncryptionKey masterKey, IRecoveryPointRepository points, TimeProvider time, ILogger<VaultStores> log) : IVaultStores, IAsyncDisposable
{
    private readonly ConcurrentDictionary<Guid, Lazy<Task<OpenStore>>> _open = new();

    public async Task<VaultStore> OpenAsync(Guid vaultKey, CancellationToken cancellationToken)
    {
        // Opened under no caller's token: others may wait for the same opening.
        var opening = _open.GetOrAdd(vaultKey, key => new(() => OpenOrCreateAsync(key)));
        try
        {
            return (await opening.Value.WaitAsync(cancellationToken)).Store;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // A failed opening is forgotten, so that the next caller tries again (the disk may have room by then).
            _open.TryRemove(new(vaultKey, opening));
            throw;
        }
    }

    public async Task DeleteAsync(Guid vaultKey, CancellationToken cancellationToken)
    {
        if (_open.TryRemove(vaultKey, out var opening) && opening.IsValueCreated)
        {
            try { await (await opening.Value).DisposeAsync(); }
            catch (Exception e) when (e is StoreException or IOException)
            {
                log.LogDebug(e, "The store of vault {VaultKey} was not open", vaultKey);
            }
        }

        var path = FolderOf(vaultKey);
        if (!Directory.Exists(path)) return;
        // Renamed first: a deletion that is cut off must not leave something that looks like a vault with holes.
        var doomed = path + ".deleted";
        if (Directory.Exists(doomed)) Directory.Delete(doomed, true);
        Directory.Move(path, doomed);
        Directory.Delete(doomed, true);
    }

    /// <summary>The keys of all stores on the disk; what a cut-off deletion left is removed.</summary>
    public IReadOnlyList<Guid> ListKeys()
    {
        if (!Directory.Exists(folder)) return [];
        foreach (var doomed in Directory.GetDirectories(folder, "*.deleted")) Directory.Delete(doomed, true);
        return [.. Directory.GetDirectories(folder).Select(Path.GetFileName).Where(n => Guid.TryParseExact(n, "N", out _)).Select(n => Guid.ParseExact(n!, "N"))];
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var opening in _open.Values.Where(o => o.IsValueCreated))
        {
            try { await (await opening.Value).DisposeAsync(); }
            catch (Exception e) when (e is StoreException or IOException)
            {
                log.LogWarning(e, "A vault's store could not be closed; it is consistent all the same");
            }
        }

        _open.Clear();
    }

    private async Task<OpenStore> OpenOrCreateAsync(Guid key)
    {
        var path = FolderOf(key);
        var backend = new LocalBackend(path);
        try
        {
            var options = new VaultStoreOptions();
            var exists = await VaultStore.ExistsAsync(backend, CancellationToken.None);
            // A new store in place of one that holds points would take backups where nobody looks for them: under a mount point, beside a mistake.
            if (!exists && (await points.ListSnapshotIdsAsync(key, CancellationToken.None)).Count > 0)
                throw new StoreException(StoreErrorKind.NotFound, $"The store '{path}' of this vault is not there, though the vault has recovery points. Is its disk mounted? Else restore the folder from a copy.");
            Directory.CreateDirectory(path);
            var store = exists
                ? await VaultStore.OpenAsync(backend, masterKey, options, time, CancellationToken.None)
                : await VaultStore.CreateAsync(backend, masterKey, options, time, CancellationToken.None);
            return new(store, backend);
        }
        catch
        {
            backend.Dispose();
            throw;
        }
    }

    private string FolderOf(Guid key) => Path.Combine(folder, key.ToString("N"));

    /// <summary>A store and the backend under it, which the store does not own.</summary>
    private sealed record OpenStore(VaultStore Store, LocalBackend Backend) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await Store.DisposeAsync();
            Backend.Dispose();
        }
    }
}
