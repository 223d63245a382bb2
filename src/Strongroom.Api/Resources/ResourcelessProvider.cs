using Strongroom.Arm;

namespace Strongroom.Api.Resources;

/// <summary>A provider whose types are not resources of a group: nothing of it is listed there, or leaves with it.</summary>
internal abstract class ResourcelessProvider : IResourceProvider
{
    public abstract string Namespace { get; }

    public abstract IReadOnlyList<ResourceTypeInfo> ResourceTypes { get; }

    public abstract IReadOnlyList<ProviderOperation> Operations { get; }

    public IAsyncEnumerable<ArmResourceSummary> ListAsync(string subscriptionId, string? resourceGroup, CancellationToken cancellationToken) =>
        AsyncEnumerable.Empty<ArmResourceSummary>();

    public Task<ArmException?> CanDeleteAsync(ResourceId id, CancellationToken cancellationToken) => Task.FromResult<ArmException?>(null);

    public Task DeleteAsync(ResourceId id, CancellationToken cancellationToken) => Task.CompletedTask;
}
