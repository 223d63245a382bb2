using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Strongroom.Api.Resources;
using Strongroom.Arm;

namespace Strongroom.Api.Authorization;

/// <summary><c>Microsoft.Authorization/roleAssignments</c>, at a subscription, a group or a resource.</summary>
internal static class RoleAssignmentEndpoints
{
    private const string Type = "Microsoft.Authorization/roleAssignments";

    public static void MapRoleAssignments(this IEndpointRouteBuilder routes)
    {
        foreach (string scope in RoleScopes.Patterns)
        {
            string assignments = $"{scope}/providers/{Type}";
            string assignment = assignments + "/{roleAssignmentName}";
            routes.MapGet(assignments, ListAsync).WithAction(Type + "/read");
            routes.MapGet(assignment, GetAsync).WithAction(Type + "/read");
            routes.MapPut(assignment, PutAsync).WithAction(Type + "/write");
            routes.MapDelete(assignment, DeleteAsync).WithAction(Type + "/delete");
        }
    }

    /// <summary>Those over the scope, above it and below it; with atScope() not those below.</summary>
    private static async Task<IResult> ListAsync(HttpContext context, IRoleAssignmentStore store, CancellationToken cancellationToken)
    {
        PageRequest page = Paging.Read(context.Request);
        string scope = RoleScopes.Of(context);
        RoleFilter filter = RoleFilter.Parse(context.Request.Query["$filter"]).OnlyFor("principalId");
        IEnumerable<RoleAssignment> all = Standing(context).Concat(await store.ListAsync(null, cancellationToken));
        IEnumerable<RoleAssignment> found = all.Where(a =>
            filter.Allows("principalId", a.PrincipalId.ToString()) && (a.Covers(scope) || (!filter.IsAtScope && RoleAssignment.IsWithin(a.Scope, scope))));
        return ArmResults.Page(context.Request, Paging.Take(found, static a => a.Name.ToString(), page), assignment => ToJson(context, assignment));
    }

    private static async Task<IResult> GetAsync(HttpContext context, string roleAssignmentName, IRoleAssignmentStore store, CancellationToken cancellationToken) =>
        await FindAsync(context, roleAssignmentName, store, cancellationToken) is { } assignment
            ? ArmResults.Ok(ToJson(context, assignment))
            : throw ArmErrors.Custom(StatusCodes.Status404NotFound, "RoleAssignmentNotFound", $"The role assignment '{NameOf(roleAssignmentName)}' is not found.");

    private static async Task<IResult> PutAsync(HttpContext context, string roleAssignmentName, IRoleAssignmentStore store, TimeProvider time, CancellationToken cancellationToken)
    {
        Guid name = NameOf(roleAssignmentName);
        JsonObject body = await ArmJson.ReadObjectAsync(context.Request, cancellationToken);
        RoleAssignment wanted = Read(context, name, body, time.GetUtcNow());
        if (Standing(context).Any(a => a.Name == name)) throw NotChangeable();
        AssignOutcome outcome = await store.PutAsync(wanted, cancellationToken);
        return outcome switch
        {
            AssignOutcome.Created => ArmResults.Created(ToJson(context, wanted)),
            AssignOutcome.Unchanged => ArmResults.Ok(ToJson(context, (await store.FindAsync(name, cancellationToken)) ?? wanted)),
            AssignOutcome.Duplicate => throw ArmErrors.Custom(StatusCodes.Status409Conflict, "RoleAssignmentExists", "The role assignment already exists."),
            _ => throw ArmErrors.Custom(StatusCodes.Status400BadRequest, "RoleAssignmentUpdateNotPermitted", "The principal, the role and the scope of a role assignment are not allowed to be updated."),
        };
    }

    private static async Task<IResult> DeleteAsync(HttpContext context, string roleAssignmentName, IRoleAssignmentStore store, CancellationToken cancellationToken)
    {
        if (await FindAsync(context, roleAssignmentName, store, cancellationToken) is not { } assignment) return ArmResults.Empty(StatusCodes.Status204NoContent);
        if (assignment.IsStanding) throw NotChangeable();
        await store.DeleteAsync(assignment.Name, cancellationToken);
        return ArmResults.Ok(ToJson(context, assignment));
    }

