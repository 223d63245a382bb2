using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Strongroom.Arm;

namespace Strongroom.Api.RecoveryServices.DeletedVaults;

/// <summary>
/// <c>locations/deletedVaults</c>, from api-version 2026 on. Here a vault is deleted only when it holds nothing, not even items that are deleted softly, and
/// then it is gone at once: there are never deleted vaults that could be brought back.
/// </summary>
internal static class DeletedVaultEndpoints
{
    private const string Type = "locations/deletedVaults";

    public static void MapDeletedVaults(this IEndpointRouteBuilder routes)
    {
        var location = routes.MapGroup("/subscriptions/{subscriptionId}/providers/Microsoft.RecoveryServices/locations/{location}/deletedVaults");
        location.AddEndpointFilter(RequireVersionAsync);
        location.MapGet("", () => ArmResults.List([])).WithAction("Microsoft.RecoveryServices/locations/deletedVaults/read");
        location.MapGet("/{deletedVaultName}", (Delegate)NotFound).WithAction("Microsoft.RecoveryServices/locations/deletedVaults/read");
        location.MapPost("/{deletedVaultName}/undelete", (Delegate)UndeleteAsync).WithAction("Microsoft.RecoveryServices/locations/deletedVaults/undelete/action");
        location.MapGet("/{deletedVaultName}/operations/{operationId}", (Delegate)NotFound).WithAction("Microsoft.RecoveryServices/locations/deletedVaults/read");
    }

    private static ValueTask<object?> RequireVersionAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var http = context.HttpContext;
        var version = ApiVersion.Of(http.Request);
        if (!version.IsFrom(2026, 1, 1)) throw ArmErrors.InvalidResourceType(Type, "Microsoft.RecoveryServices", version.Text);
        http.RequestServices.GetRequiredService<ArmOptions>().RequireLocation(http.Route("location"), "Microsoft.RecoveryServices/" + Type);
        return next(context);
    }

    private static async Task<IResult> UndeleteAsync(HttpContext context)
    {
        var body = await ArmJson.ReadObjectAsync(context.Request, context.RequestAborted);
        var sent = body.OptionalObject("properties") ?? throw ArmErrors.InvalidRequestContent("an object is required", "$.properties");
        var group = sent.RequiredText("recoveryResourceGroupId");
        if (!ResourceId.TryParse(group, out _)) throw ArmErrors.InvalidResourceId(group, "properties.recoveryResourceGroupId");
        return NotFound(context);
    }

    private static IResult NotFound(HttpContext context)
    {
        var name = context.Route("deletedVaultName");
        throw ResourceNames.IsSegment(name)
            ? ArmErrors.Custom(StatusCodes.Status404NotFound, "ResourceNotFound", $"There is no deleted vault '{name}' that could be brought back: vaults are deleted only when they hold nothing.")
            : ArmErrors.InvalidRequestUri(name);
    }
}
