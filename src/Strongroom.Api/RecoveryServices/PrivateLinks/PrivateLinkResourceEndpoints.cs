using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Strongroom.Arm;

namespace Strongroom.Api.RecoveryServices.PrivateLinks;

/// <summary>What of a vault a private endpoint could lead to: nothing, the server is reached where it listens.</summary>
internal static class PrivateLinkResourceEndpoints
{
    public static void MapPrivateLinkResources(this IEndpointRouteBuilder routes)
    {
        var vault = routes.MapVault();
        vault.MapGet("/privateLinkResources", (Delegate)ListAsync).WithAction("Microsoft.RecoveryServices/vaults/privateLinkResources/read");
        vault.MapGet("/privateLinkResources/{privateLinkResourceName}", (Delegate)GetAsync).WithAction("Microsoft.RecoveryServices/vaults/privateLinkResources/read");
    }

    private static async Task<IResult> ListAsync(HttpContext context)
    {
        await context.VaultAsync();
        return ArmResults.List([]);
    }

    private static async Task<IResult> GetAsync(HttpContext context)
    {
        var vault = await context.VaultAsync();
        throw RecoveryServicesErrors.ChildNotFound(vault, "privateLinkResources", context.Route("privateLinkResourceName"));
    }
}
