using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Strongroom.Arm;
using Strongroom.Backup.Items;
using Strongroom.Backup.Machines;
using Strongroom.Backup.Vaults;

namespace Strongroom.Api.RecoveryServices.ProtectionContainers;

/// <summary><c>vaults/backupFabrics/protectionContainers</c>: a virtual machine's container exists while its item does.</summary>
internal static class ContainerEndpoints
{
    public static readonly string[] FilterKeys = ["backupManagementType", "containerType", "backupEngineName", "fabricName", "status", "friendlyName"];

    public static void MapContainers(this IEndpointRouteBuilder routes)
    {
        var vault = routes.MapVault();
        vault.MapGet("/backupProtectionContainers", ListAsync).WithAction("Microsoft.RecoveryServices/vaults/backupProtectionContainers/read");
        vault.MapGet(VaultRequest.ContainerPath, GetAsync).WithAction("Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/read");
        vault.MapPost("/backupFabrics/{fabricName}/refreshContainers", RefreshAsync).WithAction("Microsoft.RecoveryServices/vaults/backupFabrics/refreshContainers/action");
    }

    private static async Task<IResult> ListAsync(HttpContext context, IItemRepository items)
    {
        var vault = await context.VaultAsync();
        var filter = ODataFilter.Parse(context.Request.Query["$filter"]).OnlyKeys(FilterKeys);
        var asked = Paging.Read(context.Request);
        var isAsked = filter.Allows("backupManagementType", "AzureIaasVM") && filter.Allows("status", "Registered") && filter.Allows("fabricName", "Azure") && filter.Allows("backupEngineName", null)
            && (filter.Allows("containerType", "Microsoft.Compute/virtualMachines") || filter.Allows("containerType", "IaasVMContainer"));
        var found = isAsked ? await items.ListAsync(vault.Key, new() { FriendlyName = filter["friendlyName"] }, asked.After, asked.Count + 1, context.RequestAborted) : [];
        return ArmResults.Page(context.Request, Paging.Cut(found, i => i.NativeName, asked), i => ToJson(vault, i));
    }

    private static async Task<IResult> GetAsync(HttpContext context, IItemRepository items)
    {
        var vault = await context.VaultAsync();
        var name = context.Route("containerName");
        var item = ItemNames.FromContainer(name) is { } native ? await items.FindAsync(vault.Key, native, context.RequestAborted) : null;
        return item is null ? throw RecoveryServicesErrors.ContainerNotFound(name) : ArmResults.Ok(ToJson(vault, item));
    }

    private static async Task<IResult> RefreshAsync(HttpContext context, MachineDiscovery discovery)
    {
        var vault = await context.VaultAsync();
        ODataFilter.Parse(context.Request.Query["$filter"]).OnlyKeys("backupManagementType", "workloadType");
        var operation = await discovery.RefreshAsync(vault, context.RequestAborted);
        var fabric = $"{vault.ResourceId}/backupFabrics/Azure";
        return new LongRunning
        {
            AsyncOperationPath = $"{fabric}/operationsStatus/{operation.Id}",
            // The service hands this URL out with a version of its own.
            AsyncOperationApiVersion = "2019-05-13-preview",
            LocationPath = $"{fabric}/operationResults/{operation.Id}",
        };
    }

    private static JsonObject ToJson(Vault vault, ProtectedItem item)
    {
        var machine = MachineId.TryParse(item.SourceResourceId, out var id) ? id : null;
        return new()
        {
            ["id"] = BackupPaths.Container(vault, item.NativeName),
            ["name"] = ItemNames.Container(item.NativeName),
            ["type"] = BackupPaths.VaultType + "/backupFabrics/protectionContainers",
            ["properties"] = new JsonObject
            {
                ["virtualMachineId"] = item.SourceResourceId,
                ["virtualMachineVersion"] = "Compute",
                ["resourceGroup"] = machine?.ResourceGroup,
                ["friendlyName"] = item.FriendlyName,
                ["backupManagementType"] = "AzureIaasVM",
                ["registrationStatus"] = "Registered",
                ["healthStatus"] = item.IsFailing ? "Unhealthy" : "Healthy",
                ["containerType"] = "Microsoft.Compute/virtualMachines",
                ["protectableObjectType"] = "Microsoft.Compute/virtualMachines",
            },
        };
    }
}
