using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Strongroom.Arm;
using Strongroom.Backup.Containers;
using Strongroom.Backup.Discovery;
using Strongroom.Backup.Items;
using Strongroom.Backup.Operations;
using Strongroom.Backup.Vaults;

namespace Strongroom.Api.RecoveryServices.ProtectionContainers;

/// <summary>
/// Registration of containers: storage accounts, whose shares can be protected from then on. A machine's container comes with its item and goes with it: it is neither
/// registered nor unregistered, and there is nothing in it to inquire about.
/// </summary>
internal static class WorkloadContainerEndpoints
{
    private const string TrackingVersion = "2019-05-13-preview";
    private const string Action = "Microsoft.RecoveryServices/vaults/backupFabrics/";

    private static readonly string[] Types =
    [
        "StorageContainer", "VMAppContainer", "SQLAvailabilityGroupWorkLoadContainer", "AzureWorkloadContainer", "AzureSqlContainer", "AzureBackupServerContainer",
        "GenericContainer", "DPMContainer", "Windows", "IaasVMContainer", "Microsoft.Compute/virtualMachines", "Microsoft.ClassicCompute/virtualMachines",
    ];

    public static void MapWorkloadContainers(this IEndpointRouteBuilder routes)
    {
        var vault = routes.MapVault();
        vault.MapGet("/backupFabrics/{fabricName}/protectableContainers", ListProtectableAsync).WithAction(Action + "protectableContainers/read");
        vault.MapGet("/backupDeletedProtectionContainers", (Delegate)ListDeletedAsync).WithAction("Microsoft.RecoveryServices/vaults/backupDeletedProtectionContainers/read");
        vault.MapPut(VaultRequest.ContainerPath, RegisterAsync).WithAction(Action + "protectionContainers/write");
        vault.MapDelete(VaultRequest.ContainerPath, UnregisterAsync).WithAction(Action + "protectionContainers/delete");
        vault.MapPost(VaultRequest.ContainerPath + "/inquire", InquireAsync).WithAction(Action + "protectionContainers/inquire/action");
        vault.MapGet(VaultRequest.ContainerPath + "/items", ListItemsAsync).WithAction(Action + "protectionContainers/items/read");
    }

    private static async Task<IResult> ListProtectableAsync(HttpContext context, SourceDiscovery discovery)
    {
        var vault = await context.VaultAsync();
        var filter = ODataFilter.Parse(context.Request.Query["$filter"]).OnlyKeys([.. ContainerEndpoints.FilterKeys, "workloadType"]);
        var asked = Paging.Read(context.Request);
        var isAsked = filter.Allows("backupManagementType", "AzureStorage") && filter.Allows("workloadType", "AzureFileShare") && filter.Allows("containerType", StorageContainers.Type)
            && filter.Allows("fabricName", "Azure") && filter.Allows("backupEngineName", null) && filter.Allows("status", "NotRegistered");
        var accounts = isAsked ? await discovery.ListRegistrableAccountsAsync(vault, context.RequestAborted) : [];
        var page = Paging.Take(accounts.Where(a => filter.Allows("friendlyName", a.Name)), a => ItemNames.OfAccount(a.ResourceGroup, a.Name), asked);
        return ArmResults.Page(context.Request, page, a => StorageContainers.ToJson(vault, a));
    }

    /// <summary>A registration ends only without items, soft-deleted ones included: there is never a container that is soft-deleted.</summary>
    private static Task<IResult> ListDeletedAsync(HttpContext context) => context.NoneAsync(ContainerEndpoints.FilterKeys);

