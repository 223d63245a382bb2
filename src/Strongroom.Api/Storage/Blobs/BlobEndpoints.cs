using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Strongroom.Arm;
using Strongroom.Backup.StorageAccounts;

namespace Strongroom.Api.Storage.Blobs;

/// <summary>Downloads from storage accounts that are folders: <c>/storage/{account}/{container}/{blob}</c>, whole or by Range (RFC 9110 section 14).</summary>
public static class BlobEndpoints
{
    // Whoever may have an account's keys may read everything in it; here the caller's token stands for the keys.
    private const string Action = "Microsoft.Storage/storageAccounts/listKeys/action";

    public static void MapBlobs(this IEndpointRouteBuilder routes) =>
        routes.MapMethods("/storage/{account}/{container}/{blob}", ["GET", "HEAD"], DownloadAsync).WithListAction(Action);

    private static async Task<IResult> DownloadAsync(
        HttpContext context, string account, string container, string blob, StorageAccountFolders folders, StorageAccounts accounts, ArmOptions options, CancellationToken cancellationToken)
    {
        // The path names no scope: it is the account's, wherever that is; of an account that is gone, the whole subscription's.
        TrackedResource? owner = await accounts.FindAsync(account, cancellationToken);
        context.Access()?.Require(Action, owner?.Id.ToString() ?? "/subscriptions/" + options.Subscriptions[0].Id);
        var path = folders.FindBlob(account, container, blob) ?? throw ArmErrors.Custom(404, "BlobNotFound", "The specified blob does not exist.");
        var type = blob.EndsWith(".json", StringComparison.OrdinalIgnoreCase) ? "application/json" : "application/octet-stream";
        var file = new FileInfo(path);
        var tag = new Microsoft.Net.Http.Headers.EntityTagHeaderValue($"\"{file.LastWriteTimeUtc.Ticks:x}-{file.Length:x}\"");
        return Results.File(path, type, lastModified: file.LastWriteTimeUtc, entityTag: tag, enableRangeProcessing: true);
    }
}
