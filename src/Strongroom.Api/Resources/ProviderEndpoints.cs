using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Strongroom.Arm;

namespace Strongroom.Api.Resources;

/// <summary>Which providers there are, what types they have, and what operations.</summary>
/// <remarks>Every provider is registered everywhere, and stays so: registration limits what a cloud's tenant sees, which nobody needs at home.</remarks>
public static class ProviderEndpoints
{
    private const string OfSubscription = "/subscriptions/{subscriptionId}/providers";

    public static void MapProviders(this IEndpointRouteBuilder routes)
    {
        routes.MapGet(OfSubscription, List).WithOpenAction("Microsoft.Resources/subscriptions/providers/read");
        routes.MapGet(OfSubscription + "/{providerNamespace}", Get).WithOpenAction("Microsoft.Resources/subscriptions/providers/read");
        routes.MapPost(OfSubscription + "/{providerNamespace}/register", Get).WithAction("Microsoft.Resources/subscriptions/providers/register/action");
        routes.MapPost(OfSubscription + "/{providerNamespace}/unregister", Unregister).WithAction("Microsoft.Resources/subscriptions/providers/unregister/action");
        routes.MapGet("/providers", List).WithOpenAction("Microsoft.Resources/providers/read");
        routes.MapGet("/providers/{providerNamespace}", Get).WithOpenAction("Microsoft.Resources/providers/read");
        routes.MapGet("/providers/{providerNamespace}/operations", Operations).WithOpenAction("Microsoft.Resources/providers/operations/read");
    }

    private static IResult List(HttpContext context, IEnumerable<IResourceProvider> providers, ArmOptions options)
    {
        Page<IResourceProvider> page = Paging.Take(providers, static p => p.Namespace, Paging.Read(context.Request));
        return ArmResults.Page(context.Request, page, provider => ToJson(context, provider, options));
    }

    private static IResult Get(HttpContext context, string providerNamespace, IEnumerable<IResourceProvider> providers, ArmOptions options) =>
        ArmResults.Ok(ToJson(context, Find(providers, providerNamespace), options));

    private static IResult Unregister(string providerNamespace, IEnumerable<IResourceProvider> providers) =>
        throw ArmErrors.Custom(StatusCodes.Status409Conflict, "CannotUnregisterRegistrationFreeProvider",
            $"The resource provider '{Find(providers, providerNamespace).Namespace}' needs no registration and cannot be unregistered.");

    private static IResult Operations(HttpContext context, string providerNamespace, IEnumerable<IResourceProvider> providers)
    {
        IResourceProvider provider = Find(providers, providerNamespace);
        Page<ProviderOperation> page = Paging.Take(provider.Operations, static o => o.Name, Paging.Read(context.Request));
        return ArmResults.Page(context.Request, page, static o => o.ToJson());
    }

    private static IResourceProvider Find(IEnumerable<IResourceProvider> providers, string providerNamespace) =>
        providers.FirstOrDefault(p => p.Namespace.Equals(providerNamespace, StringComparison.OrdinalIgnoreCase))
        ?? throw ArmErrors.InvalidResourceNamespace(providerNamespace);

    private static JsonObject ToJson(HttpContext context, IResourceProvider provider, ArmOptions options)
    {
        string? scope = context.Features.Get<ArmScope>() is { } s ? "/subscriptions/" + s.SubscriptionId : null;
        var json = new JsonObject { ["id"] = $"{scope}/providers/{provider.Namespace}", ["namespace"] = provider.Namespace };
        if (scope is not null)
        {
            json["registrationState"] = "Registered";
            json["registrationPolicy"] = "RegistrationFree";
        }
        json["resourceTypes"] = new JsonArray([.. provider.ResourceTypes.Select(type => new JsonObject
        {
            ["resourceType"] = type.Name,
            ["locations"] = Texts(type.Locations ?? [.. options.Locations.Select(static l => l.DisplayName)]),
            ["apiVersions"] = Texts(type.ApiVersions),
        })]);
        return json;
    }

    private static JsonArray Texts(IEnumerable<string> texts) => new([.. texts.Select(static text => JsonValue.Create(text))]);
}
