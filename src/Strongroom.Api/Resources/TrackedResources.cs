using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Strongroom.Arm;

namespace Strongroom.Api.Resources;

/// <summary>What all resources have in common when they are written: a location that stays, an ETag that changes, no lost update.</summary>
/// <remarks>Safe for concurrent use.</remarks>
public sealed class TrackedResources(IResourceStore store, TimeProvider time)
{
    // Two writers that meet again and again are a client in a loop; the next one may tell it so.
    private const int MaxAttempts = 5;

    /// <summary>The resource.</summary>
    /// <exception cref="ArmException">404.</exception>
    public async Task<TrackedResource> GetAsync(ResourceId id, CancellationToken cancellationToken) =>
        await store.GetAsync(id, cancellationToken) ?? throw ArmErrors.ResourceNotFound(id);

    /// <summary>Makes or replaces a resource; <paramref name="build"/> sees what is there and gives what shall be, its ETag and times aside.</summary>
    /// <returns>What is stored, and whether it was made.</returns>
    /// <exception cref="ArmException">409: another location, or changed by others all the time.</exception>
    public async Task<(TrackedResource Resource, bool IsCreated)> PutAsync(ResourceId id, Func<TrackedResource?, TrackedResource> build, CancellationToken cancellationToken)
    {
        for (int attempt = 0; attempt < MaxAttempts; attempt++)
        {
            TrackedResource? before = await store.GetAsync(id, cancellationToken);
            TrackedResource wanted = build(before);
            if (before is not null && !before.Location.Equals(wanted.Location, StringComparison.OrdinalIgnoreCase))
            {
                throw ArmErrors.InvalidResourceLocation(before.Id, before.Location, wanted.Location);
            }
            DateTimeOffset now = time.GetUtcNow();
            TrackedResource after = wanted with { Id = before?.Id ?? id, ETag = Guid.NewGuid().ToString(), CreatedAt = before?.CreatedAt ?? now, ChangedAt = now };
            if (await store.PutAsync(after, before?.ETag ?? "", cancellationToken) == PutOutcome.Conflict) continue;
            await RequireGroupAsync(after.Id);
            return (after, before is null);
        }
        throw ArmErrors.Conflict(id.ToString());
    }

    /// <summary>Changes a resource that is there.</summary>
    /// <exception cref="ArmException">404, or as <see cref="PutAsync"/>.</exception>
    public async Task<TrackedResource> PatchAsync(ResourceId id, Func<TrackedResource, TrackedResource> change, CancellationToken cancellationToken) =>
        (await PutAsync(id, before => change(before ?? throw ArmErrors.ResourceNotFound(id)), cancellationToken)).Resource;

    /// <summary>200 when the resource was deleted, 204 when there was none, as Resource Manager answers.</summary>
    public async Task<IResult> DeleteAsync(ResourceId id, CancellationToken cancellationToken) =>
        ArmResults.Empty(await store.DeleteAsync(id, cancellationToken) ? StatusCodes.Status200OK : StatusCodes.Status204NoContent);

    /// <summary>
    /// Takes a resource back whose group was deleted while it was written. Together with the second look that the deletion takes
    /// after the group is gone, no order of the two leaves a resource in a group that does not exist.
    /// </summary>
    private async Task RequireGroupAsync(ResourceId id)
    {
        if (id is not { SubscriptionId: { } subscriptionId, ResourceGroup: { } group }) return;
        if (await store.GetGroupAsync(subscriptionId, group, CancellationToken.None) is not null) return;
        await store.DeleteAsync(id, CancellationToken.None);
        throw ArmErrors.ResourceGroupNotFound(group);
    }

    /// <summary>What a resource that is about to be stored starts from; the store's fields are filled in by <see cref="PutAsync"/>.</summary>
    public static TrackedResource New(ResourceId id, string location, IReadOnlyDictionary<string, string> tags, JsonObject properties) =>
        new() { Id = id, Location = location, Tags = tags, Properties = properties, ETag = "", CreatedAt = default, ChangedAt = default };

    /// <summary>The resource as every provider shows it: id, name, type, location, tags, kind, sku, identity, properties.</summary>
    /// <param name="properties">Shown in place of the stored ones, or null for those.</param>
    public static JsonObject ToJson(TrackedResource resource, JsonObject? properties = null)
    {
        JsonObject json = Frame(resource.Id, resource.Location, resource.Tags);
        if (resource.Kind is not null) json["kind"] = resource.Kind;
        if (resource.Sku is not null) json["sku"] = resource.Sku.DeepClone();
        if (resource.Identity is not null) json["identity"] = resource.Identity.DeepClone();
        json["properties"] = properties ?? resource.Properties.DeepClone();
        return json;
    }

    /// <summary>The members every resource begins with; no tags, no member.</summary>
    public static JsonObject Frame(ResourceId id, string location, IReadOnlyDictionary<string, string> tags)
    {
        var json = new JsonObject { ["id"] = id.ToString(), ["name"] = id.Name, ["type"] = id.Type, ["location"] = location };
        if (tags.Count > 0) json["tags"] = ResourceTags.ToJson(tags);
        return json;
    }

    /// <summary>A time as the service prints it: UTC with seven decimals.</summary>
    public static string Time(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'", CultureInfo.InvariantCulture);
}
