using System.Text.Json;
using Strongroom.Arm;
using Strongroom.Backup.Containers;
using Strongroom.Backup.FileShares;
using Strongroom.Backup.Items;
using Strongroom.Backup.Machines;
using Strongroom.Backup.Pipelines;
using Strongroom.Backup.Policies;
using Strongroom.Backup.Vaults;
using Strongroom.Store;

namespace Strongroom.Backup.Catalogue;

/// <summary>Makes the catalogue's rows of a vault again from its store alone. Adds what is missing and changes nothing that is there, so it can be repeated.</summary>
/// <remarks>
/// 1. Read what the server wrote into each commit. 2. The resource group and the vault, with its first policies. 3. The items, each as its newest snapshot
/// knows it. 4. The recovery points, under the names that they had. No server may work on the catalogue meanwhile.
/// </remarks>
public sealed class CatalogueRebuild(
    IVaultRepository vaults, IItemRepository items, IPolicyRepository policies, IContainerRepository containers, IResourceStore resources, ICatalogueWriter catalogue, TimeProvider time)
{
    /// <param name="store">The vault's store.</param>
    /// <param name="storage">Where it is; null: in the server's own folder, under the vault's key.</param>
    /// <param name="subscriptionId">The subscription of the server that the catalogue belongs to: all ids are written under it.</param>
    /// <param name="cancellationToken">Leaves what was added until then.</param>
    /// <exception cref="BackupRefusedException">Conflict: another vault has the name, or a machine or share is protected in another vault.</exception>
    public async Task<RebuildReport> RunAsync(VaultStore store, VaultStorage? storage, string subscriptionId, CancellationToken cancellationToken)
    {
        // Step 1.
        var all = store.Snapshots;
        var known = all.Select(s => Read(s, subscriptionId)).OfType<KnownSnapshot>().OrderBy(k => k.Snapshot.LogSequence).ToList();
        if (known.Count == 0) return new(null, 0, 0, 0, 0, all.Count, []);
        var notes = new List<string>();

        // Step 2. The newest commit knows the vault best.
        var newest = known[^1].Vault;
        var vault = newest with { Storage = storage, Config = StorePolicies.Learn(newest.Config, store.Governance.Policy) };
        if (known.Any(k => k.Vault.Key != vault.Key))
            throw new BackupRefusedException(BackupRefusal.Conflict, "The store holds recovery points of more than one vault. It cannot be told which of them it belongs to.");
        var isNew = await AddVaultAsync(vault, cancellationToken);

        // Step 3.
        var itemsAdded = 0;
        foreach (var item in known.GroupBy(k => k.Item.Key))
        {
            if (await AddItemAsync(vault, item.Last(), notes, cancellationToken)) itemsAdded++;
        }

        // Step 4.
        var added = 0;
        foreach (var snapshot in known)
        {
            var point = SnapshotPoints.Of(snapshot.Item.Key, snapshot.Snapshot, snapshot.ExpiresAt);
            if (await catalogue.TryAddAsync(point with { MachineOrNone = snapshot.Machine, Share = snapshot.Share }, cancellationToken)) added++;
        }

        if (isNew) notes.Add("Hosts, file servers and policies of your own are not in the log: put them again. Backups go on when the hosts are there.");
        return new(vault.Name, isNew ? 1 : 0, itemsAdded, added, known.Count - added, all.Count - known.Count, notes);
    }

    private static KnownSnapshot? Read(Snapshot snapshot, string subscriptionId)
    {
        SnapshotConfiguration configuration;
        try { configuration = SnapshotConfiguration.Read(snapshot.Configuration); }
        catch (JsonException) { return null; }
        if (configuration is not { Vault: { } vault, Item: { } item } || snapshot.ItemId != item.Key.ToString("N")) return null;

        // The server may be another one than then, with a subscription of its own.
        string Moved(string id) => id.Replace($"/subscriptions/{vault.SubscriptionId}/", $"/subscriptions/{subscriptionId}/", StringComparison.OrdinalIgnoreCase);
        var (machine, share) = (configuration.Machine, configuration.Share);
        return new(
            snapshot,
            vault with { SubscriptionId = subscriptionId },
            item with { SourceResourceId = Moved(item.SourceResourceId), VaultKey = vault.Key },
            machine is null ? null : machine with { SubscriptionId = subscriptionId, HostId = Moved(machine.HostId) },
            share is null ? null : share with { ResourceId = Moved(share.ResourceId) },
            configuration.ExpiresAt);
    }

    /// <returns>False when it is there already.</returns>
    private async Task<bool> AddVaultAsync(Vault vault, CancellationToken cancellationToken)
    {
        if (await vaults.FindAsync(vault.Key, cancellationToken) is not null) return false;
        if (!await vaults.TryAddAsync(vault, DefaultPolicies.For(vault.Key, vault.CreatedAt), cancellationToken))
        {
            throw new BackupRefusedException(BackupRefusal.Conflict,
                $"The catalogue has another vault '{vault.Name}' in group '{vault.ResourceGroup}'. Delete that one if it is empty, then rebuild again; nothing was changed.");
        }

        if (await resources.GetGroupAsync(vault.SubscriptionId, vault.ResourceGroup, cancellationToken) is null)
        {
            var now = time.GetUtcNow();
            await resources.PutGroupAsync(new(vault.SubscriptionId, vault.ResourceGroup, vault.Location, ResourceTags.None, now, now), cancellationToken);
        }

        return true;
    }

    /// <returns>False when it is there already.</returns>
    private async Task<bool> AddItemAsync(Vault vault, KnownSnapshot newest, List<string> notes, CancellationToken cancellationToken)
    {
        var item = newest.Item;
        if (await items.FindAsync(item.Key, cancellationToken) is not null) return false;
        var isStopped = item.ProtectionState is ProtectionStates.Stopped;
        var hasPolicy = item.PolicyName.Length > 0 && await policies.FindAsync(vault.Key, item.PolicyName, cancellationToken) is not null;
        if (!hasPolicy && !isStopped)
            notes.Add($"'{item.FriendlyName}' had the policy '{item.PolicyName}', which is not in the log: its protection is stopped. Put the policy, then protect it again.");
        var made = item with
        {
            ProtectionState = !hasPolicy ? ProtectionStates.Stopped : item.ProtectionState == ProtectionStates.InitialPending ? ProtectionStates.Protected : item.ProtectionState,
            PolicyName = hasPolicy ? item.PolicyName : "",
            LastBackupStatus = "Completed",
            LastBackupTime = newest.Snapshot.CreatedAt,
            LastRecoveryPointTime = SnapshotPoints.Of(item.Key, newest.Snapshot, null).Time,
            DeletedAt = null,
            SoftDeleteDays = 0,
            // What the store still has is listed again.
            DoomedSnapshots = [],
        };
        if (made.Kind == ItemKind.FileShare) await RegisterAsync(vault, made, cancellationToken);
        if (!await items.TryAddAsync(made, cancellationToken))
        {
            throw new BackupRefusedException(BackupRefusal.Conflict,
                $"The source of '{item.FriendlyName}' is protected in the catalogue already, as another item. Stop that protection with deletion of its data, then rebuild again.");
        }

        return true;
    }

    /// <summary>Shares are protected in registered accounts only.</summary>
    /// <exception cref="BackupRefusedException">Conflict: another vault has registered the account.</exception>
    private async Task RegisterAsync(Vault vault, ProtectedItem item, CancellationToken cancellationToken)
    {
        if (item.Account is not { } account) return;
        var container = new RegisteredContainer
        {
            VaultKey = vault.Key,
            NativeName = ItemNames.ContainerOf(item.NativeName),
            FriendlyName = account.Name,
            SourceResourceId = account.ResourceId,
            RegisteredAt = time.GetUtcNow(),
        };
        if (await containers.TryAddAsync(container, cancellationToken) || await containers.FindBySourceAsync(account.ResourceId, cancellationToken) is not { } known || known.VaultKey == vault.Key) return;
        var other = await vaults.FindAsync(known.VaultKey, cancellationToken);
        throw new BackupRefusedException(BackupRefusal.Conflict,
            $"Storage account '{account.Name}' is registered with {(other is null ? "another vault" : $"vault '{other.Name}'")} of the catalogue. Unregister it there, then rebuild again.");
    }

    /// <summary>A snapshot with what the server wrote into its commit, under the present subscription.</summary>
    private sealed record KnownSnapshot(Snapshot Snapshot, Vault Vault, ProtectedItem Item, VirtualMachine? Machine, SharePoint? Share, DateTimeOffset? ExpiresAt);
}
