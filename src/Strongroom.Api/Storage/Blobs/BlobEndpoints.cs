using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Strongroom.Arm;
using Strongroom.Backup.StorageAccounts;

namespace Strongroom.Api.Storage.Blobs;

/// <summary>Downloads from storage accounts that are folders: <c>/storage/{account}/{container}/{blob}</c>, whole or by Range (RFC 9110 section 14).</summary>
public static class BlobEndpoints
{
    public static void MapBlobs(this IEndpointRouteBuilder routes) =>
        routes.MapMethods("/storage/{account}/{container}/{blob}", ["GET", "HEAD"], Download).WithListAction("Microsoft.Storage/storageAccounts/listKeys/action");

    private static IResult Download(string account, string container, string blob, StorageAccountFolders accounts)
    {
        var path = accounts.FindBlob(account, container, blob) ?? throw ArmErrors.Custom(404, "BlobNotFound", "The specified blob does not exist.");
        var type = blob.EndsWith(".json", StringComparison.OrdinalIgnoreCase) ? "application/json" : "application/octet-stream";
        var file = new FileInfo(path);
        var tag = new Microsoft.Net.Http.Headers.EntityTagHeaderValue($"\"{file.LastWriteTimeUtc.Ticks:x}-{file.Length:x}\"");
        return Results.File(path, type, lastModified: file.LastWriteTimeUtc, entityTag: tag, enableRangeProcessing: true);
    }
}
