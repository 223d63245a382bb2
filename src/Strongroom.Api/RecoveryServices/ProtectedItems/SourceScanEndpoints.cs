using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Strongroom.Arm;

namespace Strongroom.Api.RecoveryServices.ProtectedItems;

/// <summary><c>protectedItems/configureSourceScan</c> (2026-07-01): nothing here looks for malware in a machine, so the scan is refused and not pretended.</summary>
internal static class SourceScanEndpoints
{
    public static void MapSourceScans(this IEndpointRouteBuilder routes) => routes.MapVault()
        .MapPost(VaultRequest.ItemPath + "/configureSourceScan", (Delegate)RefuseAsync)
        .WithAction("Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems/configureSourceScan/action");

    private static async Task<IResult> RefuseAsync(HttpContext context)
    {
        var vault = await context.VaultAsync();
        await ArmJson.ReadOptionalObjectAsync(context.Request, context.RequestAborted);
        await context.ItemAsync(vault);
        throw RecoveryServicesErrors.NotSupported("This installation does not scan machines for malware.");
    }
}
