using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Strongroom.Arm;

namespace Strongroom.Api.Resources;

/// <summary>Tenants, subscriptions and locations: what a client asks for after it has signed in.</summary>
public static class SubscriptionEndpoints
{
    public static void MapSubscriptions(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/tenants", (ArmOptions options) => ArmResults.List([Tenant(options)])).WithOpenAction("Microsoft.Resources/tenants/read");
        routes.MapGet("/subscriptions", (HttpContext context, ArmOptions options) => ArmResults.List(options.Subscriptions.Where(s => IsVisible(context, s)).Select(s => Subscription(options, s)))).WithListAction("Microsoft.Resources/subscriptions/read");
        routes.MapGet("/subscriptions/{subscriptionId}", (HttpContext context, ArmOptions options) =>
            IsVisible(context, ArmScope.Of(context).Subscription)
                ? ArmResults.Ok(Subscription(options, ArmScope.Of(context).Subscription))
                : throw ArmErrors.SubscriptionNotFound(ArmScope.Of(context).SubscriptionId)).WithListAction("Microsoft.Resources/subscriptions/read");
        routes.MapGet("/subscriptions/{subscriptionId}/locations", (HttpContext context, ArmOptions options) =>
            ArmResults.List(options.Locations.Select(l => Location(ArmScope.Of(context).SubscriptionId, l)))).WithAction("Microsoft.Resources/subscriptions/locations/read");
    }

    /// <summary>Whoever has a role anywhere in a subscription sees that it exists: sign-in ends with the list of subscriptions.</summary>
    private static bool IsVisible(HttpContext context, ArmSubscription subscription) => context.Access() is not { } access || access.HasAnyWithin("/subscriptions/" + subscription.Id);

    private static JsonObject Tenant(ArmOptions options) => new()
    {
        ["id"] = "/tenants/" + options.TenantId,
        ["tenantId"] = options.TenantId,
        ["displayName"] = options.TenantDisplayName,
        ["tenantCategory"] = "Home",
        ["domains"] = new JsonArray(),
    };

    private static JsonObject Subscription(ArmOptions options, ArmSubscription subscription) => new()
    {
        ["id"] = "/subscriptions/" + subscription.Id,
        ["subscriptionId"] = subscription.Id,
        ["tenantId"] = options.TenantId,
        ["displayName"] = subscription.DisplayName,
        ["state"] = "Enabled",
        ["authorizationSource"] = "RoleBased",
        ["managedByTenants"] = new JsonArray(),
        ["subscriptionPolicies"] = new JsonObject { ["locationPlacementId"] = "Public_2014-09-01", ["quotaId"] = "PayAsYouGo_2014-09-01", ["spendingLimit"] = "Off" },
    };

    // Shape of api-version 2019-11-01. A place in a house has no coordinates that anyone should be told.
    private static JsonObject Location(string subscriptionId, ArmLocation location) => new()
    {
        ["id"] = $"/subscriptions/{subscriptionId}/locations/{location.Name}",
        ["name"] = location.Name,
        ["type"] = "Region",
        ["displayName"] = location.DisplayName,
        ["regionalDisplayName"] = location.DisplayName,
        ["metadata"] = new JsonObject
        {
            ["regionType"] = "Physical",
            ["regionCategory"] = "Recommended",
            ["geographyGroup"] = location.DisplayName,
            ["physicalLocation"] = location.DisplayName,
            ["pairedRegion"] = new JsonArray(),
        },
    };
}
