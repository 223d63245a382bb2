using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Strongroom.Api.Resources;
using Strongroom.Arm;

namespace Strongroom.Api.Fabric;

/// <summary><c>Strongroom.Fabric/hosts</c>, our own type: where virtual machines are found. Since api-version 2026-11-01.</summary>
public static class HostEndpoints
{
    private const string OfGroup = "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Strongroom.Fabric/hosts";
    private const string Host = OfGroup + "/{hostName}";

    public static void MapHosts(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/subscriptions/{subscriptionId}/providers/Strongroom.Fabric/hosts", ListAsync).WithListAction("Strongroom.Fabric/hosts/read");
        routes.MapGet(OfGroup, ListAsync).WithListAction("Strongroom.Fabric/hosts/read");
        routes.MapGet(Host, GetAsync).WithAction("Strongroom.Fabric/hosts/read");
        routes.MapPut(Host, PutAsync).WithAction("Strongroom.Fabric/hosts/write");
        routes.MapPatch(Host, PatchAsync).WithAction("Strongroom.Fabric/hosts/write");
        routes.MapDelete(Host, DeleteAsync).WithAction("Strongroom.Fabric/hosts/delete");
    }

    private static async Task<IResult> ListAsync(HttpContext context, IResourceStore store, HostView view, CancellationToken cancellationToken)
    {
        PageRequest request = Paging.Read(context.Request);
        ArmScope scope = ArmScope.Of(context);
        IReadOnlyList<TrackedResource> hosts = await store.ListAsync(scope.SubscriptionId, scope.Group?.Name, Hosts.Type, cancellationToken);
        Page<TrackedResource> page = Paging.Take(context.WhereAllowed(hosts, static h => h.Id.ToString()), static h => h.Id.ToString(), request);
        IReadOnlyDictionary<TrackedResource, JsonObject> shown = await view.ShowAsync(page.Items, scope.SubscriptionId, scope.Group?.Name, cancellationToken);
        return ArmResults.Page(context.Request, page, host => shown[host]);
    }

    private static async Task<IResult> GetAsync(HttpContext context, string hostName, TrackedResources resources, HostView view, CancellationToken cancellationToken)
    {
        TrackedResource host = await resources.GetAsync(Id(context, hostName), cancellationToken);
        return ArmResults.Ok(await view.ShowAsync(host, cancellationToken));
    }

    private static async Task<IResult> PutAsync(HttpContext context, string hostName, Hosts hosts, HostView view, CancellationToken cancellationToken)
    {
        JsonObject body = await ArmJson.ReadObjectAsync(context.Request, cancellationToken);
        (TrackedResource host, bool isCreated) = await hosts.PutAsync(Id(context, hostName), body, cancellationToken);
        JsonObject json = await view.ShowAsync(host, cancellationToken);
        return isCreated ? ArmResults.Created(json) : ArmResults.Ok(json);
    }

    private static async Task<IResult> PatchAsync(HttpContext context, string hostName, Hosts hosts, HostView view, CancellationToken cancellationToken)
    {
        JsonObject body = await ArmJson.ReadObjectAsync(context.Request, cancellationToken);
        return ArmResults.Ok(await view.ShowAsync(await hosts.PatchAsync(Id(context, hostName), body, cancellationToken), cancellationToken));
    }

    private static Task<IResult> DeleteAsync(HttpContext context, string hostName, TrackedResources resources, CancellationToken cancellationToken) =>
        resources.DeleteAsync(Id(context, hostName), cancellationToken);

    private static ResourceId Id(HttpContext context, string hostName) => ArmScope.Of(context).ResourceId("Strongroom.Fabric", "hosts", hostName);
}
