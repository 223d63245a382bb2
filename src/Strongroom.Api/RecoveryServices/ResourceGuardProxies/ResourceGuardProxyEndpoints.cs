using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Strongroom.Api.DataProtection;
using Strongroom.Api.Resources;
using Strongroom.Arm;
using Strongroom.Backup.Items;
using Strongroom.Backup.ResourceGuards;
using Strongroom.Backup.Vaults;

namespace Strongroom.Api.RecoveryServices.ResourceGuardProxies;

/// <summary><c>vaults/backupResourceGuardProxies</c>: the resource guard that a vault is under (<c>ResourceGuardProxyBase</c> of bms.json). A vault has one, called VaultProxy.</summary>
internal static class ResourceGuardProxyEndpoints
{
    private const string Name = "VaultProxy";
    private const string Collection = "backupResourceGuardProxies";
    private const string Path = "/" + Collection + "/{resourceGuardProxyName}";
    private const string Action = "Microsoft.RecoveryServices/vaults/backupResourceGuardProxies/";

    public static void MapResourceGuardProxies(this IEndpointRouteBuilder routes)
    {
        var vault = routes.MapVault();
        vault.MapGet("/" + Collection, (Delegate)ListAsync).WithAction(Action + "read");
        vault.MapGet(Path, (Delegate)GetAsync).WithAction(Action + "read");
        vault.MapPut(Path, PutAsync).WithAction(Action + "write");
        vault.MapDelete(Path, DeleteAsync).WithAction(Action + "delete");
        vault.MapPost(Path + "/unlockDelete", UnlockAsync).WithAction(Action + "unlockDelete/action");
    }

    /// <summary>Clients ask before every destructive call, and need an empty list where there is none.</summary>
    private static async Task<IResult> ListAsync(HttpContext context)
    {
        var vault = await context.VaultAsync();
        return ArmResults.List(vault.Guard is { } guard ? [await ToJsonAsync(context, vault, guard)] : []);
    }

    private static async Task<IResult> GetAsync(HttpContext context)
    {
        var vault = await context.VaultAsync();
        return ArmResults.Ok(await ToJsonAsync(context, vault, Guard(context, vault)));
    }

    private static async Task<IResult> PutAsync(HttpContext context, ResourceGuards guards)
    {
        var vault = await context.VaultAsync();
        if (!IsName(context)) throw RecoveryServicesErrors.InvalidInput($"A vault is under one resource guard, and what says so is called '{Name}'.", "resourceGuardProxyName");
        var body = await ArmJson.ReadObjectAsync(context.Request, context.RequestAborted);
        var sent = body.OptionalObject("properties") ?? throw ArmErrors.InvalidRequestContent("an object is required", "$.properties");
        sent.CheckTexts("lastUpdatedTime", "description");
        sent.CheckArrays("resourceGuardOperationDetails");
        if (!ResourceId.TryParse(sent.RequiredText("resourceGuardResourceId"), out var id) || !id.IsOfType(ResourceGuards.Type))
            throw RecoveryServicesErrors.InvalidInput($"'resourceGuardResourceId' is not the id of a resource of type {ResourceGuards.Type}.", "properties.resourceGuardResourceId");
        // Also where there is no such guard: nobody learns what exists where they have no role.
        context.RequireLinked(ResourceGuards.ReadAction, id.ToString());
        var linked = await guards.LinkAsync(vault, id, await context.GuardPassAsync(vault), context.RequestAborted) ?? throw VaultRequest.NotFound(ArmScope.Of(context), vault.Name);
        return ArmResults.Ok(await ToJsonAsync(context, linked, linked.Guard!));
    }

    private static async Task<IResult> DeleteAsync(HttpContext context, VaultLifecycle lifecycle)
    {
        var vault = await context.VaultAsync();
        if (vault.Guard is null || !IsName(context)) return ArmResults.Empty(StatusCodes.Status204NoContent);
        var pass = await context.GuardPassAsync(vault);
        await lifecycle.UpdateAsync(vault, existing =>
        {
            pass.Require(existing, CriticalOperation.RemoveGuard);
            return existing with { Guard = null };
        }, context.RequestAborted);
        return ArmResults.Empty(StatusCodes.Status200OK);
    }

