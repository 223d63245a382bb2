using System.Text.Json.Nodes;
using Strongroom.Arm;

namespace Strongroom.Metadata.Resources;

/// <summary>A resource group as its row's document has it.</summary>
internal sealed record StoredGroup(
    string SubscriptionId, string Name, string Location, Dictionary<string, string> Tags, DateTimeOffset CreatedAt, DateTimeOffset ChangedAt, string? ManagedBy)
{
    public static StoredGroup Of(ResourceGroup g) => new(g.SubscriptionId, g.Name, g.Location, new(g.Tags), g.CreatedAt, g.ChangedAt, g.ManagedBy);

    public ResourceGroup ToGroup() => new(SubscriptionId, Name, Location, Tags, CreatedAt, ChangedAt, ManagedBy);
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
        Tags = Tags,
        Kind = Kind,
        Sku = Sku,
        Identity = Identity,
        Properties = Properties,
        ETag = ETag,
        CreatedAt = CreatedAt,
        ChangedAt = ChangedAt,
    };
}
