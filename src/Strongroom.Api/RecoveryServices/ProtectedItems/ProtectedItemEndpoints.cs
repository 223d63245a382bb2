using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Strongroom.Api.RecoveryServices.ResourceGuardProxies;
using Strongroom.Arm;
using Strongroom.Backup.Items;
using Strongroom.Backup.RecoveryPoints;
using Strongroom.Backup.Vaults;

namespace Strongroom.Api.RecoveryServices.ProtectedItems;

/// <summary><c>vaults/backupFabrics/protectionContainers/protectedItems</c> and their list.</summary>
internal static class ProtectedItemEndpoints
{
    public static void MapProtectedItems(this IEndpointRouteBuilder routes)
    {
        var vault = routes.MapVault();
        vault.MapGet("/backupProtectedItems", ListAsync).WithAction("Microsoft.RecoveryServices/vaults/backupProtectedItems/read");
        vault.MapGet(VaultRequest.ItemPath, GetAsync).WithAction("Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems/read");
        vault.MapPut(VaultRequest.ItemPath, PutAsync).WithAction("Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems/write");
        vault.MapDelete(VaultRequest.ItemPath, DeleteAsync).WithAction("Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems/delete");
    }

    private static async Task<IResult> ListAsync(HttpContext context, IItemRepository items, TimeProvider time)
    {
        var vault = await context.VaultAsync();
        var filter = ODataFilter.Parse(context.Request.Query["$filter"]).OnlyKeys(
            "healthState", "backupManagementType", "itemType", "policyName", "containerName", "backupEngineName", "friendlyName", "fabricName", "backupSetName", "workloadType");
        var asked = Paging.Read(context.Request);
        var found = Query(filter) is { } query ? await items.ListAsync(vault.Key, query, asked.After, asked.Count + 1, context.RequestAborted) : [];
        var now = time.GetUtcNow();
        return ArmResults.Page(context.Request, Paging.Cut(found, i => i.NativeName, asked), i => ProtectedItemContract.ToJson(context.Request, vault, i, now));
    }

    /// <summary>What a filter asks for; null: nothing can match.</summary>
    private static ItemQuery? Query(ODataFilter filter)
    {
        if (!filter.Allows("fabricName", "Azure") || !filter.Allows("backupEngineName", null) || !filter.Allows("backupSetName", null)) return null;
        var kinds = Enum.GetValues<ItemKind>().Where(kind => filter.Allows("backupManagementType", ItemWords.ManagementType(kind))
            && filter.Allows("itemType", ItemWords.WorkloadType(kind)) && filter.Allows("workloadType", ItemWords.WorkloadType(kind))).ToList();
        if (kinds.Count == 0) return null;
        bool? isFailing = filter["healthState"]?.ToUpperInvariant() switch { null => null, "PASSED" => false, "ACTIONREQUIRED" => true, _ => null };
        // Other states exist in the contract, and no item is ever in one of them.
        if (filter["healthState"] is not null && isFailing is null) return null;
        var container = filter["containerName"];
        var native = container is null ? null : ItemNames.FromContainer(container) ?? container;
        return new() { PolicyName = filter["policyName"], FriendlyName = filter["friendlyName"], Container = native, IsFailing = isFailing, Kind = kinds is [var kind] ? kind : null };
    }

    private static async Task<IResult> GetAsync(HttpContext context, PointListing points, TimeProvider time)
    {
        var vault = await context.VaultAsync();
        var filter = ODataFilter.Parse(context.Request.Query["$filter"]).OnlyKeys("expand");
        var item = await context.ItemAsync(vault);
        var isExtended = string.Equals(filter["expand"], "extendedinfo", StringComparison.OrdinalIgnoreCase);
        return ArmResults.Ok(ProtectedItemContract.ToJson(
            context.Request, vault, item, time.GetUtcNow(), isExtended ? await points.SummarizeAsync(item, context.RequestAborted) : null));
    }

    private static async Task<IResult> PutAsync(HttpContext context, ItemProtection protection, IItemRepository items)
    {
        var vault = await context.VaultAsync();
        var native = context.NativeName();
        var body = await ArmJson.ReadObjectAsync(context.Request, context.RequestAborted);
        var request = ProtectedItemContract.FromJson(body, vault, native) with
        {
            Condition = context.Request.Headers.IfMatch,
            Pass = await context.GuardPassAsync(vault, body.OptionalObject("properties")),
        };
        await RequireSourceAsync(context, vault, request, items);
        var operation = await protection.PutAsync(vault, request, context.RequestAborted);
        // Always 202, even with nothing to do: clients read the operation from the headers.
        return ItemOperation.Accepted(vault, native, operation);
    }

    /// <summary>Whoever puts a machine or a share under protection can read what is in it from then on; changing what is protected needs the vault alone.</summary>
    public static async Task RequireSourceAsync(HttpContext context, Vault vault, ProtectionRequest request, IItemRepository items)
    {
        if (string.IsNullOrEmpty(request.SourceResourceId) || await items.FindAsync(vault.Key, request.NativeName, context.RequestAborted) is not null) return;
        // What is not read here must not be read by anybody behind here.
        if (!ResourceId.TryParse(request.SourceResourceId, out var source)) throw RecoveryServicesErrors.InvalidConfigureProtection("'sourceResourceId' is not the id of a resource.");
        var action = ItemNames.KindOf(request.NativeName) == ItemKind.FileShare ? "Microsoft.Storage/storageAccounts/write" : "Microsoft.Compute/virtualMachines/write";
        context.RequireLinked(action, source.ToString());
    }

    private static async Task<IResult> DeleteAsync(HttpContext context, ItemProtection protection)
    {
        var vault = await context.VaultAsync();
        var native = context.NativeName();
        var operation = await protection.DeleteAsync(vault, native, context.Request.Headers.IfMatch, await context.GuardPassAsync(vault), context.RequestAborted);
        if (operation is null) return ArmResults.Empty(StatusCodes.Status204NoContent);
        // A deletion is tracked at the vault: the item's own URLs may be gone before it is over.
        return new LongRunning
        {
            AsyncOperationPath = $"{vault.ResourceId}/backupOperations/{operation.Id}",
            LocationPath = $"{vault.ResourceId}/backupOperationResults/{operation.Id}",
        };
    }
}
