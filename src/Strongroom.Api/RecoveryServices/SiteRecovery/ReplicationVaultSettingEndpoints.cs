using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Strongroom.Arm;

namespace Strongroom.Api.RecoveryServices.SiteRecovery;

/// <summary>
/// <c>replicationVaultSettings/default</c> of Site Recovery, which Terraform reads with every vault. Nothing is replicated, so nothing is set; a
/// <c>vmwareToAzureProviderType</c> would make Terraform take the vault for one that replicates.
/// </summary>
internal static class ReplicationVaultSettingEndpoints
{
    public static void MapReplicationVaultSettings(this IEndpointRouteBuilder routes) =>
        routes.MapVault().MapGet("/replicationVaultSettings/{vaultSettingName}", (Delegate)GetAsync).WithAction("Microsoft.RecoveryServices/vaults/replicationVaultSettings/read");

    private static async Task<IResult> GetAsync(HttpContext context)
    {
        var vault = await context.VaultAsync();
        var name = context.Route("vaultSettingName");
        if (!name.Equals("default", StringComparison.OrdinalIgnoreCase)) throw RecoveryServicesErrors.ChildNotFound(vault, "replicationVaultSettings", name);
        return ArmResults.Ok(new JsonObject
        {
            ["id"] = vault.ResourceId + "/replicationVaultSettings/default",
            ["name"] = "default",
            ["type"] = BackupPaths.VaultType + "/replicationVaultSettings",
            ["properties"] = new JsonObject(),
        });
    }
}