    private static async Task<IResult> RegisterAsync(HttpContext context, ContainerRegistration registration)
    {
        var vault = await context.VaultAsync();
        var name = context.Route("containerName");
        var body = await ArmJson.ReadObjectAsync(context.Request, context.RequestAborted);
        var properties = body.OptionalObject("properties") ?? throw RecoveryServicesErrors.InvalidInput("'properties' is missing.", "properties");
        properties.CheckTexts("friendlyName", "backupManagementType", "operationType", "workloadType", "acquireStorageAccountLock");
        var type = properties.OptionalText("containerType");
        if (!Types.Contains(type, StringComparer.OrdinalIgnoreCase)) throw RecoveryServicesErrors.InvalidType("containerType", type, Types);
        if (!StorageContainers.Type.Equals(type, StringComparison.OrdinalIgnoreCase))
            throw RecoveryServicesErrors.NotSupported($"Containers of type '{type}' are not registered here: this version protects file shares, in storage accounts, and virtual machines, whose containers come with their items.");
        if (properties.OptionalText("backupManagementType") is { Length: > 0 } sent && ItemWords.KindOf(sent) != ItemKind.FileShare)
            throw RecoveryServicesErrors.InvalidInput("'backupManagementType' of a StorageContainer is AzureStorage.", "properties.backupManagementType");
        var source = properties.OptionalText("sourceResourceId");
        if (ItemNames.FromContainer(name) is not { } native || ItemNames.KindOf(native) != ItemKind.FileShare)
            throw RecoveryServicesErrors.InvalidInput("The container's name is not that of a storage account: StorageContainer;Storage;{resource group};{account}.", "containerName");
        // What is registered can be read from then on.
        if (!ResourceId.TryParse(source, out var account)) throw RecoveryServicesErrors.InvalidInput("'sourceResourceId' must be the id of a storage account.", "properties.sourceResourceId");
        context.RequireLinked("Microsoft.Storage/storageAccounts/write", account.ToString());
        return Tracked(vault, native, await registration.RegisterAsync(vault, native, source, context.RequestAborted), hasBody: true);
    }

    private static async Task<IResult> UnregisterAsync(HttpContext context, IItemRepository items, ContainerRegistration registration)
    {
        var vault = await context.VaultAsync();
        if (ItemNames.FromContainer(context.Route("containerName")) is not { } native) return ArmResults.Empty(StatusCodes.Status204NoContent);
        if (ItemNames.KindOf(native) == ItemKind.VirtualMachine)
            return await items.FindAsync(vault.Key, native, context.RequestAborted) is { } item ? throw RecoveryServicesErrors.ContainerInUse(item.FriendlyName) : ArmResults.Empty(StatusCodes.Status204NoContent);
        if (await registration.UnregisterAsync(vault, native, context.RequestAborted) is not { } operation) return ArmResults.Empty(StatusCodes.Status204NoContent);
        // The container's own URLs go with it for clients that look whether it is there.
        return new LongRunning
        {
            AsyncOperationPath = $"{vault.ResourceId}/backupFabrics/Azure/operationsStatus/{operation.Id}",
            AsyncOperationApiVersion = TrackingVersion,
            LocationPath = $"{vault.ResourceId}/backupOperationResults/{operation.Id}",
        };
    }

    private static async Task<IResult> InquireAsync(HttpContext context, IItemRepository items, ContainerRegistration registration)
    {
        var vault = await context.VaultAsync();
        ODataFilter.Parse(context.Request.Query["$filter"]).OnlyKeys("backupManagementType", "workloadType");
        var name = context.Route("containerName");
        var native = ItemNames.FromContainer(name) ?? throw RecoveryServicesErrors.ContainerNotFound(name);
        if (ItemNames.KindOf(native) == ItemKind.FileShare) return Tracked(vault, native, await registration.InquireAsync(vault, native, context.RequestAborted), hasBody: false);
        if (await items.FindAsync(vault.Key, native, context.RequestAborted) is null) throw RecoveryServicesErrors.ContainerNotFound(name);
        throw RecoveryServicesErrors.NotSupported("A virtual machine's container holds the machine alone; there is nothing to inquire about.");
    }

    /// <summary>Workload items are databases: no container here holds one.</summary>
    private static async Task<IResult> ListItemsAsync(HttpContext context, IItemRepository items, IContainerRepository containers)
    {
        var list = await context.NoneAsync("backupManagementType", "workloadItemType", "workloadType", "protectionStatus");
        var name = context.Route("containerName");
        return await ContainerEndpoints.FindAsync(await context.VaultAsync(), name, items, containers, context.RequestAborted) is null ? throw RecoveryServicesErrors.ContainerNotFound(name) : list;
    }

    private static LongRunning Tracked(Vault vault, string native, AsyncOperation operation, bool hasBody) => new()
    {
        AsyncOperationPath = $"{BackupPaths.Container(vault, native)}/operationsStatus/{operation.Id}",
        // The service hands this URL out with a version of its own.
        AsyncOperationApiVersion = TrackingVersion,
        LocationPath = $"{BackupPaths.Container(vault, native)}/operationResults/{operation.Id}",
        Body = hasBody ? new JsonObject() : null,
    };
}
