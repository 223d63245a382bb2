using System.Text.Json.Nodes;
using Strongroom.Store;

namespace Strongroom.Cli.Store;

/// <summary>A snapshot for programs.</summary>
internal static class SnapshotJson
{
    /// <summary>Disks and streams; how long the files of a tree are together is not known without reading it.</summary>
    public static long LengthBytes(Snapshot snapshot) => snapshot.Images.Sum(image => image.Image.LengthBytes) + snapshot.Streams.Sum(stream => stream.Stream.LengthBytes);

    /// <summary><c>image</c>, <c>stream</c>, <c>tree</c>, or several of them.</summary>
    public static string Kind(Snapshot snapshot)
    {
        string[] kinds = [.. snapshot.Images.Select(_ => "image"), .. snapshot.Streams.Select(_ => "stream"), .. snapshot.Trees.Select(_ => "tree")];
        return string.Join('+', kinds.Distinct());
    }

    /// <summary>The kind as words: <c>an image</c>.</summary>
    public static string KindText(Snapshot snapshot) => Kind(snapshot) is var kind && kind.StartsWith('i') ? $"an {kind}" : $"a {kind}";

    public static JsonObject Of(Snapshot snapshot) => new()
    {
        ["snapshot"] = snapshot.Id.Value,
        ["item"] = snapshot.ItemId,
        ["createdAt"] = Sizes.IsoTime(snapshot.CreatedAt),
        ["kind"] = Kind(snapshot),
        ["parent"] = snapshot.Parent?.Value,
        ["consistency"] = snapshot.Consistency,
        ["bytesTotal"] = LengthBytes(snapshot),
        ["images"] = new JsonArray([.. snapshot.Images.Select(JsonNode (image) => new JsonObject
        {
            ["lun"] = image.Lun,
            ["name"] = image.Name,
            ["lengthBytes"] = image.Image.LengthBytes,
        })]),
        ["streams"] = new JsonArray([.. snapshot.Streams.Select(JsonNode (stream) => new JsonObject
        {
            ["name"] = stream.Name,
            ["lengthBytes"] = stream.Stream.LengthBytes,
        })]),
        ["trees"] = new JsonArray([.. snapshot.Trees.Select(JsonNode (tree) => new JsonObject { ["name"] = tree.Name })]),
        ["lockedUntil"] = snapshot.LockedUntil is { } until ? Sizes.IsoTime(until) : null,
        ["legalHold"] = snapshot.HasLegalHold,
    };
}
