using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Strongroom.Arm;
using Strongroom.Backup.FileShares;

namespace Strongroom.Api.Storage;

/// <summary><c>Microsoft.Storage/storageAccounts/fileServices/shares</c>: the shares of the file servers, which are only shown.</summary>
public static class ShareEndpoints
{
    private const string Services = "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Storage/storageAccounts/{accountName}/fileServices";
    private const string Shares = Services + "/default/shares";

    public static void MapShares(this IEndpointRouteBuilder routes)
    {
        routes.MapGet(Services, ListServicesAsync).WithAction("Microsoft.Storage/storageAccounts/fileServices/read");
        routes.MapGet(Services + "/default", GetServiceAsync).WithAction("Microsoft.Storage/storageAccounts/fileServices/read");
        routes.MapGet(Shares, ListAsync).WithAction("Microsoft.Storage/storageAccounts/fileServices/shares/read");
        routes.MapGet(Shares + "/{shareName}", GetAsync).WithAction("Microsoft.Storage/storageAccounts/fileServices/shares/read");
    }

    private static async Task<IResult> ListServicesAsync(HttpContext context, string accountName, StorageAccountView view, CancellationToken cancellationToken) =>
        ArmResults.Ok(new JsonObject { ["value"] = new JsonArray(ServiceOf(await view.GetAsync(Id(context, accountName), cancellationToken))) });

    private static async Task<IResult> GetServiceAsync(HttpContext context, string accountName, StorageAccountView view, CancellationToken cancellationToken) =>
        ArmResults.Ok(ServiceOf(await view.GetAsync(Id(context, accountName), cancellationToken)));

    private static async Task<IResult> ListAsync(HttpContext context, string accountName, StorageAccountView view, IFileShareFabric fabric, CancellationToken cancellationToken)
    {
        PageRequest page = ReadPage(context.Request);
        if (!string.IsNullOrEmpty(context.Request.Query["$filter"])) throw ArmErrors.InvalidQueryParameter("$filter", "shares cannot be filtered here");
        IReadOnlyList<AccountShare> shares = await SharesAsync(await view.GetAsync(Id(context, accountName), cancellationToken), fabric, cancellationToken);
        return ArmResults.Page(context.Request, Paging.Take(shares, static s => s.Name, page), ToJson);
    }

    private static async Task<IResult> GetAsync(HttpContext context, string accountName, string shareName, StorageAccountView view, IFileShareFabric fabric, CancellationToken cancellationToken)
    {
        IReadOnlyList<AccountShare> shares = await SharesAsync(await view.GetAsync(Id(context, accountName), cancellationToken), fabric, cancellationToken);
        return ArmResults.Ok(ToJson(shares.FirstOrDefault(s => s.Name.Equals(shareName, StringComparison.OrdinalIgnoreCase))
            ?? throw ArmErrors.Custom(StatusCodes.Status404NotFound, "ShareNotFound", "The specified share does not exist.")));
    }

    /// <summary>The shares, live. An account of blobs has none.</summary>
    private static async Task<IReadOnlyList<AccountShare>> SharesAsync(ShownAccount shown, IFileShareFabric fabric, CancellationToken cancellationToken)
    {
        ResourceId id = shown.Account.Id;
        if (!shown.IsFileServer || await fabric.FindAccountAsync(id.SubscriptionId!, id.ResourceGroup!, id.Name, cancellationToken) is not { } account) return [];
        try
        {
            return await fabric.ListSharesAsync(account, cancellationToken);
        }
        catch (ShareException failure)
        {
            throw ArmErrors.Custom(StatusCodes.Status409Conflict, "FileServerUnavailable", failure.Message);
        }
    }

    /// <summary>This list's page size is <c>$maxpagesize</c>, as the service describes it.</summary>
    private static PageRequest ReadPage(HttpRequest request)
    {
        PageRequest page = Paging.Read(request);
        if (request.Query["$maxpagesize"].ToString() is not { Length: > 0 } size) return page;
        if (!int.TryParse(size, NumberStyles.None, CultureInfo.InvariantCulture, out int count) || count < 1) throw ArmErrors.InvalidQueryParameter("$maxpagesize", "it must be a whole number from 1");
        return page with { Count = Math.Min(count, page.Count) };
    }

    private static JsonObject ServiceOf(ShownAccount shown) => new()
    {
        ["sku"] = shown.Account.Sku?.DeepClone(),
        ["id"] = shown.Id + "/fileServices/default",
        ["name"] = "default",
        ["type"] = "Microsoft.Storage/storageAccounts/fileServices",
        ["properties"] = new JsonObject
        {
            ["cors"] = new JsonObject { ["corsRules"] = new JsonArray() },
            ["shareDeleteRetentionPolicy"] = new JsonObject { ["enabled"] = false, ["days"] = 0 },
        },
    };

    private static JsonObject ToJson(AccountShare share) => new()
    {
        ["id"] = share.ResourceId,
        ["name"] = share.Name,
        ["type"] = "Microsoft.Storage/storageAccounts/fileServices/shares",
        ["properties"] = new JsonObject { ["enabledProtocols"] = "SMB", ["leaseStatus"] = "unlocked", ["leaseState"] = "available" },
    };

    private static ResourceId Id(HttpContext context, string accountName) => ArmScope.Of(context).ResourceId("Microsoft.Storage", "storageAccounts", accountName);
}
