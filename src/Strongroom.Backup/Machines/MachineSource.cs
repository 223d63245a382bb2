using Strongroom.Backup.Items;
using Strongroom.Backup.Vaults;

namespace Strongroom.Backup.Machines;

/// <summary>Finds the machine that is to be put under protection.</summary>
public sealed class MachineSource(IMachineFabric fabric) : IItemSource
{
    public ItemKind Kind => ItemKind.VirtualMachine;

    public async Task<ItemSource> FindAsync(Vault vault, ProtectionRequest request, CancellationToken cancellationToken)
    {
        if (!MachineId.TryParse(request.SourceResourceId, out var id)) throw Invalid("sourceResourceId is not the id of a virtual machine.");
        if (ItemNames.NativeName(id.ResourceGroup, id.Name) != request.NativeName)
            throw Invalid("The names of container and item do not belong to the machine in sourceResourceId.");
        var machine = id.SubscriptionId.Equals(vault.SubscriptionId, StringComparison.OrdinalIgnoreCase)
            ? await fabric.FindAsync(id.SubscriptionId, id.ResourceGroup, id.Name, cancellationToken)
            : null;
        return machine is not null
            ? new(machine.Name, machine.ResourceId, machine.Location)
            : throw new BackupRefusedException(BackupRefusal.ItemNotFound, $"Virtual machine '{id.Name}' was not found in resource group '{id.ResourceGroup}'.");
    }

    public bool IsOf(ProtectedItem item, string sourceResourceId) => sourceResourceId.Equals(item.SourceResourceId, StringComparison.OrdinalIgnoreCase);

    private static BackupRefusedException Invalid(string message) => new(BackupRefusal.InvalidConfigureProtection, message);
}
