using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Strongroom.Arm;
using Strongroom.Backup.FileRecovery;

namespace Strongroom.Api.RecoveryServices.ItemLevelRecovery;

/// <summary>
/// What recovery scripts talk to, without a token: the tunnel, which is an HTTP/1.1 upgrade to iSCSI (RFC 9110, 7.8) and leads to a target that lets nobody in
/// without CHAP; and the script for Windows, which az fetches by its URL. Both are there as long as their mount, whose id nobody can guess.
/// </summary>
internal static class RecoveryTunnelEndpoints
{
    private const string Protocol = "iscsi";
    private const int CopyBytes = 256 * 1024;

    public static void MapRecoveryTunnel(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/file-recovery/{mountId}/tunnel", TunnelAsync).AllowAnonymous().WithOpenAction("Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems/recoveryPoints/read");
        routes.MapGet("/file-recovery/{mountId}/script", Script).AllowAnonymous().WithOpenAction("Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems/recoveryPoints/read");
    }

    /// <summary>The path, and query, of the script for Windows.</summary>
    public static (string Path, string Query) WindowsScript(FileRecoveryMount mount) => ($"/file-recovery/{mount.Id}/script", "sig=" + mount.Secrets.DownloadKey);

    private static async Task<IResult> TunnelAsync(HttpContext context, string mountId, FileRecoveryMounts mounts, RecoveryTargets targets, IHostApplicationLifetime lifetime, ILogger<RecoveryTargets> log)
    {
        var mount = Find(mounts, mountId);
        if (context.Features.Get<IHttpUpgradeFeature>() is not { IsUpgradableRequest: true } upgrade || !context.Request.Headers.Upgrade.ToString().Equals(Protocol, StringComparison.OrdinalIgnoreCase))
        {
            context.Response.Headers.Upgrade = Protocol;
            throw ArmErrors.Custom(StatusCodes.Status426UpgradeRequired, "UpgradeRequired", "This is the way to an iSCSI target: send 'Connection: Upgrade' and 'Upgrade: iscsi' over HTTP/1.1.");
        }

        using var place = mount.TryEnterTunnel() ?? throw ArmErrors.Custom(503, "TooManyConnections", "The recovery point has as many connections as it can. Close one and try again.");
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(mount.Ended, lifetime.ApplicationStopping, context.RequestAborted);
        try
        {
            await using var target = await targets.ConnectAsync(ended.Token);
            context.Response.Headers.Upgrade = Protocol;
            await using var client = await upgrade.UpgradeAsync();
            log.LogInformation("A tunnel to mount {Mount} from {From}", mount.Id, context.Connection.RemoteIpAddress);
            await JoinAsync(client, target, ended);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // One of the two ends has closed, or the mount is over. The connection ends with it.
            if (context.Response.HasStarted) return Results.Empty;
            if (mount.Ended.IsCancellationRequested) throw NotMounted();
            throw ArmErrors.Custom(503, "ServiceUnavailable", "The server stops, or its iSCSI target cannot be reached. Try again later.");
        }

        return Results.Empty;
    }

    /// <summary>Copies both ways until one of them ends.</summary>
    private static async Task JoinAsync(Stream client, Stream target, CancellationTokenSource ended)
    {
        var (up, down) = (client.CopyToAsync(target, CopyBytes, ended.Token), target.CopyToAsync(client, CopyBytes, ended.Token));
        await Task.WhenAny(up, down);
        await ended.CancelAsync();
        await Task.WhenAll(up, down);
    }

    private static IResult Script(HttpContext context, string mountId, FileRecoveryMounts mounts, FileRecoveryOptions options)
    {
        var mount = Find(mounts, mountId);
        if (!CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(context.Request.Query["sig"].ToString()), Encoding.UTF8.GetBytes(mount.Secrets.DownloadKey)))
            throw ArmErrors.Custom(403, "AuthenticationFailed", "The URL is not one that was given out.");
        // Without the password, which the caller has from its answer; with a mark of its encoding, without which Windows PowerShell 5.1 reads another one.
        var text = RecoveryScript.Windows.Write(mount, RecoveryScript.AskedPassword, options);
        return Results.Bytes([.. Encoding.UTF8.Preamble, .. Encoding.UTF8.GetBytes(text)], "text/plain; charset=utf-8", "recover-files.ps1");
    }

    private static FileRecoveryMount Find(FileRecoveryMounts mounts, string id) => Guid.TryParseExact(id, "D", out var mountId) && mounts.Find(mountId) is { } mount
        ? mount
        : throw NotMounted();

    private static ArmException NotMounted() => ArmErrors.Custom(404, "ItemLevelRecoverySessionNotFound", "The recovery point is not mounted any more: it was revoked, its 12 hours are over, or the server was started anew. Provision it again and use the new script.");
}
