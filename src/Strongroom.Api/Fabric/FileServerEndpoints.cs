using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Strongroom.Api.Resources;
using Strongroom.Arm;

namespace Strongroom.Api.Fabric;

/// <summary><c>Strongroom.Fabric/fileServers</c>, our own type: where shares are found. Since api-version 2026-11-01.</summary>
public static class FileServerEndpoints
{
    private const string OfGroup = "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Strongroom.Fabric/fileServers";
    private const string Server = OfGroup + "/{serverName}";

    public static void MapFileServers(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/subscriptions/{subscriptionId}/providers/Strongroom.Fabric/fileServers", ListAsync).WithListAction("Strongroom.Fabric/fileServers/read");
        routes.MapGet(OfGroup, ListAsync).WithListAction("Strongroom.Fabric/fileServers/read");
        routes.MapGet(Server, GetAsync).WithAction("Strongroom.Fabric/fileServers/read");
        routes.MapPut(Server, PutAsync).WithAction("Strongroom.Fabric/fileServers/write");
        routes.MapPatch(Server, PatchAsync).WithAction("Strongroom.Fabric/fileServers/write");
        routes.MapDelete(Server, DeleteAsync).WithAction("Strongroom.Fabric/fileServers/delete");
    }

    private static async Task<IResult> ListAsync(HttpContext context, IResourceStore store, FileServerView view, CancellationToken cancellationToken)
    {
        PageRequest request = Paging.Read(context.Request);
        ArmScope scope = ArmScope.Of(context);
        IReadOnlyList<TrackedResource> servers = await store.ListAsync(scope.SubscriptionId, scope.Group?.Name, FileServers.Type, cancellationToken);
        Page<TrackedResource> page = Paging.Take(context.WhereAllowed(servers, static s => s.Id.ToString()), static s => s.Id.ToString(), request);
        JsonObject[] shown = await Task.WhenAll(page.Items.Select(server => view.ShowAsync(server, cancellationToken)));
        return ArmResults.Page(context.Request, new Page<JsonObject>(shown, page.NextAfter), static json => json);
    }

    private static async Task<IResult> GetAsync(HttpContext context, string serverName, TrackedResources resources, FileServerView view, CancellationToken cancellationToken) =>
        ArmResults.Ok(await view.ShowAsync(await resources.GetAsync(Id(context, serverName), cancellationToken), cancellationToken));

    private static async Task<IResult> PutAsync(HttpContext context, string serverName, FileServers servers, FileServerView view, CancellationToken cancellationToken)
    {
        JsonObject body = await ArmJson.ReadObjectAsync(context.Request, cancellationToken);
        (TrackedResource server, bool isCreated) = await servers.PutAsync(Id(context, serverName), body, cancellationToken);
        JsonObject json = await view.ShowAsync(server, cancellationToken);
        return isCreated ? ArmResults.Created(json) : ArmResults.Ok(json);
    }

    private static async Task<IResult> PatchAsync(HttpContext context, string serverName, FileServers servers, FileServerView view, CancellationToken cancellationToken)
    {
        JsonObject body = await ArmJson.ReadObjectAsync(context.Request, cancellationToken);
        return ArmResults.Ok(await view.ShowAsync(await servers.PatchAsync(Id(context, serverName), body, cancellationToken), cancellationToken));
    }

    private static Task<IResult> DeleteAsync(HttpContext context, string serverName, TrackedResources resources, CancellationToken cancellationToken) =>
        resources.DeleteAsync(Id(context, serverName), cancellationToken);

    private static ResourceId Id(HttpContext context, string serverName) => ArmScope.Of(context).ResourceId("Strongroom.Fabric", "fileServers", serverName);
}
