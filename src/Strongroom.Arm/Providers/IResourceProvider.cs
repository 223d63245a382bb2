using System.Text.Json.Nodes;

namespace Strongroom.Arm;

/// <summary>A resource provider as Resource Manager sees it: what it is called, what it has, and how its resources leave with their group.</summary>
/// <remarks>One service for each namespace. Safe for concurrent use.</remarks>
public interface IResourceProvider
{
    /// <summary>Such as <c>Microsoft.RecoveryServices</c>.</summary>
    string Namespace { get; }

    IReadOnlyList<ResourceTypeInfo> ResourceTypes { get; }

    /// <summary>What callers can do here, for <c>/providers/{namespace}/operations</c>; true to what is implemented.</summary>
    IReadOnlyList<ProviderOperation> Operations { get; }

    /// <summary>The top-level resources of a subscription, or of one group, in any order.</summary>
    IAsyncEnumerable<ArmResourceSummary> ListAsync(string subscriptionId, string? resourceGroup, CancellationToken cancellationToken);

    /// <summary>Why this resource cannot be deleted now, or null when it can. Changes nothing.</summary>
    Task<ArmException?> CanDeleteAsync(ResourceId id, CancellationToken cancellationToken);

    /// <summary>Deletes a resource on its own or with its group; nothing happens when it is gone already.</summary>
    /// <exception cref="ArmException">It cannot be deleted (any longer).</exception>
    Task DeleteAsync(ResourceId id, CancellationToken cancellationToken);
}

/// <summary>A type of resource.</summary>
/// <param name="Name">Without the namespace: <c>vaults</c>, <c>vaults/backupPolicies</c>.</param>
/// <param name="ApiVersions">Newest first; clients choose one. Any other well-formed version is accepted too.</param>
/// <param name="Locations">Display names; empty: all locations of this installation.</param>
public sealed record ResourceTypeInfo(string Name, IReadOnlyList<string> ApiVersions, IReadOnlyList<string>? Locations = null);

/// <summary>One line of a provider's list of operations.</summary>
/// <param name="Name">Such as <c>Microsoft.RecoveryServices/Vaults/read</c>.</param>
/// <param name="Provider">For people: the provider.</param>
/// <param name="Resource">For people: the kind of resource.</param>
/// <param name="Operation">For people: the operation.</param>
/// <param name="Description">For people: what it does.</param>
/// <param name="IsDataAction">True for what concerns data in a resource and not the resource.</param>
public sealed record ProviderOperation(string Name, string Provider, string Resource, string Operation, string Description, bool IsDataAction = false)
{
    public JsonObject ToJson() => new()
    {
        ["name"] = Name,
        ["isDataAction"] = IsDataAction,
        ["display"] = new JsonObject { ["provider"] = Provider, ["resource"] = Resource, ["operation"] = Operation, ["description"] = Description },
    };
}

/// <summary>A resource in the lists of Resource Manager, which show no <c>properties</c>.</summary>
public sealed record ArmResourceSummary(ResourceId Id, string Location, IReadOnlyDictionary<string, string> Tags)
{
    public string? Kind { get; init; }

    public JsonObject? Sku { get; init; }

    public JsonObject? Identity { get; init; }

    public string? ManagedBy { get; init; }

    public DateTimeOffset? CreatedAt { get; init; }

    public DateTimeOffset? ChangedAt { get; init; }

    public string ProvisioningState { get; init; } = "Succeeded";

    public static ArmResourceSummary Of(TrackedResource resource) => new(resource.Id, resource.Location, resource.Tags)
    {
        Kind = resource.Kind,
        Sku = resource.Sku,
        Identity = resource.Identity,
        CreatedAt = resource.CreatedAt,
        ChangedAt = resource.ChangedAt,
        ProvisioningState = resource.Properties.OptionalText("provisioningState") ?? "Succeeded",
    };
}
