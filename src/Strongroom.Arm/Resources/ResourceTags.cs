using System.Buffers;
using System.Collections.Frozen;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Strongroom.Arm;

/// <summary>Tags of groups and resources, and Azure's limits on them ("Use tags to organize your Azure resources", Limitations).</summary>
public static class ResourceTags
{
    public const int MaxCount = 50;
    public const int MaxNameLength = 512;
    public const int MaxValueLength = 256;

    private static readonly SearchValues<char> s_reserved = SearchValues.Create("<>%&\\?/");

    public static IReadOnlyDictionary<string, string> None { get; } = FrozenDictionary<string, string>.Empty;

    /// <summary>Reads the <c>tags</c> of a body; an absent or null member means no tags.</summary>
    /// <param name="body">The resource as sent.</param>
    /// <param name="maxNameLength">Storage accounts allow 128 characters.</param>
    /// <exception cref="ArmException">400: not texts, too many, too long, reserved characters, the same name twice.</exception>
    public static IReadOnlyDictionary<string, string> Read(JsonObject body, int maxNameLength = MaxNameLength)
    {
        JsonObject? sent = body.OptionalObject("tags");
        if (sent is null) return None;
        if (sent.Count > MaxCount) throw ArmErrors.InvalidTags("TooManyTags", $"A resource can have {MaxCount} tags; {sent.Count} were sent.");
        var tags = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach ((string name, JsonNode? value) in sent)
        {
            CheckName(name, maxNameLength);
            string text = value switch
            {
                null => "",
                JsonValue v when v.GetValueKind() == JsonValueKind.String => v.GetValue<string>(),
                _ => throw ArmErrors.InvalidRequestContent("a text is expected", value.GetPath()),
            };
            if (text.Length > MaxValueLength) throw ArmErrors.InvalidTags("InvalidTagValueLength", $"The value of tag '{name}' is longer than {MaxValueLength} characters.");
            if (!tags.TryAdd(name, text)) throw ArmErrors.InvalidTags("DuplicateTagName", $"The tag '{name}' occurs twice; tag names do not distinguish case.");
        }
        return tags;
    }

    /// <summary>As Resource Manager shows them: an object, empty where there are none.</summary>
    public static JsonObject ToJson(IReadOnlyDictionary<string, string> tags)
    {
        var json = new JsonObject();
        foreach ((string name, string value) in tags) json[name] = value;
        return json;
    }

    private static void CheckName(string name, int maxNameLength)
    {
        if (name.Length == 0 || name.Length > maxNameLength || string.IsNullOrWhiteSpace(name))
        {
            throw ArmErrors.InvalidTags("InvalidTagNameLength", $"A tag name has 1 to {maxNameLength} characters.");
        }
        if (name.AsSpan().ContainsAny(s_reserved) || name.Any(char.IsControl))
        {
            throw ArmErrors.InvalidTags("InvalidTagNameCharacters", $"The tag name '{name}' has a reserved character (< > % & \\ ? /) or a control character.");
        }
    }
}
