using System.Collections.Concurrent;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Strongroom.Arm;
using Strongroom.Backup.Vaults;

namespace Strongroom.Api.RecoveryServices.Vaults;

/// <summary><c>Microsoft.RecoveryServices/vaults</c>.</summary>
internal static class VaultEndpoints
{
    public static void MapVaults(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/subscriptions/{subscriptionId}/providers/Microsoft.RecoveryServices/vaults", ListAsync).WithListAction("Microsoft.RecoveryServices/vaults/read");
        routes.MapGet("/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.RecoveryServices/vaults", ListAsync).WithListAction("Microsoft.RecoveryServices/vaults/read");
        var vault = routes.MapVault();
        vault.MapGet("", (Delegate)GetAsync).WithAction("Microsoft.RecoveryServices/vaults/read");
        vault.MapPut("", PutAsync).WithAction("Microsoft.RecoveryServices/vaults/write");
        vault.MapPatch("", PatchAsync).WithAction("Microsoft.RecoveryServices/vaults/write");
        vault.MapDelete("", DeleteAsync).WithAction("Microsoft.RecoveryServices/vaults/delete");
        vault.MapGet("/operationStatus/{operationId}", StatusAsync).WithAction("Microsoft.RecoveryServices/locations/operationStatus/read");
        vault.MapGet("/operationResults/{operationId}", ResultAsync).WithAction("Microsoft.RecoveryServices/vaults/operationResults/read");
    }

    private static async Task<IResult> ListAsync(HttpContext context, IVaultRepository vaults)
    {
        var scope = ArmScope.Of(context);
        var all = await vaults.ListAsync(scope.SubscriptionId, scope.Group?.Name, context.RequestAborted);
        var page = Paging.Take(all, v => $"{v.ResourceGroup}/{v.Name}", Paging.Read(context.Request));
        return ArmResults.Page(context.Request, page, VaultContract.ToJson);
    }

    private static async Task<IResult> GetAsync(HttpContext context) => ArmResults.Ok(VaultContract.ToJson(await context.VaultAsync()));

    private static async Task<IResult> PutAsync(HttpContext context, VaultLifecycle lifecycle, ArmOptions options, VaultOperations operations, IResourceStore resources)
    {
        var scope = ArmScope.Of(context);
        var name = context.Route("vaultName");
        if (!ResourceNames.IsVault(name))
            throw ArmErrors.InvalidResourceName(BackupPaths.VaultType, name, "2 to 50 letters, digits and hyphens, beginning with a letter");
        var body = await ArmJson.ReadObjectAsync(context.Request, context.RequestAborted);
        var (vault, created) = await lifecycle.PutAsync(scope.SubscriptionId, scope.GroupName, name, existing =>
        {
            RequireMatch(context, existing, name);
            return VaultContract.FromPut(body, existing, scope, name, options);
        }, context.RequestAborted);
        if (created) await RequireGroupAsync(scope, vault, lifecycle, resources);
        var json = VaultContract.ToJson(vault);
        return created
            ? new LongRunning { Status = StatusCodes.Status201Created, AsyncOperationPath = operations.Begin(vault), Body = json }
            : ArmResults.Ok(json);
    }

    private static async Task<IResult> PatchAsync(HttpContext context, VaultLifecycle lifecycle, ArmOptions options)
    {
        var vault = await context.VaultAsync();
        var body = await ArmJson.ReadObjectAsync(context.Request, context.RequestAborted);
        var changed = await lifecycle.UpdateAsync(vault, existing =>
        {
            RequireMatch(context, existing, existing.Name);
            return VaultContract.FromPatch(body, existing, options);
        }, context.RequestAborted);
        return changed is null ? throw VaultRequest.NotFound(ArmScope.Of(context), vault.Name) : ArmResults.Ok(VaultContract.ToJson(changed));
    }

