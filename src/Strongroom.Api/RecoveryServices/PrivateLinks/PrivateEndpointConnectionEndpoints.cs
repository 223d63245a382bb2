using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Strongroom.Arm;

namespace Strongroom.Api.RecoveryServices.PrivateLinks;

/// <summary><c>vaults/privateEndpointConnections</c>: there are no private endpoints, so none is ever connected.</summary>
internal static class PrivateEndpointConnectionEndpoints
{
    private const string Path = "/privateEndpointConnections/{privateEndpointConnectionName}";
    private const string Action = "Microsoft.RecoveryServices/vaults/privateEndpointConnections/";

    public static void MapPrivateEndpointConnections(this IEndpointRouteBuilder routes)
    {
        var vault = routes.MapVault();
        vault.MapGet(Path, (Delegate)GetAsync).WithAction(Action + "read");
        vault.MapPut(Path, (Delegate)RefuseAsync).WithAction(Action + "write");
        vault.MapDelete(Path, (Delegate)DeleteAsync).WithAction(Action + "delete");
        vault.MapGet(Path + "/operationsStatus/{operationId}", (Delegate)NoOperationAsync).WithAction(Action + "operationsStatus/read");
    }

    private static async Task<IResult> GetAsync(HttpContext context)
    {
        var vault = await context.VaultAsync();
        throw RecoveryServicesErrors.ChildNotFound(vault, "privateEndpointConnections", context.Route("privateEndpointConnectionName"));
    }

    private static async Task<IResult> RefuseAsync(HttpContext context)
    {
        await context.VaultAsync();
        var body = await ArmJson.ReadObjectAsync(context.Request, context.RequestAborted);
        body.OptionalObject("properties")?.CheckObjects("privateEndpoint", "privateLinkServiceConnectionState");
        throw RecoveryServicesErrors.NotSupported("Vaults have no private endpoints here: the server is reached where it listens.");
    }

    private static async Task<IResult> DeleteAsync(HttpContext context)
    {
        await context.VaultAsync();
        return ArmResults.Empty(StatusCodes.Status204NoContent);
    }

    private static async Task<IResult> NoOperationAsync(HttpContext context)
    {
        await context.VaultAsync();
        throw RecoveryServicesErrors.OperationNotFound(context.Route("operationId"));
    }
}
