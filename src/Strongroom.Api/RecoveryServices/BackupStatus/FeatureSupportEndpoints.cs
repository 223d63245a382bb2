using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Strongroom.Arm;
using Strongroom.Backup.Items;
using Strongroom.Backup.Vaults;

namespace Strongroom.Api.RecoveryServices.BackupStatus;

/// <summary>What portals ask before they offer to protect a machine: <c>backupValidateFeatures</c> and <c>backupPreValidateProtection</c>.</summary>
internal static class FeatureSupportEndpoints
{
    private const string Path = "/subscriptions/{subscriptionId}/providers/Microsoft.RecoveryServices/locations/{azureRegion}";

    public static void MapFeatureSupport(this IEndpointRouteBuilder routes)
    {
        routes.MapPost(Path + "/backupValidateFeatures", ValidateFeatureAsync).WithAction("Microsoft.RecoveryServices/locations/backupValidateFeatures/action");
        routes.MapPost(Path + "/backupPreValidateProtection", PreValidateAsync).WithAction("Microsoft.RecoveryServices/locations/backupPreValidateProtection/action");
    }

    /// <summary>Machines of every size can be protected; plans of other products cannot be made here.</summary>
    private static async Task<IResult> ValidateFeatureAsync(HttpContext context, ArmOptions options)
    {
        options.RequireLocation(context.Route("azureRegion"), "Microsoft.RecoveryServices/locations/backupValidateFeatures");
        var body = await ArmJson.ReadObjectAsync(context.Request, context.RequestAborted);
        body.CheckTexts("vmSize", "vmSku");
        var type = body.OptionalText("featureType");
        return ArmResults.Ok(new JsonObject
        {
            ["supportStatus"] = type?.ToUpperInvariant() switch
            {
                "AZUREVMRESOURCEBACKUP" => "Supported",
                "AZUREBACKUPGOALS" => "NotSupported",
                _ => throw RecoveryServicesErrors.InvalidType("featureType", type, "AzureVMResourceBackup", "AzureBackupGoals"),
            },
        });
    }

    private static async Task<IResult> PreValidateAsync(HttpContext context, ProtectionPrecheck precheck, IVaultRepository vaults, ArmOptions options)
    {
        options.RequireLocation(context.Route("azureRegion"), "Microsoft.RecoveryServices/locations/backupPreValidateProtection");
        var body = await ArmJson.ReadObjectAsync(context.Request, context.RequestAborted);
        var type = body.OptionalText("resourceType");
        if (!string.Equals(type, "VM", StringComparison.OrdinalIgnoreCase)) throw RecoveryServicesErrors.InvalidType("resourceType", type, "VM");
        body.CheckTexts("properties");
        var source = body.RequiredText("resourceId");
        if (!ResourceId.TryParse(source, out _)) throw ArmErrors.InvalidResourceId(source, "resourceId");
        var vault = body.OptionalText("vaultId") is { Length: > 0 } id ? await VaultAsync(context, vaults, id) : null;
        var obstacle = await precheck.FindObstacleAsync(source, vault, context.RequestAborted);
        var answer = new JsonObject { ["status"] = obstacle is null ? "Succeeded" : "Failed" };
        if (obstacle is not null)
        {
            answer["errorCode"] = obstacle.Code;
            answer["errorMessage"] = obstacle.Message;
            answer["recommendation"] = obstacle.Recommendation;
        }

        if (obstacle?.NativeName is { } native)
        {
            // In lower case, as in the status of backups.
            answer["containerName"] = ItemNames.Container(native).ToLowerInvariant();
            answer["protectedItemName"] = ItemNames.Item(native).ToLowerInvariant();
        }

        return ArmResults.Ok(answer);
    }

    private static async Task<Vault> VaultAsync(HttpContext context, IVaultRepository vaults, string id)
    {
        if (!ResourceId.TryParse(id, out var parsed) || !parsed.IsOfType(BackupPaths.VaultType) || parsed is not { SubscriptionId: { } subscription, ResourceGroup: { } group })
            throw ArmErrors.InvalidResourceId(id, "vaultId");
        context.RequireLinked("Microsoft.RecoveryServices/vaults/read", parsed.ToString());
        return await vaults.FindAsync(subscription, group, parsed.Name, context.RequestAborted) ?? throw ArmErrors.ResourceNotFound(parsed);
    }
}
