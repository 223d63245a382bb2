using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Strongroom.Api.RecoveryServices.ProtectedItems;
using Strongroom.Arm;
using Strongroom.Backup.FileRecovery;
using Strongroom.Backup.Vaults;

namespace Strongroom.Api.RecoveryServices.ItemLevelRecovery;

/// <summary>
/// <c>provisionInstantItemRecovery</c> and <c>revokeInstantItemRecovery</c> of a recovery point. There is no job: the script is in the status of the operation, as long as
/// the mount lasts, and only for those who may provision: whoever has it can read the machine's disks.
/// </summary>
internal static class ItemLevelRecoveryEndpoints
{
    public const string ProvisionAction = Points + "provisionInstantItemRecovery/action";

    private const string Points = "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems/recoveryPoints/";

    public static void MapItemLevelRecovery(this IEndpointRouteBuilder routes)
    {
        var vault = routes.MapVault();
        vault.MapPost(VaultRequest.ItemPath + "/recoveryPoints/{recoveryPointId}/provisionInstantItemRecovery", ProvisionAsync).WithAction(ProvisionAction);
        vault.MapPost(VaultRequest.ItemPath + "/recoveryPoints/{recoveryPointId}/revokeInstantItemRecovery", RevokeAsync).WithAction(Points + "revokeInstantItemRecovery/action");
        routes.MapRecoveryTunnel();
    }

    private static async Task<IResult> ProvisionAsync(HttpContext context, FileRecoveryMounts mounts)
    {
        var vault = await context.VaultAsync();
        var native = context.NativeName();
        var point = context.Route("recoveryPointId");
        var body = await ArmJson.ReadObjectAsync(context.Request, context.RequestAborted);
        // The script connects to where the caller has.
        if (!Uri.TryCreate(PublicUrl.For(context.Request, ""), UriKind.Absolute, out var origin) || origin.Port is < 1 or > 65535 || origin.IdnHost.Length == 0)
            throw ArmErrors.InvalidRequestContent("the Host header names no address that a script could connect to", "Host");
        var request = ItemLevelRecoveryContract.Read(body, point, origin, out var machineId);
        await RequireMachineAsync(context, vault, machineId);
        return ItemOperation.Accepted(vault, native, await mounts.ProvisionAsync(vault, native, point, request, context.RequestAborted));
    }

    private static async Task<IResult> RevokeAsync(HttpContext context, FileRecoveryMounts mounts)
    {
        var vault = await context.VaultAsync();
        var native = context.NativeName();
        return ItemOperation.Accepted(vault, native, await mounts.RevokeAsync(vault, native, context.Route("recoveryPointId"), context.RequestAborted));
    }

    private static async Task RequireMachineAsync(HttpContext context, Vault vault, string? machineId)
    {
        var item = await context.ItemAsync(vault);
        if (machineId is not null && !machineId.Equals(item.SourceResourceId, StringComparison.OrdinalIgnoreCase))
            throw RecoveryServicesErrors.InvalidInput("'virtualMachineId' names another machine than the item protects.", "properties.virtualMachineId");
    }

    /// <summary>The script that an operation was for, while its mount lasts; null for other operations and for callers who may not have it.</summary>
    public static JsonObject? RecoveryScripts(this HttpContext context, Vault vault, Guid operationId)
    {
        var mounts = context.RequestServices.GetRequiredService<FileRecoveryMounts>();
        if (mounts.FindByOperation(operationId) is not { } mount || mount.VaultKey != vault.Key) return null;
        if (!context.Allows(ProvisionAction, BackupPaths.Item(vault, mount.NativeName))) return null;
        var (path, query) = RecoveryTunnelEndpoints.WindowsScript(mount);
        return ItemLevelRecoveryContract.ToJson(mount, vault, context.RequestServices.GetRequiredService<FileRecoveryOptions>(), PublicUrl.For(context.Request, path, query));
    }
}
