using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Strongroom.Api.RecoveryServices.ProtectedItems;
using Strongroom.Api.RecoveryServices.ResourceGuardProxies;
using Strongroom.Arm;
using Strongroom.Backup.Items;
using Strongroom.Backup.Vaults;

namespace Strongroom.Api.RecoveryServices.ProtectionIntents;

/// <summary><c>backupProtectionIntent</c> and their list: <c>AzureResourceProtectionIntent</c> of bms.json. Intents for databases are refused.</summary>
internal static class ProtectionIntentEndpoints
{
    private const string Path = "/backupFabrics/{fabricName}/backupProtectionIntent/{intentObjectName}";
    private const string Action = "Microsoft.RecoveryServices/vaults/backupFabrics/backupProtectionIntent/";
    private const string Type = "AzureResourceItem";

    private static readonly string[] OtherTypes =
        ["RecoveryServiceVaultItem", "AzureWorkloadContainerAutoProtectionIntent", "AzureWorkloadAutoProtectionIntent", "AzureWorkloadSQLAutoProtectionIntent"];

    public static void MapProtectionIntents(this IEndpointRouteBuilder routes)
    {
        var vault = routes.MapVault();
        vault.MapGet("/backupProtectionIntents", ListAsync).WithAction("Microsoft.RecoveryServices/vaults/backupProtectionIntents/read");
        vault.MapGet(Path, GetAsync).WithAction(Action + "read");
        vault.MapPut(Path, PutAsync).WithAction(Action + "write");
        vault.MapDelete(Path, DeleteAsync).WithAction(Action + "delete");
    }

    private static async Task<IResult> ListAsync(HttpContext context, IItemRepository items)
    {
        var vault = await context.VaultAsync();
        var filter = ODataFilter.Parse(context.Request.Query["$filter"]).OnlyKeys("backupManagementType", "itemType", "parentName", "itemName");
        var chosen = (await items.ListAsync(vault.Key, context.RequestAborted)).Where(i => i.HasIntent
            && filter.Allows("backupManagementType", "AzureIaasVM") && filter.Allows("itemType", "VM") && filter.Allows("parentName", null)
            && (filter.Allows("itemName", i.FriendlyName) || filter.Allows("itemName", ItemNames.Item(i.NativeName))));
        return ArmResults.Page(context.Request, Paging.Take(chosen, i => i.NativeName, Paging.Read(context.Request)), i => ToJson(vault, i));
    }

    private static async Task<IResult> GetAsync(HttpContext context, ProtectionIntentions intentions)
    {
        var vault = await context.VaultAsync();
        var name = context.Route("intentObjectName");
        var item = ItemNames.FromItem(name) is { } native ? await intentions.FindAsync(vault, native, context.RequestAborted) : null;
        return item is null ? throw RecoveryServicesErrors.ChildNotFound(vault, "backupProtectionIntent", name) : ArmResults.Ok(ToJson(vault, item));
    }

    private static async Task<IResult> PutAsync(HttpContext context, ProtectionIntentions intentions, IItemRepository items)
    {
        var vault = await context.VaultAsync();
        var body = await ArmJson.ReadObjectAsync(context.Request, context.RequestAborted);
        var properties = body.OptionalObject("properties") ?? throw RecoveryServicesErrors.InvalidConfigureProtection("'properties' is missing.");
        RequireType(properties.OptionalText("protectionIntentItemType"));
        properties.CheckTexts("backupManagementType", "itemId", "protectionState", "friendlyName");
        var native = ItemNames.FromItem(context.Route("intentObjectName"))
            ?? throw RecoveryServicesErrors.InvalidConfigureProtection("An intent for a virtual machine is named 'vm;iaasvmcontainerv2;GROUP;MACHINE'.");
        var request = new ProtectionRequest(
            native, properties.RequiredText("sourceResourceId"), ProtectedItemContract.PolicyName(properties.RequiredText("policyId"), vault), null, false, null)
        {
            Pass = await context.GuardPassAsync(vault, properties),
        };
        await ProtectedItemEndpoints.RequireSourceAsync(context, vault, request, items);
        return ArmResults.Ok(ToJson(vault, await intentions.PutAsync(vault, request, context.RequestAborted)));
    }

    private static async Task<IResult> DeleteAsync(HttpContext context, ProtectionIntentions intentions)
    {
        var vault = await context.VaultAsync();
        if (ItemNames.FromItem(context.Route("intentObjectName")) is { } native) await intentions.RemoveAsync(vault, native, context.RequestAborted);
        return ArmResults.Empty(StatusCodes.Status204NoContent);
    }

    private static void RequireType(string? type)
    {
        if (OtherTypes.Contains(type, StringComparer.OrdinalIgnoreCase))
            throw RecoveryServicesErrors.NotSupported($"Intents of type '{type}' are not kept: this version protects virtual machines.");
        if (!Type.Equals(type, StringComparison.OrdinalIgnoreCase)) throw RecoveryServicesErrors.InvalidType("protectionIntentItemType", type, Type);
    }

    private static JsonObject ToJson(Vault vault, ProtectedItem item)
    {
        var name = ItemNames.Item(item.NativeName).ToLowerInvariant();
        var properties = new JsonObject
        {
            ["protectionIntentItemType"] = Type,
            ["backupManagementType"] = "AzureIaasVM",
            ["sourceResourceId"] = item.SourceResourceId,
            ["itemId"] = BackupPaths.Item(vault, item.NativeName),
            ["friendlyName"] = item.FriendlyName,
            ["protectionState"] = item.PolicyName.Length == 0 ? "NotProtected" : "Protected",
        };
        if (item.PolicyName.Length > 0) properties["policyId"] = BackupPaths.Policy(vault, item.PolicyName);
        return new()
        {
            ["id"] = $"{vault.ResourceId}/backupFabrics/Azure/backupProtectionIntent/{name}",
            ["name"] = name,
            ["type"] = BackupPaths.VaultType + "/backupProtectionIntent",
            ["properties"] = properties,
        };
    }
}
