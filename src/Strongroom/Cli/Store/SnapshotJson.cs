using System.Text.Json.Nodes;
using Strongroom.Store;

namespace Strongroom.Cli.Store;

/// <summary>A snapshot for programs.</summary>
internal static class SnapshotJson
{
    public static long LengthBytes(Snapshot snapshot) => snapshot.Images.Sum(image => image.Image.LengthBytes);

    public static JsonNode Of(Snapshot snapshot) => new JsonObject
    {
        ["snapshot"] = snapshot.Id.Value,
        ["item"] = snapshot.ItemId,
        ["createdAt"] = Sizes.IsoTime(snapshot.CreatedAt),
        ["parent"] = snapshot.Parent?.Value,
        ["consistency"] = snapshot.Consistency,
        ["bytesTotal"] = LengthBytes(snapshot),
        ["images"] = new JsonArray([.. snapshot.Images.Select(JsonNode (image) => new JsonObject
        {
            ["lun"] = image.Lun,
            ["name"] = image.Name,
            ["lengthBytes"] = image.Image.LengthBytes,
        })]),
    };
}
