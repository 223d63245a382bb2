using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Strongroom.Arm;
using Strongroom.Backup.FileRecovery;
using Strongroom.Backup.RecoveryPoints;

namespace Strongroom.Api.RecoveryServices.RecoveryPoints;

/// <summary><c>protectedItems/recoveryPoints</c>: <c>IaasVMRecoveryPoint</c> of bms.json.</summary>
internal static class RecoveryPointEndpoints
{
    public static void MapRecoveryPoints(this IEndpointRouteBuilder routes)
    {
        var vault = routes.MapVault();
        vault.MapGet(VaultRequest.ItemPath + "/recoveryPoints", ListAsync).WithAction("Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems/recoveryPoints/read");
        vault.MapGet(VaultRequest.ItemPath + "/recoveryPoints/{recoveryPointId}", GetAsync).WithAction("Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems/recoveryPoints/read");
    }

    private static async Task<IResult> ListAsync(HttpContext context, PointListing points, FileRecoveryMounts mounts)
    {
        var vault = await context.VaultAsync();
        var filter = ODataFilter.Parse(context.Request.Query["$filter"])
            .OnlyKeys("startDate", "endDate", "restorePointQueryType", "extendedInfo", "moveReadyRPOnly", "includeSoftDeletedRP");
        var (from, to) = (FilterTimes.Read(filter, "startDate"), FilterTimes.Read(filter, "endDate"));
        var isAsked = IsMachineType(filter["restorePointQueryType"]);
        var item = await context.ItemAsync(vault);
        var asked = Paging.Read(context.Request);
        // No point is ready for an archive that does not exist.
        var moveReady = string.Equals(filter["moveReadyRPOnly"], "true", StringComparison.OrdinalIgnoreCase);
        var found = isAsked && !moveReady ? await points.ListAsync(item, from, to, asked.After, asked.Count + 1, context.RequestAborted) : [];
        return ArmResults.Page(context.Request, Paging.Cut(found, p => p.Name, asked), p => RecoveryPointContract.ToJson(vault, item, p, mounts.IsMounted(item.Key, p.Name), ApiVersion.Of(context.Request)));
    }

    /// <summary>Whether machines have points of a type: they have neither logs nor differentials.</summary>
    private static bool IsMachineType(string? type) => type?.ToUpperInvariant() switch
    {
        null or "ALL" or "FULL" or "FULLANDDIFFERENTIAL" or "INCREMENTAL" => true,
        "LOG" or "DIFFERENTIAL" or "SNAPSHOTFULL" or "SNAPSHOTCOPYONLYFULL" => false,
        _ => throw ArmErrors.InvalidQueryParameter("$filter", "'restorePointQueryType' is none of All, Full, Incremental, Differential, FullAndDifferential, Log, SnapshotFull, SnapshotCopyOnlyFull"),
    };

    private static async Task<IResult> GetAsync(HttpContext context, PointListing points, FileRecoveryMounts mounts)
    {
        var vault = await context.VaultAsync();
        var item = await context.ItemAsync(vault);
        var name = context.Route("recoveryPointId");
        var point = await points.FindAsync(item, name, context.RequestAborted) ?? throw RecoveryServicesErrors.RecoveryPointNotFound(name);
        return ArmResults.Ok(RecoveryPointContract.ToJson(vault, item, point, mounts.IsMounted(item.Key, name), ApiVersion.Of(context.Request)));
    }
}
