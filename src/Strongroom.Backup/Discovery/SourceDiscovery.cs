using Strongroom.Backup.Containers;
using Strongroom.Backup.FileShares;
using Strongroom.Backup.Items;
using Strongroom.Backup.Machines;
using Strongroom.Backup.Operations;
using Strongroom.Backup.Vaults;

namespace Strongroom.Backup.Discovery;

/// <summary>Finds what a vault can protect, in any group of its subscription: machines and storage accounts of its own region, and the shares of accounts that are registered with it.</summary>
public sealed class SourceDiscovery(
    IMachineFabric machines, IFileShareFabric shares, IDiscoveryRepository discovered, IItemRepository items, IContainerRepository containers, IOperationRepository operations, TimeProvider time)
{
    /// <summary>Looks for machines and storage accounts anew (refreshContainers) and answers the operation to track, which is over already.</summary>
    public async Task<AsyncOperation> RefreshAsync(Vault vault, CancellationToken cancellationToken)
    {
        var ofMachines = await machines.ListAsync(vault.SubscriptionId, null, cancellationToken);
        var ofAccounts = await shares.ListAccountsAsync(vault.SubscriptionId, null, cancellationToken);
        string[] found = [.. ofMachines.Where(m => IsInReach(vault, m.Location)).Select(m => m.ResourceId), .. ofAccounts.Where(a => IsInReach(vault, a.Location)).Select(a => a.ResourceId)];
        await discovered.ReplaceAsync(vault.Key, found, cancellationToken);
        var operation = new AsyncOperation { Id = Guid.NewGuid(), VaultKey = vault.Key, StartedAt = time.GetUtcNow() };
        await operations.AddAsync(operation, cancellationToken);
        return operation;
    }

    /// <summary>Machines that were discovered, are still there, and that no vault protects.</summary>
    public async Task<IReadOnlyList<VirtualMachine>> ListProtectableMachinesAsync(Vault vault, CancellationToken cancellationToken)
    {
        var known = await discovered.ListAsync(vault.Key, cancellationToken);
        if (known.Count == 0) return [];
        var taken = await items.ListProtectedSourcesAsync(cancellationToken);
        var found = await machines.ListAsync(vault.SubscriptionId, null, cancellationToken);
        return [.. found.Where(m => IsInReach(vault, m.Location) && IsOffered(m.ResourceId, known, taken))];
    }

    /// <summary>Storage accounts that were discovered, are still there, and that no vault has registered.</summary>
    public async Task<IReadOnlyList<ShareAccount>> ListRegistrableAccountsAsync(Vault vault, CancellationToken cancellationToken)
    {
        var known = await discovered.ListAsync(vault.Key, cancellationToken);
        if (known.Count == 0) return [];
        var taken = await containers.ListRegisteredSourcesAsync(cancellationToken);
        var found = await shares.ListAccountsAsync(vault.SubscriptionId, null, cancellationToken);
        return [.. found.Where(a => IsInReach(vault, a.Location) && IsOffered(a.ResourceId, known, taken))];
    }

    /// <summary>Shares of the vault's registered accounts that no vault protects. An account whose server fails has none.</summary>
    public async Task<IReadOnlyList<AccountShare>> ListProtectableSharesAsync(Vault vault, CancellationToken cancellationToken)
    {
        var registered = await containers.ListAsync(vault.Key, cancellationToken);
        if (registered.Count == 0) return [];
        var taken = await items.ListProtectedSourcesAsync(cancellationToken);
        var found = new List<AccountShare>();
        foreach (var container in registered)
        {
            if (!ShareAccountId.TryParse(container.Container.SourceResourceId, out var id)) continue;
            // It was registered because it is where the vault is.
            var account = new ShareAccount(id.SubscriptionId, id.ResourceGroup, id.Name, vault.Location);
            try { found.AddRange((await shares.ListSharesAsync(account, cancellationToken)).Where(share => !taken.Contains(share.ResourceId.ToLowerInvariant()))); }
            catch (ShareException) { continue; }
        }

        return found;
    }

    private static bool IsOffered(string resourceId, IReadOnlySet<string> known, IReadOnlySet<string> taken) =>
        resourceId.ToLowerInvariant() is var id && known.Contains(id) && !taken.Contains(id);

    private static bool IsInReach(Vault vault, string location) => location.Equals(vault.Location, StringComparison.OrdinalIgnoreCase);
}
