using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Strongroom.Arm;

namespace Strongroom.Api.Resources;

/// <summary>The lists over all providers: <c>resources</c> of a subscription or a group, with <c>$filter</c>, <c>$expand</c> and pages.</summary>
public static class ResourceListEndpoints
{
    private static readonly string[] s_filterKeys = ["resourceType", "resourceGroup", "location", "name", .. TagFilter.Keys];
    private static readonly string[] s_expandable = ["createdTime", "changedTime", "provisioningState"];

    public static void MapResourceLists(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/subscriptions/{subscriptionId}/resources", ListAsync).WithListAction("Microsoft.Resources/subscriptions/resources/read");
        routes.MapGet("/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/resources", ListAsync).WithListAction("Microsoft.Resources/subscriptions/resourceGroups/resources/read");
    }

    private static async Task<IResult> ListAsync(HttpContext context, IEnumerable<IResourceProvider> providers, CancellationToken cancellationToken)
    {
        PageRequest page = Paging.Read(context.Request);
        ODataFilter filter = ODataFilter.Parse(context.Request.Query["$filter"]).OnlyKeys(s_filterKeys);
        TagFilter tags = TagFilter.Read(filter);
        HashSet<string> expanded = ReadExpand(context.Request);
        List<ArmResourceSummary> found = [];
        foreach (IResourceProvider provider in providers)
        {
            await foreach (ArmResourceSummary resource in provider.ListAsync(ArmScope.Of(context).SubscriptionId, ArmScope.Of(context).Group?.Name, cancellationToken))
            {
                if (Allows(filter, resource) && tags.Allows(resource.Tags) && context.Allows(resource.Id.Type + "/read", resource.Id.ToString())) found.Add(resource);
            }
        }
        return ArmResults.Page(context.Request, Paging.Take(found, static r => r.Id.ToString(), page), resource => ToJson(resource, expanded));
    }

    private static bool Allows(ODataFilter filter, ArmResourceSummary resource) =>
        filter.Allows("resourceType", resource.Id.Type) && filter.Allows("resourceGroup", resource.Id.ResourceGroup)
        && filter.Allows("location", resource.Location) && filter.Allows("name", resource.Id.Name);

    private static HashSet<string> ReadExpand(HttpRequest request)
    {
        string[] words = request.Query["$expand"].ToString().Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (Array.Find(words, static word => !s_expandable.Contains(word, StringComparer.OrdinalIgnoreCase)) is { } unknown)
        {
            throw ArmErrors.InvalidQueryParameter("$expand", $"'{unknown}' is none of {string.Join(", ", s_expandable)}");
        }
        return new HashSet<string>(words, StringComparer.OrdinalIgnoreCase);
    }

    private static JsonObject ToJson(ArmResourceSummary resource, HashSet<string> expanded)
    {
        JsonObject json = TrackedResources.Frame(resource.Id, resource.Location, resource.Tags);
        if (resource.Kind is not null) json["kind"] = resource.Kind;
        if (resource.Sku is not null) json["sku"] = resource.Sku.DeepClone();
        if (resource.Identity is not null) json["identity"] = resource.Identity.DeepClone();
        if (resource.ManagedBy is not null) json["managedBy"] = resource.ManagedBy;
        if (expanded.Contains("createdTime") && resource.CreatedAt is { } created) json["createdTime"] = TrackedResources.Time(created);
        if (expanded.Contains("changedTime") && resource.ChangedAt is { } changed) json["changedTime"] = TrackedResources.Time(changed);
        if (expanded.Contains("provisioningState")) json["provisioningState"] = resource.ProvisioningState;
        return json;
    }
}
