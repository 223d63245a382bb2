using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Strongroom.Arm;
using Strongroom.Backup.Containers;
using Strongroom.Backup.Discovery;
using Strongroom.Backup.Items;
using Strongroom.Backup.Machines;
using Strongroom.Backup.Vaults;

namespace Strongroom.Api.RecoveryServices.ProtectionContainers;

/// <summary><c>vaults/backupFabrics/protectionContainers</c>: a virtual machine's container exists while its item does, a storage account's while it is registered.</summary>
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

    private static async Task<IResult> ListAsync(HttpContext context, IItemRepository items, IContainerRepository containers)
    {
        var vault = await context.VaultAsync();
        var filter = ODataFilter.Parse(context.Request.Query["$filter"]).OnlyKeys(FilterKeys);
        var asked = Paging.Read(context.Request);
        var isAsked = filter.Allows("status", "Registered") && filter.Allows("fabricName", "Azure") && filter.Allows("backupEngineName", null);
        var found = new List<(string NativeName, JsonObject Json)>();
        if (isAsked && filter.Allows("backupManagementType", "AzureIaasVM") && (filter.Allows("containerType", "Microsoft.Compute/virtualMachines") || filter.Allows("containerType", "IaasVMContainer")))
        {
            var query = new ItemQuery { FriendlyName = filter["friendlyName"], Kind = ItemKind.VirtualMachine };
            found.AddRange((await items.ListAsync(vault.Key, query, asked.After, asked.Count + 1, context.RequestAborted)).Select(item => (item.NativeName, ToJson(vault, item))));
        }

        if (isAsked && filter.Allows("backupManagementType", "AzureStorage") && filter.Allows("containerType", StorageContainers.Type))
        {
            var registered = (await containers.ListAsync(vault.Key, context.RequestAborted)).Where(c => filter.Allows("friendlyName", c.Container.FriendlyName));
            found.AddRange(registered.Select(c => (c.Container.NativeName, StorageContainers.ToJson(vault, c))));
        }

        return ArmResults.Page(context.Request, Paging.Take(found, c => c.NativeName, asked), c => c.Json);
    }

    private static async Task<IResult> GetAsync(HttpContext context, IItemRepository items, IContainerRepository containers)
    {
        var vault = await context.VaultAsync();
        var name = context.Route("containerName");
        return ArmResults.Ok(await FindAsync(vault, name, items, containers, context.RequestAborted) ?? throw RecoveryServicesErrors.ContainerNotFound(name));
    }

    /// <summary>The container of a machine that is protected, or a registered storage account; null: neither.</summary>
    public static async Task<JsonObject?> FindAsync(Vault vault, string name, IItemRepository items, IContainerRepository containers, CancellationToken cancellationToken)
    {
        if (ItemNames.FromContainer(name) is not { } native) return null;
        if (ItemNames.KindOf(native) == ItemKind.FileShare) return await containers.FindAsync(vault.Key, native, cancellationToken) is { } container ? StorageContainers.ToJson(vault, container) : null;
        return await items.FindAsync(vault.Key, native, cancellationToken) is { } item ? ToJson(vault, item) : null;
    }

    private static async Task<IResult> RefreshAsync(HttpContext context, SourceDiscovery discovery)
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
