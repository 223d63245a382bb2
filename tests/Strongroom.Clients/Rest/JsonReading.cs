using System.Text.Json.Nodes;

namespace Strongroom.Clients.Rest;

/// <summary>Reads deep members of answers.</summary>
internal static class JsonReading
{
    /// <summary>The string at a path of member names; null where any of them is missing or null.</summary>
    public static string? Text(this JsonNode? node, params ReadOnlySpan<string> path)
    {
        foreach (var name in path)
            node = (node as JsonObject)?[name];
        return (string?)node;
    }
}
