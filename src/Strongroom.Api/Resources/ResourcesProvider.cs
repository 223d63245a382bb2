using Strongroom.Arm;

namespace Strongroom.Api.Resources;

/// <summary><c>Microsoft.Resources</c>: subscriptions, groups and locations. Groups are not resources of a group, so its list is empty.</summary>
internal sealed class ResourcesProvider : ResourcelessProvider
{
    private static readonly string[] s_versions = ["2022-09-01", "2021-04-01", "2020-06-01"];

    public override string Namespace => "Microsoft.Resources";

    public override IReadOnlyList<ResourceTypeInfo> ResourceTypes { get; } =
    [
        new("tenants", ["2022-12-01", "2019-11-01"], []),
        new("subscriptions", ["2022-12-01", "2019-11-01"], []),
        new("subscriptions/locations", ["2022-12-01", "2019-11-01"], []),
        new("subscriptions/providers", s_versions, []),
        new("subscriptions/resources", s_versions, []),
        new("subscriptions/resourceGroups", s_versions, []),
        new("resourceGroups", s_versions),
        new("subscriptions/operationresults", s_versions, []),
        new("operations", s_versions, []),
    ];

    public override IReadOnlyList<ProviderOperation> Operations { get; } =
    [
        Of("subscriptions/read", "Subscriptions", "Get subscription", "Gets the list of subscriptions."),
        Of("subscriptions/locations/read", "Locations", "Get subscription locations", "Gets the list of locations."),
        Of("subscriptions/providers/read", "Providers", "Get providers", "Gets or lists resource providers."),
        Of("subscriptions/providers/register/action", "Providers", "Register provider", "Accepts a registration, which is always there."),
        Of("subscriptions/providers/unregister/action", "Providers", "Unregister provider", "Refuses to take a registration away."),
        Of("providers/read", "Providers", "Get providers", "Gets or lists the resource providers of the installation."),
        Of("providers/operations/read", "Providers", "Get operations", "Gets the operations of a resource provider."),
        Of("subscriptions/resources/read", "Resources", "Get resources", "Gets the resources of a subscription."),
        Of("subscriptions/resourceGroups/read", "Resource Group", "Get resource group", "Gets or lists resource groups."),
        Of("subscriptions/resourceGroups/write", "Resource Group", "Create or update resource group", "Creates or updates a resource group."),
        Of("subscriptions/resourceGroups/delete", "Resource Group", "Delete resource group", "Deletes a resource group and all its resources."),
        Of("subscriptions/resourceGroups/resources/read", "Resources", "Get resource group resources", "Gets the resources of a resource group."),
        Of("subscriptions/operationresults/read", "Operation Results", "Get operation result", "Gets the result of the deletion of a resource group."),
        Of("tenants/read", "Tenants", "Get tenants", "Gets the list of tenants."),
    ];

    private static ProviderOperation Of(string name, string resource, string operation, string description) =>
        new("Microsoft.Resources/" + name, "Microsoft Resources", resource, operation, description);
}