    /// <summary>Opens the vault for a deletion for a while: DELETE has no body that could name a request of the guard.</summary>
    private static async Task<IResult> UnlockAsync(HttpContext context, VaultLifecycle lifecycle, TimeProvider time)
    {
        var vault = await context.VaultAsync();
        var guard = Guard(context, vault);
        var body = await ArmJson.ReadObjectAsync(context.Request, context.RequestAborted);
        var operations = Operations(body, guard);
        var item = operations.Contains(CriticalOperation.DeleteItem) ? NativeName(body.OptionalText("resourceToBeDeleted"), vault) : null;
        body.CheckTexts("resourceToBeDeleted");
        foreach (var operation in operations) context.RequireLinked(GuardPasses.ActionOf(operation), guard.RequestOf(operation));
        var now = time.GetUtcNow();
        await lifecycle.UpdateAsync(vault, existing =>
        {
            // Under another guard by now: what was allowed was allowed by the old one.
            if (existing.Guard is not { } current || !GuardPass.IsSame(current.ResourceGuardId, guard.ResourceGuardId)) throw NotFound(context, vault);
            foreach (var operation in operations) current = current.Unlock(operation, operation == CriticalOperation.DeleteItem ? item : null, now);
            return existing with { Guard = current };
        }, context.RequestAborted);
        return ArmResults.Ok(new JsonObject { ["unlockDeleteExpiryTime"] = TrackedResources.Time(now + VaultGuard.UnlockedFor) });
    }

    /// <summary>The deletions that a request to unlock names.</summary>
    private static List<CriticalOperation> Operations(JsonObject body, VaultGuard guard)
    {
        CriticalOperation[] known = [CriticalOperation.DeleteItem, CriticalOperation.RemoveGuard];
        var named = GuardPasses.Requests(body);
        if (named.Count == 0) throw RecoveryServicesErrors.InvalidInput("ResourceGuard Operation requestid is either null or empty.", GuardPasses.Field);
        return
        [
            .. named.Select(id => known.FirstOrDefault(operation => GuardPass.IsSame(guard.RequestOf(operation), id)) ?? throw RecoveryServicesErrors.InvalidInput(
                $"unlockDelete takes '{string.Join("' and '", known.Select(guard.RequestOf))}'.", GuardPasses.Field)).Distinct(),
        ];
    }

    private static string? NativeName(string? text, Vault vault)
    {
        if (string.IsNullOrEmpty(text)) return null;
        var isOurs = ResourceId.TryParse(text, out var id) && id.IsOfType(BackupPaths.VaultType + "/backupFabrics/protectionContainers/protectedItems") && id.IsWithin(ResourceId.Parse(vault.ResourceId));
        return (isOurs ? ItemNames.FromPath(id!.Parent!.Name, id.Name) : null) ?? throw RecoveryServicesErrors.InvalidInput("'resourceToBeDeleted' is not the id of an item of this vault.", "resourceToBeDeleted");
    }

    private static VaultGuard Guard(HttpContext context, Vault vault) => IsName(context) && vault.Guard is { } guard ? guard : throw NotFound(context, vault);

    private static bool IsName(HttpContext context) => context.Route("resourceGuardProxyName").Equals(Name, StringComparison.OrdinalIgnoreCase);

    private static ArmException NotFound(HttpContext context, Vault vault) => RecoveryServicesErrors.ChildNotFound(vault, Collection, context.Route("resourceGuardProxyName"));

    /// <summary>What the guard protects is shown as it is now: its owner may change it.</summary>
    private static async Task<JsonObject> ToJsonAsync(HttpContext context, Vault vault, VaultGuard guard)
    {
        var resource = await GuardPasses.GuardAsync(context, vault);
        return new()
        {
            ["id"] = $"{vault.ResourceId}/{Collection}/{Name}",
            ["name"] = Name,
            ["type"] = $"{BackupPaths.VaultType}/{Collection}",
            ["properties"] = new JsonObject
            {
                ["resourceGuardResourceId"] = guard.ResourceGuardId,
                ["resourceGuardOperationDetails"] = new JsonArray([.. ResourceGuards.Protected(resource).Select(operation => (JsonNode)new JsonObject
                {
                    ["vaultCriticalOperation"] = operation.Name,
                    ["defaultResourceRequest"] = guard.RequestOf(operation),
                })]),
                ["lastUpdatedTime"] = TrackedResources.Time(guard.UpdatedAt),
                ["description"] = ResourceGuards.Description(resource),
            },
        };
    }
}
