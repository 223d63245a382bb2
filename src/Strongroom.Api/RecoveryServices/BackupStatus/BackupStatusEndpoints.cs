using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Strongroom.Arm;
using Strongroom.Backup.Items;
using Strongroom.Backup.Vaults;

namespace Strongroom.Api.RecoveryServices.BackupStatus;

/// <summary><c>locations/backupStatus</c>: whether and where a machine is protected.</summary>
internal static class BackupStatusEndpoints
{
    public static void MapBackupStatus(this IEndpointRouteBuilder routes) =>
        routes.MapPost("/subscriptions/{subscriptionId}/providers/Microsoft.RecoveryServices/locations/{azureRegion}/backupStatus", GetAsync).WithAction("Microsoft.RecoveryServices/locations/backupStatus/action");

    private static async Task<IResult> GetAsync(HttpContext context, IItemRepository items, IVaultRepository vaults, ArmOptions options)
    {
        options.RequireLocation(context.Route("azureRegion"), "Microsoft.RecoveryServices/locations/backupStatus");
        var body = await ArmJson.ReadObjectAsync(context.Request, context.RequestAborted);
        var type = body.OptionalText("resourceType");
        if (!string.Equals(type, "VM", StringComparison.OrdinalIgnoreCase)) throw RecoveryServicesErrors.InvalidType("resourceType", type, "VM");
        body.CheckTexts("poLogicalName");
        var id = body.RequiredText("resourceId");
        if (!ResourceId.TryParse(id, out _)) throw ArmErrors.InvalidResourceId(id, "resourceId");
        var item = await items.FindBySourceAsync(id, context.RequestAborted);
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
