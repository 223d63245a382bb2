using Strongroom.Backup.Machines;
using Strongroom.Backup.Vaults;

namespace Strongroom.Backup.Items;

/// <summary>Why a machine cannot be put under protection.</summary>
/// <param name="NativeName">The item that protects it already, or null.</param>
public sealed record ProtectionObstacle(string Code, string Message, string Recommendation, string? NativeName = null);

/// <summary>Tells beforehand what putting a machine under protection would meet; changes nothing.</summary>
public sealed class ProtectionPrecheck(IItemRepository items, IMachineFabric fabric)
{
    /// <param name="sourceResourceId">The machine's ARM id.</param>
    /// <param name="vault">Where it is to be protected, or null for anywhere.</param>
    public async Task<ProtectionObstacle?> FindObstacleAsync(string sourceResourceId, Vault? vault, CancellationToken cancellationToken)
    {
        var machine = MachineId.TryParse(sourceResourceId, out var id) ? await fabric.FindAsync(id.SubscriptionId, id.ResourceGroup, id.Name, cancellationToken) : null;
        if (machine is null) return new("UserErrorVmNotFoundV2", "The virtual machine does not exist.", "Check its name and its resource group.");
        if (await items.FindBySourceAsync(machine.ResourceId, cancellationToken) is { } item)
            return new("VirtualMachineAlreadyProtected", $"Virtual machine '{machine.Name}' is protected by a vault already.", "Look for its backup item; do not protect it again.", item.NativeName);
        if (vault is not null && !machine.Location.Equals(vault.Location, StringComparison.OrdinalIgnoreCase))
            return new("UserErrorVmVaultLocationMismatch", $"Virtual machine '{machine.Name}' is in '{machine.Location}', the vault is in '{vault.Location}'.", "Choose a vault of the machine's location.");
        return null;
    }
}
