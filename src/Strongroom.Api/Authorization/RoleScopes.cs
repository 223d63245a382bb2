using Microsoft.AspNetCore.Http;
using Strongroom.Arm;

namespace Strongroom.Api.Authorization;

/// <summary>The scopes that roles are defined at and assigned over.</summary>
internal static class RoleScopes
{
    private const string Subscription = "/subscriptions/{subscriptionId}";
    private const string Group = Subscription + "/resourceGroups/{resourceGroupName}";
    private const string Resource = Group + "/providers/{providerNamespace}/{type1}/{name1}";

    /// <summary>As patterns of paths. The deepest resource is a protected item, the fourth in its vault's tree.</summary>
    public static IReadOnlyList<string> Patterns { get; } =
    [
        Subscription, Group, Resource, Resource + "/{type2}/{name2}", Resource + "/{type2}/{name2}/{type3}/{name3}",
        Resource + "/{type2}/{name2}/{type3}/{name3}/{type4}/{name4}",
    ];

    /// <summary>The scope of a request: its path up to this provider, subscription and group in their canonical spelling.</summary>
    public static string Of(HttpContext context)
    {
        string path = context.Request.Path.Value!;
        string scope = path[..path.LastIndexOf("/providers/Microsoft.Authorization/", StringComparison.OrdinalIgnoreCase)];
        return ResourceId.TryParse(scope, out ResourceId? id) ? Canonical(ArmScope.Of(context), id) : throw ArmErrors.InvalidResourceId(scope, "scope");
    }

    private static string Canonical(ArmScope scope, ResourceId id)
    {
        ResourceId start = scope.Group is null ? ResourceId.ForSubscription(scope.SubscriptionId) : scope.Group.Id;
        return start + id.ToString()[start.ToString().Length..];
    }
}
