using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Strongroom.Api.RecoveryServices.ResourceGuardProxies;
using Strongroom.Arm;
using Strongroom.Backup.ResourceGuards;
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
        vault.MapGet("/operationStatus/{operationId}", StatusAsync).WithAction("Microsoft.RecoveryServices/vaults/operationStatus/read");
        vault.MapGet("/operationResults/{operationId}", ResultAsync).WithAction("Microsoft.RecoveryServices/vaults/operationResults/read");
    }

    private static async Task<IResult> ListAsync(HttpContext context, IVaultRepository vaults)
    {
        var scope = ArmScope.Of(context);
        var all = await vaults.ListAsync(scope.SubscriptionId, scope.Group?.Name, context.RequestAborted);
        var page = Paging.Take(context.WhereAllowed(all, v => v.ResourceId), v => $"{v.ResourceGroup}/{v.Name}", Paging.Read(context.Request));
        return ArmResults.Page(context.Request, page, v => ToJson(context, v));
    }

    private static async Task<IResult> GetAsync(HttpContext context) => ArmResults.Ok(ToJson(context, await context.VaultAsync()));

    private static async Task<IResult> PutAsync(
        HttpContext context, VaultLifecycle lifecycle, StoreRules rules, ArmOptions options, VaultOperations operations, IVaultRepository vaults, IResourceStore resources)
    {
        var scope = ArmScope.Of(context);
        var name = context.Route("vaultName");
        if (!ResourceNames.IsVault(name))
            throw ArmErrors.InvalidResourceName(BackupPaths.VaultType, name, "2 to 50 letters, digits and hyphens, beginning with a letter");
        var body = await ArmJson.ReadObjectAsync(context.Request, context.RequestAborted);
        var known = await vaults.FindAsync(scope.SubscriptionId, scope.GroupName, name, context.RequestAborted);
        var pass = known is null ? GuardPass.None : await PassAsync(context, known, body);
        VaultConfig? before = null;
        var (vault, created) = await lifecycle.PutAsync(scope.SubscriptionId, scope.GroupName, name, existing =>
        {
            RequireMatch(context, existing, name);
            before = existing?.Config;
            var wanted = VaultContract.FromPut(body, existing, scope, name, options);
            if (existing is not null) pass.RequireSettings(existing, wanted.Config);
            return wanted;
        }, context.RequestAborted);
        if (created) await RequireGroupAsync(scope, vault, lifecycle, resources);
        var json = ToJson(context, vault);
        var work = Follow(rules, before, vault);
        if (!created && work is null) return ArmResults.Ok(json);
        if (!created) json["properties"]!["provisioningState"] = "Updating";
        return new LongRunning { Status = StatusCodes.Status201Created, AsyncOperationPath = operations.Begin(vault, work), Body = json };
    }

    private static async Task<IResult> PatchAsync(HttpContext context, VaultLifecycle lifecycle, StoreRules rules, ArmOptions options, VaultOperations operations)
    {
        var vault = await context.VaultAsync();
        var body = await ArmJson.ReadObjectAsync(context.Request, context.RequestAborted);
        var pass = await PassAsync(context, vault, body);
        VaultConfig? before = null;
        var changed = await lifecycle.UpdateAsync(vault, existing =>
        {
            RequireMatch(context, existing, existing.Name);
            before = existing.Config;
            var wanted = VaultContract.FromPatch(body, existing, options);
            pass.RequireSettings(existing, wanted.Config);
            return wanted;
        }, context.RequestAborted);
        if (changed is null) throw VaultRequest.NotFound(ArmScope.Of(context), vault.Name);
        return Follow(rules, before, changed) is { } work ? Accepted(operations.Begin(changed, work)) : ArmResults.Ok(ToJson(context, changed));
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
        return Accepted(operations.Begin(vault));
    }

    private static async Task<IResult> StatusAsync(HttpContext context, VaultOperations operations)
    {
        var id = context.Route("operationId");
        if (await operations.FindAsync(context, id) is not { } operation)
        {
            await context.VaultAsync();
            throw RecoveryServicesErrors.OperationNotFound(id);
        }

        var path = context.Request.Path.Value!;
        return operation.IsRunning
            ? new LongRunning { Status = StatusCodes.Status200OK, AsyncOperationPath = path, LocationPath = VaultOperations.ResultOf(path), Body = operation.ToJson() }
            : ArmResults.Ok(operation.ToJson());
    }

    private static async Task<IResult> ResultAsync(HttpContext context, VaultOperations operations, IVaultRepository vaults)
    {
        var id = context.Route("operationId");
        var scope = ArmScope.Of(context);
        var vault = await vaults.FindAsync(scope.SubscriptionId, scope.GroupName, context.Route("vaultName"), context.RequestAborted);
        if (await operations.FindAsync(context, id) is not { } operation)
            throw vault is null ? VaultRequest.NotFound(scope, context.Route("vaultName")) : RecoveryServicesErrors.OperationNotFound(id);
        if (operation.IsRunning && vault is not null) return Accepted($"{vault.ResourceId}/operationStatus/{id}");
        operation.RequireSuccess();
        return vault is null ? ArmResults.Empty(StatusCodes.Status200OK) : ArmResults.Ok(ToJson(context, vault));
    }

    /// <summary>What the vault's store has to follow of a change, begun; null: nothing. It goes on when the client has gone.</summary>
    private static Task<string?>? Follow(StoreRules rules, VaultConfig? before, Vault vault) =>
        StoreRules.Concerns(before, vault.Config) ? Task.Run(() => rules.TryFollowAsync(vault.Key, before, CancellationToken.None)) : null;

    private static LongRunning Accepted(string status) => new() { AsyncOperationPath = status, LocationPath = VaultOperations.ResultOf(status) };

    private static Task<GuardPass> PassAsync(HttpContext context, Vault vault, JsonObject body) => context.GuardPassAsync(vault, body.OptionalObject("properties"));

    private static JsonObject ToJson(HttpContext context, Vault vault) => VaultContract.ToJson(vault, ApiVersion.Of(context.Request));

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
