using Strongroom.Backup.Containers;
using Strongroom.Backup.FileShares;
using Strongroom.Backup.Items;
using Strongroom.Backup.Operations;
using Strongroom.Backup.Vaults;

namespace Strongroom.Backup.Machines;

/// <summary>Finds the machines and storage accounts that a vault can protect.</summary>
public sealed class MachineDiscovery(
    IMachineFabric fabric, IFileShareFabric shares, IDiscoveryRepository discovered, IItemRepository items, IOperationRepository operations, TimeProvider time)
{
    /// <summary>Looks for machines and storage accounts anew (refreshContainers) and answers the operation to track, which is over already.</summary>
    public async Task<AsyncOperation> RefreshAsync(Vault vault, CancellationToken cancellationToken)
    {
        var machines = await fabric.ListAsync(vault.SubscriptionId, null, cancellationToken);
        var accounts = await shares.ListAccountsAsync(vault.SubscriptionId, null, cancellationToken);
        string[] found = [.. machines.Where(m => InReach(vault, m)).Select(m => m.ResourceId), .. accounts.Where(a => ContainerRegistration.IsInReach(vault, a)).Select(a => a.ResourceId)];
        await discovered.ReplaceAsync(vault.Key, found, cancellationToken);
        var operation = new AsyncOperation { Id = Guid.NewGuid(), VaultKey = vault.Key, StartedAt = time.GetUtcNow() };
        await operations.AddAsync(operation, cancellationToken);
        return operation;
    }

    /// <summary>Machines that were discovered, are still there, and that no vault protects.</summary>
    public async Task<IReadOnlyList<VirtualMachine>> ListProtectableAsync(Vault vault, CancellationToken cancellationToken)
    {
        var known = await discovered.ListAsync(vault.Key, cancellationToken);
        if (known.Count == 0) return [];
        var taken = await items.ListProtectedSourcesAsync(cancellationToken);
        var machines = await fabric.ListAsync(vault.SubscriptionId, null, cancellationToken);
        return [.. machines.Where(m => InReach(vault, m) && known.Contains(m.ResourceId.ToLowerInvariant()) && !taken.Contains(m.ResourceId.ToLowerInvariant()))];
    }

    /// <summary>A vault protects machines of its own region, in any group of its subscription.</summary>
    private static bool InReach(Vault vault, VirtualMachine machine) => machine.Location.Equals(vault.Location, StringComparison.OrdinalIgnoreCase);
}
