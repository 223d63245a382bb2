using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Strongroom.Arm;
using Strongroom.Backup.Jobs;
using Strongroom.Backup.Operations;
using Strongroom.Backup.Vaults;

namespace Strongroom.Api.RecoveryServices.Jobs;

/// <summary>
/// <c>vaults/backupJobsExport</c>: the jobs of a vault as a file, in JSON and as a table. The result has the URLs, and a key to be appended to them: whoever has it
/// may read the file for an hour, without signing in, as with a signed URL of Azure Storage.
/// </summary>
internal static class JobExportEndpoints
{
    private const string DownloadPath = "/exports/{vaultKey}/{operationId}/{file}";

    public static void MapJobExports(this IEndpointRouteBuilder routes)
    {
        var vault = routes.MapVault();
        vault.MapPost("/backupJobsExport", TriggerAsync).WithAction("Microsoft.RecoveryServices/vaults/backupJobsExport/action");
        vault.MapGet("/backupJobs/operationResults/{operationId}", ResultAsync).WithAction("Microsoft.RecoveryServices/vaults/backupJobs/operationResults/read");
        routes.MapGet(DownloadPath, DownloadAsync).AllowAnonymous().WithOpenAction("Microsoft.RecoveryServices/vaults/backupJobs/read");
    }

    private static async Task<IResult> TriggerAsync(HttpContext context, IOperationRepository operations, TimeProvider time)
    {
        var vault = await context.VaultAsync();
        var now = time.GetUtcNow();
        var query = JobFilter.Read(context.Request) ?? new JobQuery { JobId = Guid.Empty };
        // What starts later is not in the file, whenever it is read.
        if (query.Until is null || query.Until > now) query = query with { Until = now };
        var secret = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));
        var operation = new AsyncOperation { Id = Guid.NewGuid(), VaultKey = vault.Key, Export = new(secret, query), StartedAt = now };
        await operations.AddAsync(operation, context.RequestAborted);
        return new LongRunning { LocationPath = $"{vault.ResourceId}/backupJobs/operationResults/{operation.Id}" };
    }

    private static async Task<IResult> ResultAsync(HttpContext context, IOperationRepository operations)
    {
        var vault = await context.VaultAsync();
        var id = context.Route("operationId");
        if (await FindAsync(vault.Key, id, operations, context.RequestAborted) is not { Export: { } export } operation) throw RecoveryServicesErrors.OperationNotFound(id);
        var expiry = Uri.EscapeDataString((operation.StartedAt + JobExport.ValidFor).UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture));
        var key = $"?se={expiry}&sp=r&sig={export.Secret}";
        string Url(string file) => PublicUrl.For(context.Request, $"/exports/{vault.Key}/{operation.Id}/{file}");
        return ArmResults.Ok(new JsonObject
        {
            ["statusCode"] = "OK",
            ["headers"] = new JsonObject(),
            ["operation"] = new JsonObject
            {
                ["objectType"] = "ExportJobsOperationResultInfo",
                ["blobUrl"] = Url("jobs.json"),
                ["blobSasKey"] = key,
                ["excelFileBlobUrl"] = Url("jobs.csv"),
                ["excelFileBlobSasKey"] = key,
            },
        });
    }

    private static async Task<IResult> DownloadAsync(
        HttpContext context, string vaultKey, string operationId, string file, IOperationRepository operations, IVaultRepository vaults, IJobLedger ledger, TimeProvider time)
    {
        var operation = Guid.TryParseExact(vaultKey, "D", out var key) ? await FindAsync(key, operationId, operations, context.RequestAborted) : null;
        var signature = Encoding.UTF8.GetBytes(context.Request.Query["sig"].ToString());
        if (operation?.Export is not { } export || !CryptographicOperations.FixedTimeEquals(signature, Encoding.UTF8.GetBytes(export.Secret))
            || time.GetUtcNow() >= operation.StartedAt + JobExport.ValidFor || await vaults.FindAsync(key, context.RequestAborted) is not { } vault)
            throw ArmErrors.Custom(403, "AuthenticationFailed", "The URL is not one that was given out, or its time is over. Export the jobs again.");
        IJobFile content = file switch
        {
            "jobs.json" => new JsonJobFile(vault, time.GetUtcNow()),
            "jobs.csv" => new CsvJobFile(),
            _ => throw ArmErrors.Custom(404, "BlobNotFound", "The specified blob does not exist."),
        };
        return Results.Stream(body => WriteAsync(content, body, vault.Key, export.Query, ledger, context.RequestAborted), content.ContentType, file);
    }

    private static async Task WriteAsync(IJobFile file, Stream body, Guid vaultKey, JobQuery query, IJobLedger ledger, CancellationToken cancellationToken)
    {
        await using var writer = new StreamWriter(body, new UTF8Encoding(false), leaveOpen: true) { NewLine = "\r\n" };
        await writer.WriteAsync(file.Begin);
        JobPosition? after = null;
        for (var isFirst = true; await ledger.ListAsync(vaultKey, query, after, Paging.MaxPageSize, cancellationToken) is { Count: > 0 } page; after = JobPosition.Of(page[^1]))
        {
            foreach (var job in page)
            {
                await writer.WriteAsync(file.Entry(job, isFirst));
                isFirst = false;
            }
        }

        await writer.WriteAsync(file.End);
    }

    private static async Task<AsyncOperation?> FindAsync(Guid vaultKey, string id, IOperationRepository operations, CancellationToken cancellationToken) =>
        Guid.TryParseExact(id, "D", out var guid) ? await operations.FindAsync(vaultKey, guid, cancellationToken) : null;
}
