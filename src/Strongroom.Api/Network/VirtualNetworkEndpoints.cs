using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Strongroom.Api.Resources;
using Strongroom.Arm;

namespace Strongroom.Api.Network;

/// <summary><c>Microsoft.Network/virtualNetworks</c>: what clients look for before they restore a machine into one.</summary>
public static class VirtualNetworkEndpoints
{
    private const string OfGroup = "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Network/virtualNetworks";
    private const string Network = OfGroup + "/{virtualNetworkName}";

    public static void MapVirtualNetworks(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/subscriptions/{subscriptionId}/providers/Microsoft.Network/virtualNetworks", ListAsync).WithListAction("Microsoft.Network/virtualNetworks/read");
        routes.MapGet(OfGroup, ListAsync).WithListAction("Microsoft.Network/virtualNetworks/read");
        routes.MapGet(Network, GetAsync).WithAction("Microsoft.Network/virtualNetworks/read");
        routes.MapPut(Network, PutAsync).WithAction("Microsoft.Network/virtualNetworks/write");
        routes.MapDelete(Network, DeleteAsync).WithAction("Microsoft.Network/virtualNetworks/delete");
    }

    private static async Task<IResult> ListAsync(HttpContext context, IResourceStore store, CancellationToken cancellationToken)
    {
        PageRequest page = Paging.Read(context.Request);
        ArmScope scope = ArmScope.Of(context);
        IReadOnlyList<TrackedResource> networks = await store.ListAsync(scope.SubscriptionId, scope.Group?.Name, VirtualNetworks.Type, cancellationToken);
        return ArmResults.Page(context.Request, Paging.Take(context.WhereAllowed(networks, static n => n.Id.ToString()), static n => n.Id.ToString(), page), VirtualNetworks.ToJson);
    }

    private static async Task<IResult> GetAsync(HttpContext context, string virtualNetworkName, TrackedResources resources, CancellationToken cancellationToken) =>
        ArmResults.Ok(VirtualNetworks.ToJson(await resources.GetAsync(Id(context, virtualNetworkName), cancellationToken)));

    private static async Task<IResult> PutAsync(HttpContext context, string virtualNetworkName, VirtualNetworks networks, CancellationToken cancellationToken)
    {
        JsonObject body = await ArmJson.ReadObjectAsync(context.Request, cancellationToken);
        (TrackedResource network, bool isCreated) = await networks.PutAsync(Id(context, virtualNetworkName), body, cancellationToken);
        return isCreated ? ArmResults.Created(VirtualNetworks.ToJson(network)) : ArmResults.Ok(VirtualNetworks.ToJson(network));
    }

    private static Task<IResult> DeleteAsync(HttpContext context, string virtualNetworkName, TrackedResources resources, CancellationToken cancellationToken) =>
        resources.DeleteAsync(Id(context, virtualNetworkName), cancellationToken);

    private static ResourceId Id(HttpContext context, string name) => ArmScope.Of(context).ResourceId("Microsoft.Network", "virtualNetworks", name);
}
