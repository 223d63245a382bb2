using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Strongroom.Arm;

namespace Strongroom.Api.Storage;

/// <summary><c>Microsoft.Storage/storageAccounts</c>: where restored disks go, each a folder of the server; and the file servers, which are only shown.</summary>
public static class StorageAccountEndpoints
{
    private const string OfSubscription = "/subscriptions/{subscriptionId}/providers/Microsoft.Storage/";
    private const string OfGroup = "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Storage/storageAccounts";
    private const string Account = OfGroup + "/{accountName}";

    public static void MapStorageAccounts(this IEndpointRouteBuilder routes)
    {
        routes.MapPost(OfSubscription + "checkNameAvailability", CheckNameAsync).WithAction("Microsoft.Storage/checkNameAvailability/read");
        routes.MapGet(OfSubscription + "storageAccounts", ListAsync).WithListAction("Microsoft.Storage/storageAccounts/read");
        routes.MapGet(OfGroup, ListAsync).WithListAction("Microsoft.Storage/storageAccounts/read");
        routes.MapGet(Account, GetAsync).WithAction("Microsoft.Storage/storageAccounts/read");
        routes.MapPut(Account, PutAsync).WithAction("Microsoft.Storage/storageAccounts/write");
        routes.MapPatch(Account, PatchAsync).WithAction("Microsoft.Storage/storageAccounts/write");
        routes.MapDelete(Account, DeleteAsync).WithAction("Microsoft.Storage/storageAccounts/delete");
        routes.MapPost(Account + "/listKeys", ListKeysAsync).WithAction("Microsoft.Storage/storageAccounts/listKeys/action");
    }

    private static async Task<IResult> ListAsync(HttpContext context, StorageAccountView view, CancellationToken cancellationToken)
    {
        PageRequest page = Paging.Read(context.Request);
        ArmScope scope = ArmScope.Of(context);
        IReadOnlyList<ShownAccount> accounts = await view.ListAsync(scope.SubscriptionId, scope.Group?.Name, cancellationToken);
        return ArmResults.Page(context.Request, Paging.Take(context.WhereAllowed(accounts, static a => a.Id), static a => a.Id, page), account => account.ToJson(context.Request));
    }

    private static async Task<IResult> GetAsync(HttpContext context, string accountName, StorageAccountView view, CancellationToken cancellationToken) =>
        ArmResults.Ok((await view.GetAsync(Id(context, accountName), cancellationToken)).ToJson(context.Request));

    private static async Task<IResult> PutAsync(HttpContext context, string accountName, StorageAccounts accounts, CancellationToken cancellationToken)
    {
        JsonObject body = await ArmJson.ReadObjectAsync(context.Request, cancellationToken);
        return ArmResults.Ok(new ShownAccount(await accounts.PutAsync(Id(context, accountName), body, cancellationToken), false).ToJson(context.Request));
    }

    private static async Task<IResult> PatchAsync(HttpContext context, string accountName, StorageAccounts accounts, CancellationToken cancellationToken)
    {
        JsonObject body = await ArmJson.ReadObjectAsync(context.Request, cancellationToken);
        return ArmResults.Ok(new ShownAccount(await accounts.PatchAsync(Id(context, accountName), body, cancellationToken), false).ToJson(context.Request));
    }

    private static async Task<IResult> DeleteAsync(HttpContext context, string accountName, StorageAccounts accounts, FileServerAccounts fileServers, CancellationToken cancellationToken)
    {
        await fileServers.RequireNoneAsync(Id(context, accountName), cancellationToken);
        return ArmResults.Empty(await accounts.DeleteAsync(Id(context, accountName), cancellationToken) ? StatusCodes.Status200OK : StatusCodes.Status204NoContent);
    }

    /// <summary>There are no shared keys: downloads take the caller's own token, and an account says so (<c>allowSharedKeyAccess</c> false).</summary>
    private static async Task<IResult> ListKeysAsync(HttpContext context, string accountName, StorageAccountView view, CancellationToken cancellationToken)
    {
        await view.GetAsync(Id(context, accountName), cancellationToken);
        throw ArmErrors.Custom(StatusCodes.Status403Forbidden, "KeyBasedAuthenticationNotPermitted",
            "Key based authentication is not permitted on this storage account. Use a bearer token, as for every other request.");
    }

    private static async Task<IResult> CheckNameAsync(HttpContext context, StorageAccounts accounts, CancellationToken cancellationToken)
    {
        JsonObject body = await ArmJson.ReadObjectAsync(context.Request, cancellationToken);
        if (!string.Equals(body.RequiredText("type"), StorageAccounts.Type, StringComparison.OrdinalIgnoreCase))
        {
            throw ArmErrors.InvalidRequestContent($"the type must be {StorageAccounts.Type}", "$.type");
        }
        (string Reason, string Message)? obstacle = await accounts.FindObstacleAsync(body.RequiredText("name"), cancellationToken);
        return ArmResults.Ok(obstacle is var (reason, message)
            ? new JsonObject { ["nameAvailable"] = false, ["reason"] = reason, ["message"] = message }
            : new JsonObject { ["nameAvailable"] = true });
    }

    private static ResourceId Id(HttpContext context, string accountName) => ArmScope.Of(context).ResourceId("Microsoft.Storage", "storageAccounts", accountName);
}
