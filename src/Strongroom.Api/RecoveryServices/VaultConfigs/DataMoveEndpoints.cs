using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Strongroom.Arm;

namespace Strongroom.Api.RecoveryServices.VaultConfigs;

/// <summary>
/// Moves of a vault's data to a vault in another region. There are no other regions here, so a move is never begun and there is no operation to look at;
/// <c>strongroom store copy</c> is how a vault gets to another place.
/// </summary>
internal static class DataMoveEndpoints
{
    private const string Path = "/backupstorageconfig/vaultstorageconfig";

    public static void MapDataMoves(this IEndpointRouteBuilder routes)
    {
        var vault = routes.MapVault();
        vault.MapPost(Path + "/prepareDataMove", (Delegate)((HttpContext context) => RefuseAsync(context, "targetResourceId", "targetRegion"))).WithAction("Microsoft.RecoveryServices/vaults/backupstorageconfig/prepareDataMove/action");
        vault.MapPost(Path + "/triggerDataMove", (Delegate)((HttpContext context) => RefuseAsync(context, "sourceResourceId", "sourceRegion", "correlationId"))).WithAction("Microsoft.RecoveryServices/vaults/backupstorageconfig/triggerDataMove/action");
        vault.MapGet(Path + "/operationStatus/{operationId}", (Delegate)NoOperationAsync).WithAction("Microsoft.RecoveryServices/vaults/backupstorageconfig/read");
        vault.MapGet(Path + "/operationResults/{operationId}", (Delegate)NoOperationAsync).WithAction("Microsoft.RecoveryServices/vaults/backupstorageconfig/read");
    }

    private static async Task<IResult> RefuseAsync(HttpContext context, params string[] required)
    {
        await context.VaultAsync();
        var body = await ArmJson.ReadObjectAsync(context.Request, context.RequestAborted);
        foreach (var name in required) body.RequiredText(name);
        if (!ResourceId.TryParse(body.RequiredText(required[0]), out _)) throw ArmErrors.InvalidResourceId(body.OptionalText(required[0]), required[0]);
        var level = body.RequiredText("dataMoveLevel");
        if (level.ToUpperInvariant() is not ("VAULT" or "CONTAINER")) throw RecoveryServicesErrors.InvalidInput("dataMoveLevel is one of Vault, Container.", "dataMoveLevel");
        body.CheckArrays("sourceContainerArmIds");
        body.CheckFlags("ignoreMoved", "pauseGC");
        throw RecoveryServicesErrors.NotSupported("The data of a vault cannot be moved to another region: this installation has no other regions. 'strongroom store copy' copies a vault to another place.");
    }

    private static async Task<IResult> NoOperationAsync(HttpContext context)
    {
        await context.VaultAsync();
        throw RecoveryServicesErrors.OperationNotFound(context.Route("operationId"));
    }
}
