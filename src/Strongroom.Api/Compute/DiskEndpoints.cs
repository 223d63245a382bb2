using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Strongroom.Api.Resources;
using Strongroom.Arm;

namespace Strongroom.Api.Compute;

/// <summary><c>Microsoft.Compute/disks</c>: the disks that restores have made.</summary>
public static class DiskEndpoints
{
    private const string OfGroup = "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Compute/disks";

    public static void MapDisks(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/subscriptions/{subscriptionId}/providers/Microsoft.Compute/disks", ListAsync).WithListAction("Microsoft.Compute/disks/read");
        routes.MapGet(OfGroup, ListAsync).WithListAction("Microsoft.Compute/disks/read");
        routes.MapGet(OfGroup + "/{diskName}", GetAsync).WithAction("Microsoft.Compute/disks/read");
        routes.MapDelete(OfGroup + "/{diskName}", DeleteAsync).WithAction("Microsoft.Compute/disks/delete");
    }

    private static async Task<IResult> ListAsync(HttpContext context, IResourceStore store, CancellationToken cancellationToken)
    {
        PageRequest page = Paging.Read(context.Request);
        ArmScope scope = ArmScope.Of(context);
        IReadOnlyList<TrackedResource> disks = await store.ListAsync(scope.SubscriptionId, scope.Group?.Name, ComputeProvider.DiskType, cancellationToken);
        return ArmResults.Page(context.Request, Paging.Take(context.WhereAllowed(disks, static d => d.Id.ToString()), static d => d.Id.ToString(), page), static disk => TrackedResources.ToJson(disk));
    }

    private static async Task<IResult> GetAsync(HttpContext context, string diskName, TrackedResources resources, CancellationToken cancellationToken) =>
        ArmResults.Ok(TrackedResources.ToJson(await resources.GetAsync(Id(context, diskName), cancellationToken)));

    private static Task<IResult> DeleteAsync(HttpContext context, string diskName, TrackedResources resources, CancellationToken cancellationToken) =>
        resources.DeleteAsync(Id(context, diskName), cancellationToken);

    private static ResourceId Id(HttpContext context, string diskName) => ArmScope.Of(context).ResourceId("Microsoft.Compute", "disks", diskName);
}
