namespace Strongroom.Arm;

/// <summary>What became of a write of a resource.</summary>
public enum PutOutcome
{
    Created,
    Updated,

    /// <summary>Nothing was written: the stored resource does not have the ETag that was expected.</summary>
    Conflict,
}

/// <summary>Where resource groups and resources are kept. The rules stand above it; it compares names without case and keeps the case of creation.</summary>
/// <remarks>Safe for concurrent use. Each write is atomic and durable when its task completes. Lists come in the order of their ids, without case.</remarks>
public interface IResourceStore
{
    Task<ResourceGroup?> GetGroupAsync(string subscriptionId, string name, CancellationToken cancellationToken);

    Task<IReadOnlyList<ResourceGroup>> ListGroupsAsync(string subscriptionId, CancellationToken cancellationToken);

    /// <summary>Makes or replaces a group; true when it was made. Name, location and CreatedAt of an existing group stay.</summary>
    Task<bool> PutGroupAsync(ResourceGroup group, CancellationToken cancellationToken);

    /// <summary>Removes the group's row alone; false when there is none.</summary>
    Task<bool> DeleteGroupAsync(string subscriptionId, string name, CancellationToken cancellationToken);

    Task<TrackedResource?> GetAsync(ResourceId id, CancellationToken cancellationToken);

    /// <summary>The resources of a subscription, or of one group, or of one type (<c>Microsoft.Compute/disks</c>).</summary>
    Task<IReadOnlyList<TrackedResource>> ListAsync(string subscriptionId, string? resourceGroup, string? type, CancellationToken cancellationToken);

    /// <summary>Makes or replaces a resource. Id and CreatedAt of an existing one stay.</summary>
    /// <param name="resource">What to store.</param>
    /// <param name="expectedETag">Null: whatever is there. A text: only over a resource with this ETag. "" (empty): only when there is none.</param>
    /// <param name="cancellationToken">Cancels before the write; afterwards it has happened as a whole or not at all.</param>
    Task<PutOutcome> PutAsync(TrackedResource resource, string? expectedETag, CancellationToken cancellationToken);

    /// <summary>Makes several resources, all or none of them; false, and nothing is written, when one of them is there.</summary>
    /// <param name="resources">With different ids.</param>
    /// <param name="cancellationToken">Cancels before the write; afterwards it has happened as a whole or not at all.</param>
    Task<bool> TryAddAsync(IReadOnlyCollection<TrackedResource> resources, CancellationToken cancellationToken);

    /// <summary>Removes a resource; false when there is none.</summary>
    Task<bool> DeleteAsync(ResourceId id, CancellationToken cancellationToken);
}