    /// <summary>The assignment, if it is one of the very scope in the path: the caller was asked for rights there and nowhere else.</summary>
    private static async Task<RoleAssignment?> FindAsync(HttpContext context, string text, IRoleAssignmentStore store, CancellationToken cancellationToken)
    {
        Guid name = NameOf(text);
        RoleAssignment? found = Standing(context).FirstOrDefault(a => a.Name == name) ?? await store.FindAsync(name, cancellationToken);
        return found is not null && found.Scope.Equals(RoleScopes.Of(context), StringComparison.OrdinalIgnoreCase) ? found : null;
    }

    private static RoleAssignment Read(HttpContext context, Guid name, JsonObject body, DateTimeOffset now)
    {
        JsonObject properties = body.OptionalObject("properties") ?? throw ArmErrors.InvalidRequestContent("an object with roleDefinitionId and principalId is required", "$.properties");
        string role = properties.RequiredText("roleDefinitionId");
        if (!Guid.TryParse(role[(role.LastIndexOf('/') + 1)..], out Guid roleId) || BuiltInRoles.Find(roleId) is null)
            throw ArmErrors.Custom(StatusCodes.Status400BadRequest, "RoleDefinitionDoesNotExist", "The specified role definition does not exist. Only built-in roles exist here.", "properties.roleDefinitionId");
        if (!Guid.TryParse(properties.RequiredText("principalId"), out Guid principalId))
            throw ArmErrors.Custom(StatusCodes.Status400BadRequest, "InvalidPrincipalId", "The principalId is not a GUID; it is the object id of a principal, not its application id.", "properties.principalId");
        // A condition narrows what is granted: to leave it out would grant more than was asked for.
        if (!string.IsNullOrEmpty(properties.OptionalText("condition")))
            throw ArmErrors.Custom(StatusCodes.Status400BadRequest, "ConditionsNotSupported", "Conditions of role assignments are not supported here.", "properties.condition");
        string type = properties.OptionalText("principalType") is { Length: > 0 and <= 40 } said ? said : "ServicePrincipal";
        return new(name, RoleScopes.Of(context), roleId, principalId, type, now, Caller.Of(context)?.ObjectId) { Description = Short(properties.OptionalText("description")) };
    }

    private static string? Short(string? description) => description is null or { Length: <= 1024 }
        ? description
        : throw ArmErrors.InvalidRequestContent("a description has at most 1024 characters", "$.properties.description");

    private static Guid NameOf(string text) => Guid.TryParseExact(text, "D", out Guid name)
        ? name
        : throw ArmErrors.Custom(StatusCodes.Status400BadRequest, "InvalidRoleAssignmentId", "The name of a role assignment must be a GUID.");

    private static ArmException NotChangeable() => ArmErrors.Custom(StatusCodes.Status409Conflict, "CannotDeleteLastRbacAdminAssignment",
        "This is the assignment of the administrator of this installation; it cannot be changed or deleted.");

    private static IReadOnlyList<RoleAssignment> Standing(HttpContext context) => context.RequestServices.GetService<AccessControl>()?.Standing ?? [];

    private static JsonObject ToJson(HttpContext context, RoleAssignment assignment)
    {
        RoleDefinition role = BuiltInRoles.Find(assignment.RoleId)!;
        var properties = new JsonObject
        {
            ["roleDefinitionId"] = RoleDefinitionEndpoints.IdOf(role, ArmScope.Of(context)),
            ["principalId"] = assignment.PrincipalId.ToString(),
            ["scope"] = assignment.Scope,
        };
        // The first version knew no more than these.
        if (ApiVersion.Of(context.Request).IsFrom(2018, 1, 1))
        {
            string createdBy = assignment.CreatedBy?.ToString() ?? "";
            properties["principalType"] = assignment.PrincipalType;
            properties["condition"] = null;
            properties["conditionVersion"] = null;
            properties["createdOn"] = TrackedResources.Time(assignment.CreatedAt);
            properties["updatedOn"] = TrackedResources.Time(assignment.CreatedAt);
            properties["createdBy"] = createdBy;
            properties["updatedBy"] = createdBy;
            properties["delegatedManagedIdentityResourceId"] = null;
            properties["description"] = assignment.Description;
        }
        return new JsonObject { ["id"] = assignment.Id.ToString(), ["name"] = assignment.Name.ToString(), ["type"] = Type, ["properties"] = properties };
    }
}
