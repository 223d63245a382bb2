using System.Text.Json.Nodes;
using Strongroom.Arm;

namespace Strongroom.Api.Resources;

/// <summary>The rules for resource groups: how they are named and written, and that one never leaves while something in it must stay.</summary>
/// <remarks>Safe for concurrent use.</remarks>
public sealed class ResourceGroups(IResourceStore store, IEnumerable<IResourceProvider> providers, ArmOptions options, TimeProvider time) : IDisposable
{
    // A PATCH reads and writes; two of them on one group must not lose each other's tags.
    private readonly SemaphoreSlim _writes = new(1, 1);

    /// <exception cref="ArmException">404.</exception>
    public async Task<ResourceGroup> GetAsync(string subscriptionId, string name, CancellationToken cancellationToken) =>
        await store.GetGroupAsync(subscriptionId, name, cancellationToken) ?? throw ArmErrors.ResourceGroupNotFound(name);

    /// <summary>Makes a group or replaces its tags.</summary>
    /// <exception cref="ArmException">400: name, location or tags; 409: it is in another location.</exception>
    public async Task<(ResourceGroup Group, bool IsCreated)> PutAsync(string subscriptionId, string name, JsonObject body, CancellationToken cancellationToken)
    {
        if (!ResourceNames.IsResourceGroup(name)) throw ArmErrors.InvalidResourceGroup(name);
        string location = options.RequireLocation(body.OptionalText("location"), "Microsoft.Resources/resourceGroups");
        IReadOnlyDictionary<string, string> tags = ResourceTags.Read(body);
        string? managedBy = ManagedBy(body);
        await _writes.WaitAsync(cancellationToken);
        try
        {
            ResourceGroup? before = await store.GetGroupAsync(subscriptionId, name, cancellationToken);
            if (before is not null && before.Location != location) throw ArmErrors.InvalidResourceGroupLocation(before.Name, before.Location, location);
            DateTimeOffset now = time.GetUtcNow();
            var after = new ResourceGroup(subscriptionId, before?.Name ?? name, location, tags, before?.CreatedAt ?? now, now, managedBy);
            bool isCreated = await store.PutGroupAsync(after, cancellationToken);
            return (after, isCreated);
        }
        finally
        {
            _writes.Release();
        }
    }

    /// <summary>Replaces the tags or managedBy, where they are given; everything else stays.</summary>
    /// <exception cref="ArmException">400: tags; 404.</exception>
    public async Task<ResourceGroup> PatchAsync(string subscriptionId, string name, JsonObject body, CancellationToken cancellationToken)
    {
        IReadOnlyDictionary<string, string>? tags = body.HasField("tags") ? ResourceTags.Read(body) : null;
        string? managedBy = ManagedBy(body);
        await _writes.WaitAsync(cancellationToken);
        try
        {
            ResourceGroup before = await GetAsync(subscriptionId, name, cancellationToken);
            ResourceGroup after = before with { Tags = tags ?? before.Tags, ManagedBy = managedBy ?? before.ManagedBy, ChangedAt = time.GetUtcNow() };
            await store.PutGroupAsync(after, cancellationToken);
            return after;
        }
        finally
        {
            _writes.Release();
        }
    }

    /// <summary>
    /// Deletes a group with everything in it, or nothing: every provider is asked first, and one that must keep a resource
    /// (a vault that still holds items) keeps the whole group.
    /// </summary>
    /// <returns>The group that was.</returns>
    /// <exception cref="ArmException">404; 409 ResourceGroupDeletionBlocked with what stands in the way.</exception>
    public async Task<ResourceGroup> DeleteAsync(string subscriptionId, string name, CancellationToken cancellationToken)
    {
        await _writes.WaitAsync(cancellationToken);
        try
        {
            ResourceGroup group = await GetAsync(subscriptionId, name, cancellationToken);
            List<(IResourceProvider Provider, ResourceId Id)> resources = await ListAsync(group, cancellationToken);
            var blocking = new List<ArmErrorDetail>();
            foreach ((IResourceProvider provider, ResourceId id) in resources)
            {
                if (await provider.CanDeleteAsync(id, cancellationToken) is { } refusal) blocking.Add(new ArmErrorDetail(refusal.Code, refusal.Message, id.ToString()));
            }
            if (blocking.Count > 0) throw ArmErrors.ResourceGroupDeletionBlocked(group.Name, blocking);

            // From here on the deletion is not given up half-way because a client hung up. A crash leaves the group with what
            // is left of it, and the same DELETE finishes the work.
            foreach ((IResourceProvider provider, ResourceId id) in resources) await provider.DeleteAsync(id, CancellationToken.None);
            await store.DeleteGroupAsync(subscriptionId, name, CancellationToken.None);
            await DeleteLatecomersAsync(group);
            return group;
        }
        finally
        {
            _writes.Release();
        }
    }

    public void Dispose() => _writes.Dispose();

    /// <summary>What was made while the group was being deleted goes too; what cannot go brings the group back, as nothing may be hidden in a group that is not there.</summary>
    private async Task DeleteLatecomersAsync(ResourceGroup group)
    {
        try
        {
            foreach ((IResourceProvider provider, ResourceId id) in await ListAsync(group, CancellationToken.None)) await provider.DeleteAsync(id, CancellationToken.None);
        }
        catch
        {
            await store.PutGroupAsync(group, CancellationToken.None);
            throw;
        }
    }

    private async Task<List<(IResourceProvider Provider, ResourceId Id)>> ListAsync(ResourceGroup group, CancellationToken cancellationToken)
    {
        List<(IResourceProvider, ResourceId)> resources = [];
        foreach (IResourceProvider provider in providers)
        {
            await foreach (ArmResourceSummary resource in provider.ListAsync(group.SubscriptionId, group.Name, cancellationToken)) resources.Add((provider, resource.Id));
        }
        return resources;
    }

    private static string? ManagedBy(JsonObject body) => body.OptionalText("managedBy") switch
    {
        null or "" => null,
        { } text when ResourceId.TryParse(text, out ResourceId? id) => id.ToString(),
        { } text => throw ArmErrors.InvalidResourceId(text, "$.managedBy"),
    };
}
