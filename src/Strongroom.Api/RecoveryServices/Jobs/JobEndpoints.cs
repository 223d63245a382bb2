using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
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
        var query = JobFilter.Read(context.Request);
        var asked = Paging.Read(context.Request);
        var after = asked.After is { } token ? JobFilter.Position(token) : null;
        var jobs = query is null ? [] : await ledger.ListAsync(vault.Key, query, after, asked.Count + 1, context.RequestAborted);
        var now = time.GetUtcNow();
        return ArmResults.Page(context.Request, Paging.Cut(jobs, JobFilter.Token, asked), j => JobContract.ToJson(vault, j, now, isDetail: false));
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
