using Microsoft.Extensions.Logging;
using Strongroom.Backup.Containers;
using Strongroom.Backup.Items;
using Strongroom.Backup.Policies;
using Strongroom.Store;

namespace Strongroom.Backup.Vaults;

/// <summary>Makes, changes and deletes vaults.</summary>
public sealed class VaultLifecycle(IVaultRepository vaults, IItemRepository items, IContainerRepository containers, IVaultStores stores, IVaultPlaces places, TimeProvider time, ILogger<VaultLifecycle> log)
{
    /// <summary>Makes the vault, or changes the one that has its name.</summary>
    /// <param name="change">Makes the wanted vault out of the existing one, or out of null; called again when someone else wrote in between.</param>
    /// <returns>The vault as it is now, and whether it was made.</returns>
    /// <exception cref="BackupRefusedException">It is written by others all the time (<see cref="BackupRefusal.Conflict"/>).</exception>
    public async Task<(Vault Vault, bool Created)> PutAsync(
        string subscriptionId, string resourceGroup, string name, Func<Vault?, Vault> change, CancellationToken cancellationToken)
    {
        for (var tries = 0; tries < 5; tries++)
        {
            var existing = await vaults.FindAsync(subscriptionId, resourceGroup, name, cancellationToken);
            var wanted = change(existing);
            if (existing is null)
            {
                var now = time.GetUtcNow();
                var key = Guid.NewGuid();
                var vault = wanted with { Key = key, Storage = places.Choose(key, wanted.TaggedStorage), CreatedAt = now, ChangedAt = now };
                if (await vaults.TryAddAsync(vault, DefaultPolicies.For(vault.Key, now), cancellationToken)) return (vault, true);
            }
            else
            {
                RequireSameStorage(existing, wanted);
                var vault = wanted with { Storage = existing.Storage, ChangedAt = After(existing.ChangedAt) };
                if (await vaults.TryUpdateAsync(vault, existing.ChangedAt, cancellationToken)) return (vault, false);
            }
        }

        throw new BackupRefusedException(BackupRefusal.Conflict, $"Vault '{name}' is being changed by others. Try again.");
    }

    /// <summary>Changes an existing vault.</summary>
    /// <returns>The vault as it is now, or null when it does not exist.</returns>
    public async Task<Vault?> UpdateAsync(Vault vault, Func<Vault, Vault> change, CancellationToken cancellationToken)
    {
        for (var tries = 0; tries < 5; tries++)
        {
            var existing = await vaults.FindAsync(vault.Key, cancellationToken);
            if (existing is null) return null;
            var wanted = change(existing) with { Storage = existing.Storage, ChangedAt = After(existing.ChangedAt) };
            RequireSameStorage(existing, wanted);
            if (await vaults.TryUpdateAsync(wanted, existing.ChangedAt, cancellationToken)) return wanted;
        }

        throw new BackupRefusedException(BackupRefusal.Conflict, $"Vault '{vault.Name}' is being changed by others. Try again.");
    }

    /// <summary>Says why a vault cannot be deleted, or null.</summary>
    public async Task<BackupRefusedException?> FindObstacleAsync(Vault vault, CancellationToken cancellationToken)
    {
        var all = await items.ListAsync(vault.Key, cancellationToken);
        if (all.Count == 0 && await containers.ListAsync(vault.Key, cancellationToken) is { Count: > 0 } registered)
        {
            return new(BackupRefusal.VaultNotEmpty, "Vault cannot be deleted as there are existing resources within the vault. : "
                + string.Join(", ", registered.Select(c => c.Container.NativeName)) + "\r\nUnregister its storage accounts, then delete the vault.");
        }

        if (all.Count == 0) return null;
        var remedy = vault.Config.IsSoftDeleteAlwaysOn
            ? "Soft delete of this vault is always on: wait until their days are over."
            : "Undelete them, then delete them with soft delete off, or wait until their days are over.";
        var live = all.Where(i => !i.IsDeleted).ToList();
        return live.Count > 0
            ? new(BackupRefusal.VaultNotEmpty, "Vault cannot be deleted as there are existing resources within the vault. : "
                + string.Join(", ", live.Select(i => i.NativeName)) + "\r\nStop the protection of its items with deletion of their backup data, then delete the vault.")
            : new(BackupRefusal.VaultHoldsSoftDeleted, "Recovery Services vault cannot be deleted as there are backup items still present in soft delete state, existing resources within the vault : "
                + string.Join(", ", all.Select(i => i.FriendlyName)) + ". " + remedy);
    }

