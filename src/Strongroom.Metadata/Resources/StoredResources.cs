using System.Text.Json.Nodes;
using Strongroom.Arm;

namespace Strongroom.Metadata.Resources;

/// <summary>A resource group as its row's document has it.</summary>
internal sealed record StoredGroup(
    string SubscriptionId, string Name, string Location, Dictionary<string, string> Tags, DateTimeOffset CreatedAt, DateTimeOffset ChangedAt, string? ManagedBy)
{
    public static StoredGroup Of(ResourceGroup g) => new(g.SubscriptionId, g.Name, g.Location, new(g.Tags), g.CreatedAt, g.ChangedAt, g.ManagedBy);

    public ResourceGroup ToGroup() => new(SubscriptionId, Name, Location, StoredTags.Read(Tags), CreatedAt, ChangedAt, ManagedBy);
}

/// <summary>Tags as a document has them: JSON knows nothing of how names are compared.</summary>
internal static class StoredTags
{
    public static Dictionary<string, string> Read(Dictionary<string, string> stored)
    {
        var tags = new Dictionary<string, string>(stored.Count, StringComparer.OrdinalIgnoreCase);
        foreach (var (name, value) in stored) tags[name] = value;
        return tags;
    }
}

/// <summary>A resource as its row's document has it.</summary>
internal sealed record StoredResource(
    string Id, string Location, Dictionary<string, string> Tags, string? Kind, JsonObject? Sku, JsonObject? Identity, JsonObject Properties, string ETag,
    DateTimeOffset CreatedAt, DateTimeOffset ChangedAt)
{
    public static StoredResource Of(TrackedResource r) =>
        new(r.Id.ToString(), r.Location, new(r.Tags), r.Kind, r.Sku, r.Identity, r.Properties, r.ETag, r.CreatedAt, r.ChangedAt);

    public TrackedResource ToResource() => new()
    {
        Id = ResourceId.Parse(Id),
        Location = Location,
        Tags = StoredTags.Read(Tags),
        Kind = Kind,
        Sku = Sku,
        Identity = Identity,
        Properties = Properties,
        ETag = ETag,
        CreatedAt = CreatedAt,
        ChangedAt = ChangedAt,
    };
}
