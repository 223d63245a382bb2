using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Strongroom.Arm;
using Strongroom.Backup.Discovery;
using Strongroom.Backup.FileShares;
using Strongroom.Backup.Items;
using Strongroom.Backup.Machines;
using Strongroom.Backup.Vaults;

namespace Strongroom.Api.RecoveryServices.ProtectableItems;

/// <summary><c>backupProtectableItems</c>: discovered machines, and shares of registered storage accounts, that no vault protects.</summary>
internal static class ProtectableItemEndpoints
{
    public static void MapProtectableItems(this IEndpointRouteBuilder routes) => routes.MapVault().MapGet("/backupProtectableItems", ListAsync).WithAction("Microsoft.RecoveryServices/vaults/backupProtectableItems/read");

    private static async Task<IResult> ListAsync(HttpContext context, SourceDiscovery discovery)
    {
        var vault = await context.VaultAsync();
        var filter = ODataFilter.Parse(context.Request.Query["$filter"]).OnlyKeys("backupManagementType", "workloadType", "containerName", "status", "friendlyName");
        var machines = IsAsked(filter, ItemKind.VirtualMachine) ? await discovery.ListProtectableMachinesAsync(vault, context.RequestAborted) : [];
        var shares = IsAsked(filter, ItemKind.FileShare) ? await discovery.ListProtectableSharesAsync(vault, context.RequestAborted) : [];
        IEnumerable<(string NativeName, string Name, Func<JsonObject> ToJson)> found =
        [
            .. machines.Select(m => (ItemNames.NativeName(m.ResourceGroup, m.Name), m.Name, (Func<JsonObject>)(() => ToJson(vault, m)))),
            .. shares.Select(s => (NativeName(s), s.Name, (Func<JsonObject>)(() => ToJson(vault, s)))),
        ];
        var page = Paging.Take(found.Where(f => filter.Allows("friendlyName", f.Name) && AllowsContainer(filter, f.NativeName)), f => f.NativeName, Paging.Read(context.Request));
        return ArmResults.Page(context.Request, page, f => f.ToJson());
    }

    private static bool IsAsked(ODataFilter filter, ItemKind kind) =>
        filter.Allows("backupManagementType", ItemWords.ManagementType(kind)) && filter.Allows("workloadType", ItemWords.WorkloadType(kind)) && filter.Allows("status", "NotProtected");

    private static bool AllowsContainer(ODataFilter filter, string native) =>
        filter.Allows("containerName", ItemNames.ContainerOf(native)) || filter.Allows("containerName", ItemNames.Container(native));

    private static string NativeName(AccountShare share) => ItemNames.OfShare(share.Account.ResourceGroup, share.Account.Name, share.ResourceId);

    private static JsonObject ToJson(Vault vault, AccountShare share)
    {
        var native = NativeName(share);
        var name = ItemNames.Item(native).ToLowerInvariant();
        return new()
        {
            // The container in lower case, here alone: az compares it as it is.
            ["id"] = $"{vault.ResourceId}/backupFabrics/Azure/protectionContainers/{ItemNames.Container(native).ToLowerInvariant()}/protectableItems/{name}",
            ["name"] = name,
            ["type"] = BackupPaths.VaultType + "/backupFabrics/protectionContainers/protectableItems",
            ["properties"] = new JsonObject
            {
                ["parentContainerFabricId"] = share.Account.ResourceId,
                ["parentContainerFriendlyName"] = share.Account.Name,
                ["azureFileShareType"] = "XSMB",
                ["backupManagementType"] = "AzureStorage",
                ["workloadType"] = "AzureFileShare",
                ["protectableItemType"] = "AzureFileShare",
                ["friendlyName"] = share.Name,
                ["protectionState"] = "NotProtected",
            },
        };
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
