using Strongroom.Arm;

namespace Strongroom.Testing;

/// <summary>A resource store that forgets: the rules of the door, without a database.</summary>
public sealed class InMemoryResourceStore : IResourceStore
{
    private readonly Lock _lock = new();
    private readonly Dictionary<ResourceId, ResourceGroup> _groups = [];
    private readonly Dictionary<ResourceId, TrackedResource> _resources = [];

    public Task<ResourceGroup?> GetGroupAsync(string subscriptionId, string name, CancellationToken cancellationToken)
    {
        lock (_lock) return Task.FromResult(_groups.GetValueOrDefault(ResourceId.ForGroup(subscriptionId, name)));
    }

    public Task<IReadOnlyList<ResourceGroup>> ListGroupsAsync(string subscriptionId, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            return Task.FromResult<IReadOnlyList<ResourceGroup>>([.. _groups.Values
                .Where(g => g.SubscriptionId.Equals(subscriptionId, StringComparison.OrdinalIgnoreCase))
                .OrderBy(g => g.Name, StringComparer.OrdinalIgnoreCase)]);
        }
    }

    public Task<bool> PutGroupAsync(ResourceGroup group, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            bool exists = _groups.TryGetValue(group.Id, out ResourceGroup? old);
            _groups[group.Id] = exists ? group with { Name = old!.Name, Location = old.Location, CreatedAt = old.CreatedAt } : group;
            return Task.FromResult(!exists);
        }
    }

    public Task<bool> DeleteGroupAsync(string subscriptionId, string name, CancellationToken cancellationToken)
    {
        lock (_lock) return Task.FromResult(_groups.Remove(ResourceId.ForGroup(subscriptionId, name)));
    }

    public Task<TrackedResource?> GetAsync(ResourceId id, CancellationToken cancellationToken)
    {
        lock (_lock) return Task.FromResult(_resources.GetValueOrDefault(id));
    }

    public Task<IReadOnlyList<TrackedResource>> ListAsync(string subscriptionId, string? resourceGroup, string? type, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            return Task.FromResult<IReadOnlyList<TrackedResource>>([.. _resources.Values
                .Where(r => Same(r.Id.SubscriptionId, subscriptionId))
                .Where(r => resourceGroup is null || Same(r.Id.ResourceGroup, resourceGroup))
                .Where(r => type is null || r.Id.IsOfType(type))
                .OrderBy(r => r.Id.ToString(), StringComparer.OrdinalIgnoreCase)]);
        }

        static bool Same(string? left, string right) => string.Equals(left, right, StringComparison.OrdinalIgnoreCase);
    }

    public Task<PutOutcome> PutAsync(TrackedResource resource, string? expectedETag, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            TrackedResource? old = _resources.GetValueOrDefault(resource.Id);
            if (expectedETag is not null && expectedETag != (old?.ETag ?? "")) return Task.FromResult(PutOutcome.Conflict);
            _resources[resource.Id] = old is null ? resource : resource with { Id = old.Id, CreatedAt = old.CreatedAt };
            return Task.FromResult(old is null ? PutOutcome.Created : PutOutcome.Updated);
        }
    }

    public Task<bool> TryAddAsync(IReadOnlyCollection<TrackedResource> resources, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (resources.Any(resource => _resources.ContainsKey(resource.Id))) return Task.FromResult(false);
            foreach (TrackedResource resource in resources) _resources.Add(resource.Id, resource);
            return Task.FromResult(true);
        }
    }

    public Task<bool> DeleteAsync(ResourceId id, CancellationToken cancellationToken)
    {
        lock (_lock) return Task.FromResult(_resources.Remove(id));
    }
}
