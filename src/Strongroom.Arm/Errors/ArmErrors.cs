using System.Globalization;

namespace Strongroom.Arm;

/// <summary>Every error Resource Manager itself answers with; providers add theirs through <see cref="Custom"/>.</summary>
/// <remarks>Status and code are the contract with the clients; the messages are ours and carry the same facts.</remarks>
public static partial class ArmErrors
{
    /// <summary>An error of a provider, with its own code.</summary>
    public static ArmException Custom(int status, string code, string message, string? target = null, IReadOnlyList<ArmErrorDetail>? details = null) =>
        new(status, code, message, target, details);

    /// <summary>The resource does not exist; also for anything below a parent that does not.</summary>
    public static ArmException ResourceNotFound(ResourceId id) => new(404, "ResourceNotFound",
        id.ResourceGroup is { } group
            ? $"The Resource '{id.Type}/{id.Name}' under resource group '{group}' was not found. See https://aka.ms/ARMResourceNotFoundFix for what to check."
            : $"The Resource '{id.Type}/{id.Name}' was not found.",
        isGateway: true);

    public static ArmException ResourceGroupNotFound(string resourceGroup) =>
        new(404, "ResourceGroupNotFound", $"Resource group '{resourceGroup}' could not be found.", isGateway: true);

    public static ArmException SubscriptionNotFound(string subscriptionId) =>
        new(404, "SubscriptionNotFound", $"The subscription '{subscriptionId}' could not be found.", isGateway: true);

    public static ArmException InvalidSubscriptionId(string subscriptionId) =>
        new(400, "InvalidSubscriptionId", $"The subscription identifier '{subscriptionId}' is not a GUID.", isGateway: true);

    public static ArmException LocationNotAvailable(string location, string type, IEnumerable<string> locations) =>
        new(400, "LocationNotAvailableForResourceType",
            $"The location '{location}' is not available for resource type '{type}'. Available: '{string.Join(',', locations)}'.", isGateway: true);

    public static ArmException LocationRequired() => new(400, "LocationRequired", "The body must say a location for this resource.", isGateway: true);

    /// <summary>The name exists in another location; a location never changes.</summary>
    public static ArmException InvalidResourceLocation(ResourceId id, string existing, string wanted) => new(409, "InvalidResourceLocation",
        $"The resource '{id.Name}' already exists in location '{existing}' of resource group '{id.ResourceGroup}' and cannot be made in '{wanted}'. Choose another name.",
        isGateway: true);

    public static ArmException InvalidResourceGroupLocation(string resourceGroup, string existing, string wanted) => new(409, "InvalidResourceGroupLocation",
        $"The resource group '{resourceGroup}' already exists in location '{existing}' and cannot be made in '{wanted}'.", isGateway: true);

    public static ArmException InvalidResourceGroup(string resourceGroup) => new(400, "InvalidResourceGroup",
        $"The resource group name '{Shorten(resourceGroup)}' is not allowed: use 1 to 90 letters, digits, hyphens, underscores, dots or parentheses, not ending with a dot.",
        isGateway: true);

    public static ArmException InvalidResourceName(string type, string name, string rule) => new(400, "InvalidResourceName",
        $"The name '{Shorten(name)}' is not allowed for '{type}': {rule}.", "name");

    public static ArmException InvalidResourceId(string? text, string target) => new(400, "LinkedInvalidPropertyId",
        $"'{Shorten(text)}' at '{target}' is not a resource id. One looks like /subscriptions/ID/resourceGroups/NAME/providers/NAMESPACE/TYPE/NAME.", target);

    public static ArmException InvalidResourceNamespace(string providerNamespace) => new(404, "InvalidResourceNamespace",
        $"The resource namespace '{Shorten(providerNamespace)}' is not known here.", isGateway: true);

    public static ArmException InvalidResourceType(string type, string providerNamespace, string apiVersion) => new(404, "InvalidResourceType",
        $"The resource type '{Shorten(type)}' could not be found in the namespace '{providerNamespace}' for api version '{apiVersion}'.", isGateway: true);

    /// <summary>A path that belongs to nothing.</summary>
    public static ArmException NotFound(string path) => new(404, "NotFound", $"There is nothing at '{Shorten(path)}'.", isGateway: true);

    /// <summary>A group that cannot be deleted because some of its resources cannot.</summary>
    public static ArmException ResourceGroupDeletionBlocked(string resourceGroup, IReadOnlyList<ArmErrorDetail> details) => new(409, "ResourceGroupDeletionBlocked",
        $"Resource group '{resourceGroup}' was not deleted and nothing in it was changed: {details.Count.ToString(CultureInfo.InvariantCulture)} of its resources cannot be deleted. The details say which and why.",
        null, details, isGateway: true);

    public static ArmException AuthorizationFailed(string client, string objectId, string action, string scope) => new(403, "AuthorizationFailed",
        $"The client '{client}' with object id '{objectId}' does not have authorization to perform action '{action}' over scope '{scope}' or the scope is invalid. If access was granted just now, sign in again.",
        isGateway: true);

    /// <summary>The caller may do what the path says, but not act on something that the body names.</summary>
    public static ArmException LinkedAuthorizationFailed(string client, string objectId, string action, string scope, string linkedAction, string linkedScope) => new(403, "LinkedAuthorizationFailed",
        $"The client '{client}' with object id '{objectId}' has permission to perform action '{action}' on scope '{scope}'; however, it does not have permission to perform action '{linkedAction}' on the linked scope '{linkedScope}' or the linked scope is invalid.",
        isGateway: true);

    /// <summary>What is quoted from a request is cut here, so that an answer never grows with its request.</summary>
    private static string Shorten(string? text) => text is { Length: > 120 } ? text[..120] + "..." : text ?? "";
}
