using System.Text.Json;
using System.Text.Json.Nodes;

namespace Strongroom.Arm;

/// <summary>Reads members of a request's object by name; a wrong type is a 400 that names the path.</summary>
/// <remarks>Names match in the case of the contract first and without case otherwise, as the service reads them.</remarks>
public static class JsonFields
{
    /// <summary>The member, or null where it is absent or null.</summary>
    public static JsonNode? Field(this JsonObject body, string name)
    {
        if (body.TryGetPropertyValue(name, out JsonNode? exact)) return exact;
        foreach ((string key, JsonNode? value) in body)
        {
            if (string.Equals(key, name, StringComparison.OrdinalIgnoreCase)) return value;
        }
        return null;
    }

    /// <summary>True where the member is there at all, null included: what PATCH asks.</summary>
    public static bool HasField(this JsonObject body, string name)
    {
        foreach ((string key, _) in body)
        {
            if (string.Equals(key, name, StringComparison.OrdinalIgnoreCase)) return true;
        }
        return false;
    }

    /// <summary>A text, or null where absent.</summary>
    /// <exception cref="ArmException">400: it is not a text.</exception>
    public static string? OptionalText(this JsonObject body, string name) => body.Field(name) switch
    {
        null => null,
        JsonValue value when value.GetValueKind() == JsonValueKind.String => value.GetValue<string>(),
        JsonNode other => throw WrongType(other, body, name, "a text"),
    };

    /// <summary>A text that is not blank.</summary>
    /// <exception cref="ArmException">400: missing, blank, or not a text.</exception>
    public static string RequiredText(this JsonObject body, string name) =>
        body.OptionalText(name) is { } text && !string.IsNullOrWhiteSpace(text) ? text : throw ArmErrors.InvalidRequestContent("a text is required", PathOf(body, name));

    /// <summary>An object, or null where absent.</summary>
    /// <exception cref="ArmException">400: it is not an object.</exception>
    public static JsonObject? OptionalObject(this JsonObject body, string name) => body.Field(name) switch
    {
        null => null,
        JsonObject value => value,
        JsonNode other => throw WrongType(other, body, name, "an object"),
    };

    /// <summary>An array, or null where absent.</summary>
    /// <exception cref="ArmException">400: it is not an array.</exception>
    public static JsonArray? OptionalArray(this JsonObject body, string name) => body.Field(name) switch
    {
        null => null,
        JsonArray value => value,
        JsonNode other => throw WrongType(other, body, name, "an array"),
    };

    /// <summary>True or false, or null where absent.</summary>
    /// <exception cref="ArmException">400: it is neither.</exception>
    public static bool? OptionalFlag(this JsonObject body, string name) => body.Field(name) switch
    {
        null => null,
        JsonValue value when value.GetValueKind() is JsonValueKind.True or JsonValueKind.False => value.GetValue<bool>(),
        JsonNode other => throw WrongType(other, body, name, "true or false"),
    };

    /// <summary>A whole number of 32 bits, or null where absent.</summary>
    /// <exception cref="ArmException">400: it is not one.</exception>
    public static int? OptionalInteger(this JsonObject body, string name) => body.Field(name) switch
    {
        null => null,
        JsonValue value when value.GetValueKind() == JsonValueKind.Number && value.TryGetValue(out int number) => number,
        JsonNode other => throw WrongType(other, body, name, "a whole number"),
    };

    private static ArmException WrongType(JsonNode node, JsonObject body, string name, string wanted) =>
        ArmErrors.InvalidRequestContent($"{wanted} is expected, not {node.GetValueKind().ToString().ToLowerInvariant()}", PathOf(body, name));

    private static string PathOf(JsonObject body, string name) => $"{body.GetPath()}.{name}";
}
