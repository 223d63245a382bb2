using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Strongroom.Arm;

namespace Strongroom.Api.RecoveryServices.Engines;

/// <summary><c>vaults/backupEngines</c>: the backup servers of other makers' products that report to a vault. None can.</summary>
internal static class BackupEngineEndpoints
{
    private const string Action = "Microsoft.RecoveryServices/vaults/backupEngines/read";

    public static void MapBackupEngines(this IEndpointRouteBuilder routes)
    {
        var vault = routes.MapVault();
        vault.MapGet("/backupEngines", (Delegate)ListAsync).WithAction(Action);
        vault.MapGet("/backupEngines/{backupEngineName}", (Delegate)GetAsync).WithAction(Action);
    }

    private static Task<IResult> ListAsync(HttpContext context) => context.NoneAsync("backupManagementType", "friendlyName", "expand");

    private static async Task<IResult> GetAsync(HttpContext context)
    {
        var vault = await context.VaultAsync();
        ODataFilter.Parse(context.Request.Query["$filter"]).OnlyKeys("backupManagementType", "friendlyName", "expand");
        throw RecoveryServicesErrors.ChildNotFound(vault, "backupEngines", context.Route("backupEngineName"));
    }
}
