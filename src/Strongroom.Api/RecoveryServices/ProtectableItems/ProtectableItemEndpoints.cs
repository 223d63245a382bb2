using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Strongroom.Arm;
using Strongroom.Backup.Items;
using Strongroom.Backup.Machines;
using Strongroom.Backup.Vaults;

namespace Strongroom.Api.RecoveryServices.ProtectableItems;

/// <summary><c>backupProtectableItems</c>: discovered machines that no vault protects.</summary>
internal static class ProtectableItemEndpoints
{
    public static void MapProtectableItems(this IEndpointRouteBuilder routes) => routes.MapVault().MapGet("/backupProtectableItems", ListAsync).WithAction("Microsoft.RecoveryServices/vaults/backupProtectableItems/read");

    private static async Task<IResult> ListAsync(HttpContext context, MachineDiscovery discovery)
    {
        var vault = await context.VaultAsync();
        var filter = ODataFilter.Parse(context.Request.Query["$filter"]).OnlyKeys("backupManagementType", "workloadType", "containerName", "status", "friendlyName");
        var isAsked = filter.Allows("backupManagementType", "AzureIaasVM") && filter.Allows("workloadType", "VM") && filter.Allows("status", "NotProtected");
        var machines = isAsked ? await discovery.ListProtectableAsync(vault, context.RequestAborted) : [];
        var page = Paging.Take(
            machines.Where(m => filter.Allows("friendlyName", m.Name) && AllowsContainer(filter, m)),
            m => ItemNames.NativeName(m.ResourceGroup, m.Name), Paging.Read(context.Request));
        return ArmResults.Page(context.Request, page, m => ToJson(vault, m));
    }

    private static bool AllowsContainer(ODataFilter filter, VirtualMachine machine)
    {
        var native = ItemNames.NativeName(machine.ResourceGroup, machine.Name);
        return filter.Allows("containerName", native) || filter.Allows("containerName", ItemNames.Container(native));
    }

    private static JsonObject ToJson(Vault vault, VirtualMachine machine)
    {
        var native = ItemNames.NativeName(machine.ResourceGroup, machine.Name);
        return new()
        {
            ["id"] = $"{BackupPaths.Container(vault, native)}/protectableItems/vm;{native}",
            // The id's last part has "vm;", the name has not: so the service.
            ["name"] = native,
            ["type"] = BackupPaths.VaultType + "/backupFabrics/protectionContainers/protectableItems",
            ["properties"] = new JsonObject
            {
                ["virtualMachineId"] = machine.ResourceId,
                ["virtualMachineVersion"] = "Compute",
                ["resourceGroup"] = machine.ResourceGroup,
                ["backupManagementType"] = "AzureIaasVM",
                ["workloadType"] = "VM",
                ["protectableItemType"] = "Microsoft.Compute/virtualMachines",
                ["friendlyName"] = machine.Name,
                ["protectionState"] = "NotProtected",
            },
        };
    }
}
