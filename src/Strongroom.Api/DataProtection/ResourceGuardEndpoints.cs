using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Strongroom.Api.Resources;
using Strongroom.Arm;
using Strongroom.Backup.ResourceGuards;

namespace Strongroom.Api.DataProtection;

/// <summary><c>Microsoft.DataProtection/resourceGuards</c>, and in each the requests that stand for the operations it protects.</summary>
internal static class ResourceGuardEndpoints
{
    private const string OfGroup = "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.DataProtection/resourceGuards";
    private const string Guard = OfGroup + "/{resourceGuardsName}";
    private const string Default = "default";

    // These are the provider's own names of its actions, which the published roles grant.
    private const string Action = "Microsoft.DataProtection/subscriptions/resourceGroups/providers/resourceGuards/";

    public static void MapResourceGuards(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/subscriptions/{subscriptionId}/providers/Microsoft.DataProtection/resourceGuards", ListAsync).WithListAction(ResourceGuards.ReadAction);
        routes.MapGet(OfGroup, ListAsync).WithListAction(ResourceGuards.ReadAction);
        routes.MapGet(Guard, GetAsync).WithAction(ResourceGuards.ReadAction);
        routes.MapPut(Guard, PutAsync).WithAction(Action + "write");
        routes.MapPatch(Guard, PatchAsync).WithAction(Action + "write");
        routes.MapDelete(Guard, DeleteAsync).WithAction(Action + "delete");
        foreach (CriticalOperation operation in CriticalOperation.All)
        {
            string requests = $"{Guard}/{operation.RequestType}", action = $"{Action}{operation.RequestType}/read";
            routes.MapGet(requests, (HttpContext context, string resourceGuardsName, TrackedResources resources) => ListRequestsAsync(context, resourceGuardsName, operation, resources)).WithAction(action);
            routes.MapGet(requests + "/{requestName}", (HttpContext context, string resourceGuardsName, string requestName, TrackedResources resources) =>
                GetRequestAsync(context, resourceGuardsName, operation, requestName, resources)).WithAction(action);
        }
    }

    private static async Task<IResult> ListAsync(HttpContext context, IResourceStore store, CancellationToken cancellationToken)
    {
        PageRequest page = Paging.Read(context.Request);
        ArmScope scope = ArmScope.Of(context);
        IReadOnlyList<TrackedResource> guards = await store.ListAsync(scope.SubscriptionId, scope.Group?.Name, ResourceGuards.Type, cancellationToken);
        return ArmResults.Page(context.Request, Paging.Take(context.WhereAllowed(guards, static g => g.Id.ToString()), static g => g.Id.ToString(), page), ResourceGuards.ToJson);
    }

    private static async Task<IResult> GetAsync(HttpContext context, string resourceGuardsName, TrackedResources resources, CancellationToken cancellationToken) =>
        ArmResults.Ok(ResourceGuards.ToJson(await resources.GetAsync(Id(context, resourceGuardsName), cancellationToken)));

    private static async Task<IResult> PutAsync(HttpContext context, string resourceGuardsName, ResourceGuards guards, CancellationToken cancellationToken)
    {
        JsonObject body = await ArmJson.ReadObjectAsync(context.Request, cancellationToken);
        return ArmResults.Ok(ResourceGuards.ToJson((await guards.PutAsync(Id(context, resourceGuardsName), body, cancellationToken)).Resource));
    }

    private static async Task<IResult> PatchAsync(HttpContext context, string resourceGuardsName, ResourceGuards guards, CancellationToken cancellationToken)
    {
        JsonObject body = await ArmJson.ReadObjectAsync(context.Request, cancellationToken);
        return ArmResults.Ok(ResourceGuards.ToJson(await guards.PatchAsync(Id(context, resourceGuardsName), body, cancellationToken)));
    }

    private static async Task<IResult> DeleteAsync(HttpContext context, string resourceGuardsName, ResourceGuards guards, CancellationToken cancellationToken) =>
        ArmResults.Empty(await guards.DeleteAsync(Id(context, resourceGuardsName), cancellationToken) ? StatusCodes.Status200OK : StatusCodes.Status204NoContent);

    private static async Task<IResult> ListRequestsAsync(HttpContext context, string guardName, CriticalOperation operation, TrackedResources resources)
    {
        TrackedResource guard = await resources.GetAsync(Id(context, guardName), context.RequestAborted);
        return ArmResults.List(ResourceGuards.Protected(guard).Contains(operation) ? [RequestJson(guard, operation)] : []);
    }

    private static async Task<IResult> GetRequestAsync(HttpContext context, string guardName, CriticalOperation operation, string requestName, TrackedResources resources)
    {
        TrackedResource guard = await resources.GetAsync(Id(context, guardName), context.RequestAborted);
        return requestName.Equals(Default, StringComparison.OrdinalIgnoreCase) && ResourceGuards.Protected(guard).Contains(operation)
            ? ArmResults.Ok(RequestJson(guard, operation))
            : throw (ResourceNames.IsSegment(requestName) ? ArmErrors.ResourceNotFound(guard.Id.Child(operation.RequestType, requestName)) : ArmErrors.InvalidRequestUri(requestName));
    }

    private static JsonObject RequestJson(TrackedResource guard, CriticalOperation operation) => new()
    {
        ["id"] = $"{guard.Id}/{operation.RequestType}/{Default}",
        ["name"] = Default,
        ["type"] = $"{ResourceGuards.Type}/{operation.RequestType}",
    };

    private static ResourceId Id(HttpContext context, string name) => ArmScope.Of(context).ResourceId("Microsoft.DataProtection", "resourceGuards", name);
}
