using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Strongroom.Api.RecoveryServices;
using Strongroom.Api.RecoveryServices.ItemLevelRecovery;
using Strongroom.Arm;
using Strongroom.Backup.FileRecovery.Browsing;
using Strongroom.Backup.FileRecovery.Browsing.Archives;

namespace Strongroom.Api.FileBrowsing;

/// <summary>
/// <c>Strongroom.RecoveryServices</c>, our own: a recovery point's id in our namespace, then <c>/files</c> for its entries and <c>/files/download</c> for what is in them (docs/file-browsing.md).
/// </summary>
public static class FileEndpoints
{
    // Whoever may mount a recovery point may look into it; who may only read of backups may not.
    private const string Action = ItemLevelRecoveryEndpoints.ProvisionAction;

    /// <summary>A recovery point in our own namespace.</summary>
    internal const string Point = "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Strongroom.RecoveryServices/vaults/{vaultName}"
        + "/backupFabrics/{fabricName}/protectionContainers/{containerName}/protectedItems/{protectedItemName}/recoveryPoints/{recoveryPointId}";

    public static void MapFileBrowsing(this IEndpointRouteBuilder routes)
    {
        RouteGroupBuilder point = routes.MapGroup(Point);
        point.AddEndpointFilter(VaultRequest.RefuseAsync);
        point.AddEndpointFilter(RefuseAsync);
        point.MapGet("/files", ListAsync).WithAction(Action, PathOfRoles);
        point.MapGet("/files/download", DownloadAsync).WithAction(Action, PathOfRoles);
    }

    /// <summary>Roles are given over ids in Azure's namespace; the path is in ours.</summary>
    internal static string PathOfRoles(string path) =>
        path.Replace("/providers/Strongroom.RecoveryServices/", "/providers/Microsoft.RecoveryServices/", StringComparison.OrdinalIgnoreCase);

    private static async ValueTask<object?> RefuseAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        try
        {
            return await next(context);
        }
        catch (FileBrowsingException refused)
        {
            throw FileErrors.From(refused);
        }
    }

    private static async Task<IResult> ListAsync(HttpContext context, PointFileBrowser browsing)
    {
        FilePath path = FileQuery.Path(context.Request);
        PageRequest asked = Paging.Read(context.Request);
        if (!long.TryParse(asked.After ?? "0", NumberStyles.None, CultureInfo.InvariantCulture, out long position)) throw Paging.Foreign();
        await using IFileTree tree = await OpenAsync(context, browsing);
        FilePage page = await PageAsync(tree, path, position, asked.Count, context.RequestAborted);
        JsonObject body = new() { ["value"] = new JsonArray([.. page.Entries.Select(entry => FileContract.ToJson(path, entry))]) };
        if (page.Next is { } next) body["nextLink"] = FileQuery.NextLink(context.Request, Paging.Encode(next.ToString(CultureInfo.InvariantCulture)));
        return ArmResults.Ok(body);
    }

    private static async Task<IResult> DownloadAsync(HttpContext context, PointFileBrowser browsing)
    {
        FilePath path = FileQuery.Path(context.Request);
        string? format = context.Request.Query["format"];
        if (format is not (null or "tar" or "zip")) throw ArmErrors.InvalidQueryParameter("format", "it is neither 'tar' nor 'zip'");
        IFileTree tree = await OpenAsync(context, browsing);
        try
        {
            return new FileDownload(tree, await ResultAsync(context, tree, path, format));
        }
        catch
        {
            await tree.DisposeAsync();
            throw;
        }
    }

    private static async Task<IResult> ResultAsync(HttpContext context, IFileTree tree, FilePath path, string? format)
    {
        FileEntry entry = await tree.FindAsync(path, context.RequestAborted);
        string name = path.IsRoot ? context.Route("recoveryPointId") : entry.Text;
        // What cannot be listed is refused before the archive begins.
        if (entry.Kind == FileKind.Volume || (format is not null && entry.IsFolder)) await tree.ListAsync(path, 0, 1, context.RequestAborted);
        if (format is not null)
        {
            return format == "tar"
                ? Results.Stream(output => TarArchive.WriteAsync(tree, path, output, context.RequestAborted), "application/x-tar", name + ".tar")
                : Results.Stream(output => ZipFolder.WriteAsync(tree, path, output, context.RequestAborted), "application/zip", name + ".zip");
        }

        if (entry.Kind != FileKind.File)
        {
            throw new FileBrowsingException(FileBrowsingFault.NotAFile, FileErrors.Instead(path, entry));
        }

        // As Azure Files tells it of files of NFS shares.
        context.Response.Headers["x-ms-mode"] = Convert.ToString(entry.Mode, 8).PadLeft(4, '0');
        FileContentStream content = new(tree, path, entry.SizeBytes);
        return Results.Stream(content, "application/octet-stream", name, entry.ModifiedAt, enableRangeProcessing: IsOfBytes(context.Request));
    }

    /// <summary>Where something else than a folder is there, the error says what.</summary>
    private static async Task<FilePage> PageAsync(IFileTree tree, FilePath path, long position, int count, CancellationToken cancellationToken)
    {
        try
        {
            return await tree.ListAsync(path, position, count, cancellationToken);
        }
        catch (FileBrowsingException refused) when (refused.Fault == FileBrowsingFault.NotAFolder)
        {
            throw new FileBrowsingException(refused.Fault, FileErrors.Instead(path, await tree.FindAsync(path, cancellationToken)));
        }
    }

    /// <summary>A range of another unit is ignored (RFC 9110, 14.2), which the framework does not do.</summary>
    private static bool IsOfBytes(HttpRequest request) => request.GetTypedHeaders().Range is not { } range || range.Unit.Equals("bytes", StringComparison.OrdinalIgnoreCase);

    private static async Task<IFileTree> OpenAsync(HttpContext context, PointFileBrowser browsing)
    {
        Backup.Vaults.Vault vault = await context.VaultAsync();
        return await browsing.OpenAsync(vault, await context.ItemAsync(vault), context.Route("recoveryPointId"), context.RequestAborted);
    }
}
