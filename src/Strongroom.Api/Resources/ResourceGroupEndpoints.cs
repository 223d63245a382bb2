using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Strongroom.Arm;

namespace Strongroom.Api.Resources;

/// <summary><c>Microsoft.Resources/resourceGroups</c>.</summary>
public static class ResourceGroupEndpoints
{
    private const string Groups = "/subscriptions/{subscriptionId}/resourceGroups";
    private const string Group = Groups + "/{resourceGroupName}";

    public static void MapResourceGroups(this IEndpointRouteBuilder routes)
    {
        routes.MapGet(Groups, ListAsync).WithListAction("Microsoft.Resources/subscriptions/resourceGroups/read");
        routes.MapGet(Group, GetAsync).WithAction("Microsoft.Resources/subscriptions/resourceGroups/read");
        routes.MapMethods(Group, [HttpMethods.Head], HeadAsync).WithAction("Microsoft.Resources/subscriptions/resourceGroups/read");
        routes.MapPut(Group, PutAsync).WithAction("Microsoft.Resources/subscriptions/resourceGroups/write");
        routes.MapPatch(Group, PatchAsync).WithAction("Microsoft.Resources/subscriptions/resourceGroups/write");
        routes.MapDelete(Group, DeleteAsync).WithAction("Microsoft.Resources/subscriptions/resourceGroups/delete");
        routes.MapGet("/subscriptions/{subscriptionId}/operationresults/{operationId}", ResultAsync).WithAction("Microsoft.Resources/subscriptions/operationresults/read");
    }

    private static async Task<IResult> ListAsync(HttpContext context, IResourceStore store, CancellationToken cancellationToken)
    {
        PageRequest page = Paging.Read(context.Request);
        TagFilter filter = TagFilter.Read(ODataFilter.Parse(context.Request.Query["$filter"]).OnlyKeys(TagFilter.Keys));
        IReadOnlyList<ResourceGroup> groups = await store.ListGroupsAsync(ArmScope.Of(context).SubscriptionId, cancellationToken);
        return ArmResults.Page(context.Request, Paging.Take(context.WhereAllowed(groups, static g => g.Id.ToString()).Where(g => filter.Allows(g.Tags)), static g => g.Name, page), ToJson);
    }

    private static async Task<IResult> GetAsync(HttpContext context, string resourceGroupName, ResourceGroups groups, CancellationToken cancellationToken) =>
        ArmResults.Ok(ToJson(await groups.GetAsync(ArmScope.Of(context).SubscriptionId, resourceGroupName, cancellationToken)));

    private static async Task<IResult> HeadAsync(HttpContext context, string resourceGroupName, IResourceStore store, CancellationToken cancellationToken) =>
        ArmResults.Empty(await store.GetGroupAsync(ArmScope.Of(context).SubscriptionId, resourceGroupName, cancellationToken) is null
            ? StatusCodes.Status404NotFound
            : StatusCodes.Status204NoContent);

    private static async Task<IResult> PutAsync(HttpContext context, string resourceGroupName, ResourceGroups groups, CancellationToken cancellationToken)
    {
        JsonObject body = await ArmJson.ReadObjectAsync(context.Request, cancellationToken);
        (ResourceGroup group, bool isCreated) = await groups.PutAsync(ArmScope.Of(context).SubscriptionId, resourceGroupName, body, cancellationToken);
        return isCreated ? ArmResults.Created(ToJson(group)) : ArmResults.Ok(ToJson(group));
    }

    private static async Task<IResult> PatchAsync(HttpContext context, string resourceGroupName, ResourceGroups groups, CancellationToken cancellationToken)
    {
        JsonObject body = await ArmJson.ReadObjectAsync(context.Request, cancellationToken);
        return ArmResults.Ok(ToJson(await groups.PatchAsync(ArmScope.Of(context).SubscriptionId, resourceGroupName, body, cancellationToken)));
    }

    private static async Task<IResult> DeleteAsync(HttpContext context, string resourceGroupName, ResourceGroups groups, CancellationToken cancellationToken)
    {
        string subscriptionId = ArmScope.Of(context).SubscriptionId;
        ResourceGroup deleted = await groups.DeleteAsync(subscriptionId, resourceGroupName, cancellationToken);
        return new LongRunning { LocationPath = $"/subscriptions/{subscriptionId}/operationresults/{GroupDeletion.Of(deleted)}" };
    }

    /// <summary>202 while the group is still there, then 200: what clients poll after a DELETE.</summary>
    private static async Task<IResult> ResultAsync(HttpContext context, string operationId, IResourceStore store, CancellationToken cancellationToken)
    {
        if (!GroupDeletion.TryParse(operationId, out GroupDeletion? deletion)) throw ArmErrors.NotFound(context.Request.Path);
        ResourceGroup? group = await store.GetGroupAsync(ArmScope.Of(context).SubscriptionId, deletion.GroupName, cancellationToken);
        return deletion.IsDone(group) ? ArmResults.Empty(StatusCodes.Status200OK) : new LongRunning { LocationPath = context.Request.Path.Value };
    }

    private static JsonObject ToJson(ResourceGroup group)
    {
        var json = new JsonObject { ["id"] = group.Id.ToString(), ["name"] = group.Name, ["type"] = group.Id.Type, ["location"] = group.Location };
        if (group.ManagedBy is not null) json["managedBy"] = group.ManagedBy;
        if (group.Tags.Count > 0) json["tags"] = ResourceTags.ToJson(group.Tags);
        json["properties"] = new JsonObject { ["provisioningState"] = "Succeeded" };
        return json;
    }
}
