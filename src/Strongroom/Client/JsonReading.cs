using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Strongroom.Client;

/// <summary>Reads answers without trusting their shape: what is missing or of another type reads as null.</summary>
internal static class JsonReading
{
    /// <summary>The value at a path of member names (any case), or null.</summary>
    public static JsonNode? At(this JsonNode? node, params ReadOnlySpan<string> path)
    {
        foreach (var name in path)
        {
            if (node is not JsonObject members)
                return null;
            node = members[name] ?? members.FirstOrDefault(m => m.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Value;
        }

        return node;
    }

    /// <summary>The string at a path, or null.</summary>
    public static string? Text(this JsonNode? node, params ReadOnlySpan<string> path) =>
        node.At(path) is JsonValue value && value.TryGetValue(out string? text) ? text : null;

    /// <summary>The number at a path, written as a number or as a string, or null.</summary>
    public static double? Number(this JsonNode? node, params ReadOnlySpan<string> path)
    {
        if (node.At(path) is not JsonValue value)
            return null;
        if (value.GetValueKind() == JsonValueKind.Number)
            return value.GetValue<double>();
        return value.TryGetValue(out string? text) && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            ? number
            : null;
    }

    /// <summary>The array at a path; empty when there is none.</summary>
    public static IEnumerable<JsonNode?> Items(this JsonNode? node, params ReadOnlySpan<string> path) =>
        node.At(path) as JsonArray ?? [];

    /// <summary>The string at a path, where one must be.</summary>
    /// <exception cref="ClientException">There is none.</exception>
    public static string RequireText(this JsonNode? node, string what, params ReadOnlySpan<string> path) =>
        node.Text(path) is { Length: > 0 } text
            ? text
            : throw new ClientException($"The server's answer lacks {what} ({string.Join('.', path.ToArray())}).");
}
