using Strongroom.Backup.Items;
using Strongroom.Backup.Operations;
using Strongroom.Backup.Vaults;

namespace Strongroom.Backup.Machines;

/// <summary>Finds the machines that a vault can protect.</summary>
public sealed class MachineDiscovery(
    IMachineFabric fabric, IDiscoveryRepository discovered, IItemRepository items, IOperationRepository operations, TimeProvider time)
{
    /// <summary>Looks for machines anew (refreshContainers) and answers the operation to track, which is over already.</summary>
    public async Task<AsyncOperation> RefreshAsync(Vault vault, CancellationToken cancellationToken)
    {
        var machines = await fabric.ListAsync(vault.SubscriptionId, null, cancellationToken);
        await discovered.ReplaceAsync(vault.Key, [.. machines.Where(m => InReach(vault, m)).Select(m => m.ResourceId)], cancellationToken);
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
