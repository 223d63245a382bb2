using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Strongroom.Api.FileBrowsing;
using Strongroom.Api.RecoveryServices;
using Strongroom.Api.RecoveryServices.ProtectedItems;
using Strongroom.Api.RecoveryServices.ResourceGuardProxies;
using Strongroom.Api.RecoveryServices.Restores;
using Strongroom.Arm;
using Strongroom.Backup.Items;
using Strongroom.Backup.Jobs;
using Strongroom.Backup.Pipelines.Restores;
using Strongroom.Backup.ResourceGuards;
using Strongroom.Backup.Vaults;

namespace Strongroom.Api.InstantBoot;

/// <summary>
/// <c>instantBoot</c> of a recovery point, in <c>Strongroom.RecoveryServices</c>, our own: a machine that runs from the vault while its data are brought over (docs/libvirt-hosts.md). Its job and
/// its operation are those of a restore.
/// </summary>
public static class InstantBootEndpoints
{
    public static void MapInstantBoot(this IEndpointRouteBuilder routes)
    {
        var point = routes.MapGroup(FileEndpoints.Point);
        point.AddEndpointFilter(VaultRequest.RefuseAsync);
        // Whoever may restore the point may boot from it.
        point.MapPost("/instantBoot", TriggerAsync).WithAction(RestoreEndpoints.RestoreAction, FileEndpoints.PathOfRoles);
    }

    private static async Task<IResult> TriggerAsync(HttpContext context, JobAdmission admission, IItemRepository items)
    {
        Vault vault = await context.VaultAsync();
        string native = context.NativeName();
        string point = context.Route("recoveryPointId");
        System.Text.Json.Nodes.JsonObject body = await ArmJson.ReadObjectAsync(context.Request, context.RequestAborted);
        RestoreRequest request = RestoreContract.ReadInstantBoot(body, point);
        await RestoreEndpoints.RequireTargetsAsync(context, vault, native, request, items);
        (await context.GuardPassAsync(vault, body.OptionalObject("properties"))).Require(vault, CriticalOperation.Restore, native);
        return ItemOperation.Accepted(vault, native, await admission.RestoreAsync(vault, native, point, request, context.RequestAborted));
    }
}
