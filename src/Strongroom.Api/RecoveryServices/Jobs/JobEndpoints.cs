using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Strongroom.Api.RecoveryServices.RecoveryPoints;
using Strongroom.Arm;
using Strongroom.Backup.Jobs;

namespace Strongroom.Api.RecoveryServices.Jobs;

/// <summary><c>vaults/backupJobs</c>.</summary>
internal static class JobEndpoints
{
    public static void MapJobs(this IEndpointRouteBuilder routes)
    {
        var vault = routes.MapVault();
        vault.MapGet("/backupJobs", ListAsync).WithAction("Microsoft.RecoveryServices/vaults/backupJobs/read");
        vault.MapGet("/backupJobs/{jobName}", GetAsync).WithAction("Microsoft.RecoveryServices/vaults/backupJobs/read");
        vault.MapPost("/backupJobs/{jobName}/cancel", CancelAsync).WithAction("Microsoft.RecoveryServices/vaults/backupJobs/cancel/action");
    }

    private static async Task<IResult> ListAsync(HttpContext context, IJobLedger ledger, TimeProvider time)
    {
        var vault = await context.VaultAsync();
        var filter = ODataFilter.Parse(context.Request.Query["$filter"]).OnlyKeys("status", "backupManagementType", "operation", "jobId", "startTime", "endTime");
        var (from, to) = (RecoveryPointEndpoints.Time(filter, "startTime"), RecoveryPointEndpoints.Time(filter, "endTime"));
        var all = await ledger.ListAsync(vault.Key, context.RequestAborted);
        var now = time.GetUtcNow();
        // A range is written with eq at both ends: jobs that started in it.
        var chosen = all.Where(j => filter.Allows("backupManagementType", "AzureIaasVM") && filter.Allows("status", j.State) && filter.Allows("operation", j.Operation)
            && filter.Allows("jobId", j.Id.ToString()) && (from is null || j.StartedAt >= from) && (to is null || j.StartedAt <= to));
        // Newest first: the key falls as time grows.
        var page = Paging.Take(chosen, j => $"{long.MaxValue - j.StartedAt.UtcTicks:D19}{j.Id}", Paging.Read(context.Request));
        return ArmResults.Page(context.Request, page, j => JobContract.ToJson(vault, j, now, isDetail: false));
    }

    private static async Task<IResult> GetAsync(HttpContext context, IJobLedger ledger, TimeProvider time)
    {
        var vault = await context.VaultAsync();
        var name = context.Route("jobName");
        var job = Guid.TryParseExact(name, "D", out var id) ? await ledger.FindAsync(vault.Key, id, context.RequestAborted) : null;
        return job is null ? throw RecoveryServicesErrors.JobNotFound(name) : ArmResults.Ok(JobContract.ToJson(vault, job, time.GetUtcNow(), isDetail: true));
    }

    private static async Task<IResult> CancelAsync(HttpContext context, JobAdmission admission)
    {
        var vault = await context.VaultAsync();
        var name = context.Route("jobName");
        if (!Guid.TryParseExact(name, "D", out var id)) throw RecoveryServicesErrors.JobNotFound(name);
        var operation = await admission.CancelAsync(vault, id, context.RequestAborted);
        var job = BackupPaths.Job(vault, id);
        return new LongRunning
        {
            AsyncOperationPath = $"{job}/operationsStatus/{operation.Id}",
            AsyncOperationApiVersion = "2019-05-13-preview",
            LocationPath = $"{job}/operationResults/{operation.Id}",
        };
    }
}
