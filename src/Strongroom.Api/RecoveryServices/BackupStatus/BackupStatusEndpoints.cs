using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Strongroom.Arm;
using Strongroom.Backup.Items;
using Strongroom.Backup.Vaults;

namespace Strongroom.Api.RecoveryServices.BackupStatus;

/// <summary><c>locations/backupStatus</c>: whether and where a machine or a share is protected.</summary>
internal static class BackupStatusEndpoints
{
    public static void MapBackupStatus(this IEndpointRouteBuilder routes) =>
        routes.MapPost("/subscriptions/{subscriptionId}/providers/Microsoft.RecoveryServices/locations/{azureRegion}/backupStatus", GetAsync).WithAction("Microsoft.RecoveryServices/locations/backupStatus/action");

    private static async Task<IResult> GetAsync(HttpContext context, IItemRepository items, IVaultRepository vaults, ArmOptions options)
    {
        options.RequireLocation(context.Route("azureRegion"), "Microsoft.RecoveryServices/locations/backupStatus");
        var body = await ArmJson.ReadObjectAsync(context.Request, context.RequestAborted);
        var type = body.OptionalText("resourceType");
        if ((type is null ? null : ItemWords.KindOfWorkload(type)) is not { } kind)
            throw RecoveryServicesErrors.InvalidType("resourceType", type, [.. Enum.GetValues<ItemKind>().Select(ItemWords.WorkloadType)]);
        body.CheckTexts("poLogicalName");
        var id = body.RequiredText("resourceId");
        if (!ResourceId.TryParse(id, out var resource)) throw ArmErrors.InvalidResourceId(id, "resourceId");
        // A share is named by its account and, as the logical name, its own.
        var source = kind == ItemKind.FileShare ? $"{resource}/fileServices/default/shares/{body.RequiredText("poLogicalName")}" : id;
        var item = await items.FindBySourceAsync(source, context.RequestAborted);
        var vault = item is null ? null : await vaults.FindAsync(item.VaultKey, context.RequestAborted);
        return ArmResults.Ok(item is null || vault is null ? new JsonObject { ["protectionStatus"] = "NotProtected" } : ToJson(item, vault));
    }

    private static JsonObject ToJson(ProtectedItem item, Vault vault) => new()
    {
        ["protectionStatus"] = "Protected",
        ["vaultId"] = vault.ResourceId,
        ["fabricName"] = "Azure",
        // This operation alone spells the names in lower case.
        ["containerName"] = ItemNames.Container(item.NativeName).ToLowerInvariant(),
        ["protectedItemName"] = ItemNames.Item(item.NativeName).ToLowerInvariant(),
        ["policyName"] = item.PolicyName,
        ["registrationStatus"] = "Registered",
    };
}
