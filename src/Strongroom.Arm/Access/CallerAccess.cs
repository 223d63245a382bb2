using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Strongroom.Arm;

/// <summary>What the sender of a request may do: the caller's role assignments as they were when the request came. Immutable.</summary>
public sealed class CallerAccess
{
    private readonly (string Scope, RoleDefinition Role)[] _grants;

    internal CallerAccess(Caller caller, IEnumerable<RoleAssignment> assignments)
    {
        Caller = caller;
        _grants = [.. assignments.Select(static a => (a.Scope, Role: BuiltInRoles.Find(a.RoleId))).Where(static g => g.Role is not null).Select(static g => (g.Scope, g.Role!))];
    }

    public Caller Caller { get; }

    /// <summary>Whether a role over the scope, or over one above it, grants the action.</summary>
    public bool Allows(string action, string scope) => _grants.Any(g => RoleAssignment.IsWithin(scope, g.Scope) && g.Role.Allows(action));

    /// <summary>Whether the caller has any role at the scope, above it or below it.</summary>
    public bool HasAnyWithin(string scope) => _grants.Any(g => RoleAssignment.IsWithin(g.Scope, scope) || RoleAssignment.IsWithin(scope, g.Scope));

    /// <exception cref="ArmException">403: no role grants the action there.</exception>
    public void Require(string action, string scope)
    {
        if (!Allows(action, scope)) throw ArmErrors.AuthorizationFailed(Caller.ClientId, Caller.ObjectId.ToString(), action, scope);
    }
}

/// <summary>What endpoints ask about the sender of their request. Where the host has no <see cref="AccessControl"/>, everything is allowed.</summary>
public static class CallerAccessExtensions
{
    /// <summary>Whether the caller may do something; for leaving things out of lists.</summary>
    public static bool Allows(this HttpContext context, string action, string scope) => Access(context) is not { } access || access.Allows(action, scope);

    /// <summary>Those items over which the caller has the action that the endpoint names.</summary>
    public static IEnumerable<T> WhereAllowed<T>(this HttpContext context, IEnumerable<T> items, Func<T, string> scope)
    {
        if (Access(context) is not { } access) return items;
        string action = context.GetEndpoint()?.Metadata.GetMetadata<ArmAction>()?.Name ?? throw new InvalidOperationException("The endpoint names no action.");
        return items.Where(item => access.Allows(action, scope(item)));
    }

    /// <summary>Refuses a request over something that its body names, and its path does not.</summary>
    /// <exception cref="ArmException">403 LinkedAuthorizationFailed.</exception>
    public static void RequireLinked(this HttpContext context, string action, string scope)
    {
        if (Access(context) is { } access && !access.Allows(action, scope))
        {
            string own = context.GetEndpoint()?.Metadata.GetMetadata<ArmAction>()?.Name ?? "";
            throw ArmErrors.LinkedAuthorizationFailed(access.Caller.ClientId, access.Caller.ObjectId.ToString(), own, RequestScope.Of(context.Request.Path), action, scope);
        }
    }

    /// <summary>The caller's access; null where the host has no access control.</summary>
    /// <exception cref="InvalidOperationException">The host has one, and this request passed it by.</exception>
    public static CallerAccess? Access(this HttpContext context) => context.Features.Get<CallerAccess>()
        ?? (context.RequestServices.GetService<AccessControl>() is null ? null : throw new InvalidOperationException("Nobody looked at what the caller may do."));
}
