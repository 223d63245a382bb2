using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Strongroom.Arm;
using Strongroom.Backup.Items;

namespace Strongroom.Api.RecoveryServices.ProtectionContainers;

/// <summary>
/// What clients do with containers of other workloads than virtual machines, of which there are none. A machine's container comes with its item and goes with it:
/// it is neither registered nor unregistered, and there is nothing in it to inquire about.
/// </summary>
internal static class WorkloadContainerEndpoints
{
    private const string Action = "Microsoft.RecoveryServices/vaults/backupFabrics/";

    private static readonly string[] Types =
    [
        "StorageContainer", "VMAppContainer", "SQLAvailabilityGroupWorkLoadContainer", "AzureWorkloadContainer", "AzureSqlContainer", "AzureBackupServerContainer",
        "GenericContainer", "DPMContainer", "Windows", "IaasVMContainer", "Microsoft.Compute/virtualMachines", "Microsoft.ClassicCompute/virtualMachines",
    ];

    public static void MapWorkloadContainers(this IEndpointRouteBuilder routes)
    {
        var vault = routes.MapVault();
        vault.MapGet("/backupFabrics/{fabricName}/protectableContainers", (Delegate)ListProtectableAsync).WithAction(Action + "protectableContainers/read");
        vault.MapGet("/backupDeletedProtectionContainers", (Delegate)ListDeletedAsync).WithAction("Microsoft.RecoveryServices/vaults/backupDeletedProtectionContainers/read");
        vault.MapPut(VaultRequest.ContainerPath, (Delegate)RegisterAsync).WithAction(Action + "protectionContainers/write");
        vault.MapDelete(VaultRequest.ContainerPath, UnregisterAsync).WithAction(Action + "protectionContainers/delete");
        vault.MapPost(VaultRequest.ContainerPath + "/inquire", InquireAsync).WithAction(Action + "protectionContainers/inquire/action");
        vault.MapGet(VaultRequest.ContainerPath + "/items", ListItemsAsync).WithAction(Action + "protectionContainers/items/read");
    }

    private static Task<IResult> ListProtectableAsync(HttpContext context) => context.NoneAsync(ContainerEndpoints.FilterKeys);

    private static Task<IResult> ListDeletedAsync(HttpContext context) => context.NoneAsync(ContainerEndpoints.FilterKeys);

    private static async Task<IResult> RegisterAsync(HttpContext context)
    {
        await context.VaultAsync();
        var body = await ArmJson.ReadObjectAsync(context.Request, context.RequestAborted);
        var properties = body.OptionalObject("properties") ?? throw RecoveryServicesErrors.InvalidInput("'properties' is missing.", "properties");
        properties.CheckTexts("sourceResourceId", "friendlyName", "backupManagementType", "operationType", "workloadType");
        var type = properties.OptionalText("containerType");
        if (!Types.Contains(type, StringComparer.OrdinalIgnoreCase)) throw RecoveryServicesErrors.InvalidType("containerType", type, Types);
        throw RecoveryServicesErrors.NotSupported($"Containers of type '{type}' are not registered here: this version protects virtual machines, whose containers come with their items.");
    }

    private static async Task<IResult> UnregisterAsync(HttpContext context, IItemRepository items)
    {
        var vault = await context.VaultAsync();
        if (ItemNames.FromContainer(context.Route("containerName")) is not { } native || await items.FindAsync(vault.Key, native, context.RequestAborted) is not { } item)
            return ArmResults.Empty(StatusCodes.Status204NoContent);
        throw RecoveryServicesErrors.ContainerInUse(item.FriendlyName);
    }

    private static async Task<IResult> InquireAsync(HttpContext context, IItemRepository items)
    {
        ODataFilter.Parse(context.Request.Query["$filter"]).OnlyKeys("backupManagementType", "workloadType");
        await RequireContainerAsync(context, items);
        throw RecoveryServicesErrors.NotSupported("A virtual machine's container holds the machine alone; there is nothing to inquire about.");
    }

    private static async Task<IResult> ListItemsAsync(HttpContext context, IItemRepository items)
    {
        var list = await context.NoneAsync("backupManagementType", "workloadItemType", "workloadType", "protectionStatus");
        await RequireContainerAsync(context, items);
        return list;
    }

    private static async Task RequireContainerAsync(HttpContext context, IItemRepository items)
    {
        var vault = await context.VaultAsync();
        var name = context.Route("containerName");
        if (ItemNames.FromContainer(name) is not { } native || await items.FindAsync(vault.Key, native, context.RequestAborted) is null)
            throw RecoveryServicesErrors.ContainerNotFound(name);
    }
}
