using System.Text.Json.Nodes;

namespace Strongroom.Arm;

/// <summary>A resource with a location and tags, as it is stored. Treat the objects in it as read-only; clone before a change.</summary>
public sealed record TrackedResource
{
    /// <summary>In the case it was made with.</summary>
    public required ResourceId Id { get; init; }

    /// <summary>The canonical name of a location.</summary>
    public required string Location { get; init; }

    public IReadOnlyDictionary<string, string> Tags { get; init; } = ResourceTags.None;

    public string? Kind { get; init; }

    public JsonObject? Sku { get; init; }

    public JsonObject? Identity { get; init; }

    /// <summary>What the answer has under <c>properties</c>, provisioningState included.</summary>
    public required JsonObject Properties { get; init; }

    /// <summary>Changes with every write.</summary>
    public required string ETag { get; init; }

    /// <summary>UTC.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>UTC.</summary>
    public required DateTimeOffset ChangedAt { get; init; }
}