    /// <summary>Deletes a vault that holds nothing, and its store.</summary>
    /// <exception cref="BackupRefusedException">It still holds items.</exception>
    public async Task DeleteAsync(Vault vault, CancellationToken cancellationToken)
    {
        if (await FindObstacleAsync(vault, cancellationToken) is { } obstacle) throw obstacle;
        if (!await vaults.TryDeleteEmptyAsync(vault.Key, cancellationToken))
            throw await FindObstacleAsync(vault, cancellationToken) ?? new BackupRefusedException(BackupRefusal.Conflict, $"Vault '{vault.Name}' is in use. Try again.");
        await DeleteStoreAsync(vault.Key, vault.Storage);
    }

    /// <summary>
    /// Deletes what stores are left of vaults that are gone: a crash can fall between the two steps of a deletion. A vault is deleted empty, so
    /// a store that holds snapshots, or cannot be asked, was not: then the database is not the one that belongs to the stores, and they stay.
    /// </summary>
    public async Task SweepAsync(IEnumerable<Guid> storeKeys, CancellationToken cancellationToken)
    {
        var known = await vaults.ListKeysAsync(cancellationToken);
        foreach (var key in storeKeys.Where(k => !known.Contains(k)))
        {
            if (await IsEmptyAsync(key, cancellationToken)) await DeleteStoreAsync(key, null);
            else log.LogError("Store {VaultKey} belongs to no vault in the database, and holds recovery points or cannot be read. It is kept: is the database an old copy, or another server's?", key);
        }
    }

    private async Task<bool> IsEmptyAsync(Guid key, CancellationToken cancellationToken)
    {
        try { return (await stores.OpenAsync(key, cancellationToken)).Snapshots.Count == 0; }
        catch (Exception e) when (e is StoreException or IOException or UnauthorizedAccessException)
        {
            log.LogWarning(e, "Store {VaultKey} cannot be opened", key);
            return false;
        }
    }

    private async Task DeleteStoreAsync(Guid key, VaultStorage? storage)
    {
        // The vault's row is gone: from here on there is no way back. What cannot be removed now from our own folder is swept at the next start.
        try { await stores.DeleteAsync(key, storage, CancellationToken.None); }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or StoreException)
        {
            if (storage is null) log.LogWarning(e, "The store of vault {VaultKey} could not be removed; the next start tries again", key);
            else log.LogError(e, "The store of the deleted vault {VaultKey} could not be removed from '{Place}'; it holds no recovery point: remove what is left by hand", key, storage.Location);
        }
    }

    /// <summary>A vault stays where it was made; a tag that said otherwise would lie.</summary>
    private static void RequireSameStorage(Vault existing, Vault wanted)
    {
        if (wanted.TaggedStorage is { } name && name != existing.TaggedStorage && name != existing.Storage?.Name)
        {
            throw new BackupRefusedException(BackupRefusal.InvalidInput,
                $"The tag '{Vault.StorageTag}' of vault '{existing.Name}' cannot become '{name}': where a vault is kept is fixed when it is made. Make another vault there.");
        }
    }

    /// <summary>Later than the last write even if the clock stood still or was set back: the etag must change.</summary>
    private DateTimeOffset After(DateTimeOffset last)
    {
        var now = time.GetUtcNow();
        return now > last ? now : last.AddTicks(1);
    }
}