    private static async Task<IResult> DeleteAsync(HttpContext context, IVaultRepository vaults, VaultLifecycle lifecycle, VaultOperations operations)
    {
        var scope = ArmScope.Of(context);
        var vault = await vaults.FindAsync(scope.SubscriptionId, scope.GroupName, context.Route("vaultName"), context.RequestAborted);
        if (vault is null) return ArmResults.Empty(StatusCodes.Status204NoContent);
        RequireMatch(context, vault, vault.Name);
        await lifecycle.DeleteAsync(vault, context.RequestAborted);
        // Up to 2022 the service deleted at once; since then it answers 202, and Terraform takes nothing else.
        if (!ApiVersion.Of(context.Request).IsFrom(2023, 1, 1)) return ArmResults.Empty(StatusCodes.Status200OK);
        var status = operations.Begin(vault);
        return new LongRunning { AsyncOperationPath = status, LocationPath = status.Replace("/operationStatus/", "/operationResults/", StringComparison.Ordinal) };
    }

    private static async Task<IResult> StatusAsync(HttpContext context, VaultOperations operations)
    {
        var id = context.Route("operationId");
        if (!operations.IsKnown(context, id))
        {
            await context.VaultAsync();
            throw RecoveryServicesErrors.OperationNotFound(id);
        }

        return ArmResults.Ok(new JsonObject { ["id"] = id, ["name"] = id, ["status"] = "Succeeded", ["percentComplete"] = 100.0 });
    }

    private static async Task<IResult> ResultAsync(HttpContext context, VaultOperations operations, IVaultRepository vaults)
    {
        var id = context.Route("operationId");
        var scope = ArmScope.Of(context);
        var vault = await vaults.FindAsync(scope.SubscriptionId, scope.GroupName, context.Route("vaultName"), context.RequestAborted);
        if (operations.IsKnown(context, id)) return vault is null ? ArmResults.Empty(StatusCodes.Status200OK) : ArmResults.Ok(VaultContract.ToJson(vault));
        throw vault is null ? VaultRequest.NotFound(scope, context.Route("vaultName")) : RecoveryServicesErrors.OperationNotFound(id);
    }

    /// <summary>Takes a vault back whose group was deleted while it was made: the deletion looks for late-comers once more, and so does this.</summary>
    private static async Task RequireGroupAsync(ArmScope scope, Vault vault, VaultLifecycle lifecycle, IResourceStore resources)
    {
        if (await resources.GetGroupAsync(scope.SubscriptionId, scope.GroupName, CancellationToken.None) is not null) return;
        await lifecycle.DeleteAsync(vault, CancellationToken.None);
        throw ArmErrors.ResourceGroupNotFound(scope.GroupName);
    }

    private static void RequireMatch(HttpContext context, Vault? vault, string name)
    {
        var wanted = context.Request.Headers.IfMatch.ToString();
        if (wanted is not ("" or "*") && wanted != vault?.ETag) throw ArmErrors.PreconditionFailed(name);
    }
}

/// <summary>
/// The operations of vaults themselves. They are over when they are answered; their ids are remembered so that their URLs answer, also for a vault
/// that is gone. After a restart they are not known any more, which clients take as done (the service's own answer is often 404).
/// </summary>
internal sealed class VaultOperations
{
    private const int Remembered = 10_000;
    private readonly ConcurrentQueue<string> _order = new();
    private readonly ConcurrentDictionary<string, string> _vaults = new();

    /// <summary>Remembers an operation and answers the path of its status.</summary>
    public string Begin(Vault vault)
    {
        // The service's ids are base64 of a number and a GUID; the '=' at their end stays as it is in the path.
        var id = Convert.ToBase64String(Encoding.ASCII.GetBytes($"4095;{Guid.NewGuid()}"));
        _vaults[id] = vault.ResourceId;
        _order.Enqueue(id);
        while (_vaults.Count > Remembered && _order.TryDequeue(out var oldest)) _vaults.TryRemove(oldest, out _);
        return $"{vault.ResourceId}/operationStatus/{id}";
    }

    public bool IsKnown(HttpContext context, string id) =>
        _vaults.TryGetValue(id, out var vault)
        && vault.Equals(ArmScope.Of(context).ResourceId("Microsoft.RecoveryServices", "vaults", context.Route("vaultName")).ToString(), StringComparison.OrdinalIgnoreCase);
}
