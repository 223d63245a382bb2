using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Strongroom.Arm;

namespace Strongroom.Api.Authorization;

/// <summary><c>Microsoft.Authorization/roleDefinitions</c>: the built-in roles, at every scope the same.</summary>
internal static class RoleDefinitionEndpoints
{
    private const string Type = "Microsoft.Authorization/roleDefinitions";
    private const string Action = Type + "/read";

    public static void MapRoleDefinitions(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/providers/" + Type, List).WithOpenAction(Action);
        routes.MapGet("/providers/" + Type + "/{roleDefinitionId}", Get).WithOpenAction(Action);
        foreach (string scope in RoleScopes.Patterns)
        {
            routes.MapGet($"{scope}/providers/{Type}", List).WithAction(Action);
            routes.MapGet($"{scope}/providers/{Type}/{{roleDefinitionId}}", Get).WithAction(Action);
        }
    }

    /// <summary>The id of a role, as assignments name it: below the subscription.</summary>
    public static string IdOf(RoleDefinition role, ArmScope? scope) =>
        $"{(scope is null ? "" : "/subscriptions/" + scope.SubscriptionId)}/providers/{Type}/{role.Id}";

    private static IResult List(HttpContext context)
    {
        RoleFilter filter = RoleFilter.Parse(context.Request.Query["$filter"]).OnlyFor("roleName", "type");
        IEnumerable<RoleDefinition> roles = BuiltInRoles.All.Where(r => filter.Allows("roleName", r.RoleName) && filter.Allows("type", "BuiltInRole"));
        return ArmResults.List(roles.Select(r => ToJson(context, r)));
    }

    private static IResult Get(HttpContext context, string roleDefinitionId) =>
        Guid.TryParse(roleDefinitionId, out Guid id) && BuiltInRoles.Find(id) is { } role
            ? ArmResults.Ok(ToJson(context, role))
            : throw ArmErrors.Custom(StatusCodes.Status404NotFound, "RoleDefinitionDoesNotExist", "The specified role definition does not exist. Only built-in roles exist here.");

    private static JsonObject ToJson(HttpContext context, RoleDefinition role) => new()
    {
        ["id"] = IdOf(role, context.Features.Get<ArmScope>()),
        ["name"] = role.Id.ToString(),
        ["type"] = Type,
        ["properties"] = new JsonObject
        {
            ["roleName"] = role.RoleName,
            ["type"] = "BuiltInRole",
            ["description"] = role.Description,
            ["assignableScopes"] = new JsonArray("/"),
            ["permissions"] = new JsonArray(new JsonObject
            {
                ["actions"] = Texts(role.Actions),
                ["notActions"] = Texts(role.NotActions),
                ["dataActions"] = new JsonArray(),
                ["notDataActions"] = new JsonArray(),
            }),
        },
    };

    private static JsonArray Texts(IEnumerable<string> texts) => new([.. texts.Select(static text => JsonValue.Create(text))]);
}
