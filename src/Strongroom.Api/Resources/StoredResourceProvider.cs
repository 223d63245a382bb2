using System.Runtime.CompilerServices;
using Strongroom.Arm;

namespace Strongroom.Api.Resources;

/// <summary>A provider whose resources are nothing but what the resource store holds of their types.</summary>
internal abstract class StoredResourceProvider(IResourceStore store) : IResourceProvider
{
    public abstract string Namespace { get; }

    public abstract IReadOnlyList<ResourceTypeInfo> ResourceTypes { get; }

    public abstract IReadOnlyList<ProviderOperation> Operations { get; }

    /// <summary>The types that are in the store, with their namespace.</summary>
    protected abstract IReadOnlyList<string> StoredTypes { get; }

    public virtual async IAsyncEnumerable<ArmResourceSummary> ListAsync(string subscriptionId, string? resourceGroup, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (string type in StoredTypes)
        {
            foreach (TrackedResource resource in await store.ListAsync(subscriptionId, resourceGroup, type, cancellationToken)) yield return ArmResourceSummary.Of(resource);
        }
    }

    public virtual Task<ArmException?> CanDeleteAsync(ResourceId id, CancellationToken cancellationToken) => Task.FromResult<ArmException?>(null);

    public virtual Task DeleteAsync(ResourceId id, CancellationToken cancellationToken) => store.DeleteAsync(id, cancellationToken);
}
