using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.WebUtilities;
using Strongroom.Api.Resources;
using Strongroom.Arm;

namespace Strongroom.Api.Insights;

/// <summary>The activity log: <c>Microsoft.Insights/eventtypes/management/values</c>, api-version 2015-04-01.</summary>
internal static class ActivityLogEndpoints
{
    private const string Action = "Microsoft.Insights/eventtypes/values/read";
    private const int PageSize = 200;

    public static void MapActivityLog(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/subscriptions/{subscriptionId}/providers/Microsoft.Insights/eventtypes/management/values", ListAsync).WithListAction(Action);

    private static async Task<IResult> ListAsync(HttpContext context, IActivityLog log, ArmOptions options, TimeProvider time, CancellationToken cancellationToken)
    {
        PageRequest page = Paging.Read(context.Request, PageSize);
        string subscriptionId = ArmScope.Of(context).SubscriptionId;
        ActivityQuery query = ActivityFilter.Read(ODataComparison.Parse(context.Request.Query["$filter"]), subscriptionId, time.GetUtcNow());
        // Whoever may read the log of a group asks for that group.
        context.Access()?.Require(Action, query.ResourceGroup is { } group ? ResourceId.ForGroup(subscriptionId, group).ToString() : "/subscriptions/" + subscriptionId);
        IReadOnlyList<(long Number, ActivityEvent Activity)> found = await log.ListAsync(query, Before(page.After), page.Count + 1, cancellationToken);
        string? next = found.Count > page.Count ? found[page.Count - 1].Number.ToString(CultureInfo.InvariantCulture) : null;
        var items = new Page<(long Number, ActivityEvent Activity)>([.. found.Take(page.Count)], next);
        return ArmResults.Page(context.Request, items, e => ToJson(e.Activity, subscriptionId, options));
    }

    private static long? Before(string? after)
    {
        if (after is null) return null;
        return long.TryParse(after, NumberStyles.None, CultureInfo.InvariantCulture, out long number)
            ? number
            : throw ArmErrors.InvalidQueryParameter("$skipToken", "it is not one that this server gave out; start again with the first page");
    }

    private static JsonObject ToJson(ActivityEvent activity, string subscriptionId, ArmOptions options)
    {
        string time = TrackedResources.Time(activity.Time);
        ResourceId? scope = ResourceId.TryParse(activity.Scope, out ResourceId? id) ? id : null;
        string reason = ReasonPhrases.GetReasonPhrase(activity.StatusCode);
        var json = new JsonObject
        {
            ["authorization"] = new JsonObject { ["action"] = activity.Action, ["scope"] = activity.Scope },
            ["caller"] = activity.Caller.ClientId,
            ["channels"] = "Operation",
            ["claims"] = new JsonObject { ["appid"] = activity.Caller.ClientId, ["oid"] = activity.Caller.ObjectId.ToString(), ["tid"] = options.TenantId },
            ["correlationId"] = activity.CorrelationId,
            ["description"] = "",
            ["eventDataId"] = activity.Id.ToString(),
            ["eventName"] = Localized("EndRequest", "End request"),
            ["category"] = Localized("Administrative", "Administrative"),
            ["eventTimestamp"] = time,
            ["httpRequest"] = new JsonObject { ["clientRequestId"] = activity.ClientRequestId, ["clientIpAddress"] = activity.ClientAddress, ["method"] = activity.Method },
            ["id"] = string.Create(CultureInfo.InvariantCulture, $"{activity.Scope}/events/{activity.Id}/ticks/{activity.Time.UtcTicks}"),
            ["level"] = activity.Status == "Failed" ? "Error" : "Informational",
            ["operationId"] = activity.OperationId,
            ["operationName"] = Localized(activity.Action, activity.Action),
            ["resourceId"] = activity.Scope,
            ["resourceProviderName"] = Localized(activity.Action.Split('/')[0], activity.Action.Split('/')[0]),
            ["status"] = Localized(activity.Status, activity.Status),
            ["subStatus"] = Localized(reason.Replace(" ", "", StringComparison.Ordinal), string.Create(CultureInfo.InvariantCulture, $"{reason} (HTTP Status Code: {activity.StatusCode})")),
            ["submissionTimestamp"] = time,
            ["subscriptionId"] = subscriptionId,
            ["tenantId"] = options.TenantId,
            ["properties"] = new JsonObject { ["statusCode"] = reason.Replace(" ", "", StringComparison.Ordinal), ["serviceRequestId"] = activity.OperationId },
        };
        if (scope?.ResourceGroup is { } group) json["resourceGroupName"] = group;
        if (scope is not null) json["resourceType"] = Localized(scope.Type, scope.Type);
        return json;
    }

    private static JsonObject Localized(string value, string text) => new() { ["value"] = value, ["localizedValue"] = text };
}
