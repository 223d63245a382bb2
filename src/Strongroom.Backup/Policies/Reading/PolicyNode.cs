using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Strongroom.Backup.Policies.Reading;

/// <summary>An object within a policy, and where it stands; what is missing or wrong is refused by its path.</summary>
internal sealed class PolicyNode(JsonObject json, string path)
{
    public string Path => path;

    public string PathOf(string name) => path.Length == 0 ? name : $"{path}.{name}";

    public bool Has(string name) => json[name] is not null;

    public PolicyNode? Object(string name) => json[name] switch
    {
        null => null,
        JsonObject child => new(child, PathOf(name)),
        _ => throw PolicyRefusals.Input($"'{PathOf(name)}' must be an object."),
    };

    public PolicyNode RequiredObject(string name) => Object(name) ?? throw Missing(name);

    public string? Text(string name) => json[name] switch
    {
        null => null,
        JsonValue value when value.GetValueKind() == JsonValueKind.String => value.GetValue<string>(),
        _ => throw PolicyRefusals.Input($"'{PathOf(name)}' must be a text."),
    };

    public string RequiredText(string name) => Text(name) ?? throw Missing(name);

    public int? Integer(string name) => json[name] switch
    {
        null => null,
        JsonValue value when value.GetValueKind() == JsonValueKind.Number && value.TryGetValue(out int number) => number,
        _ => throw PolicyRefusals.Input($"'{PathOf(name)}' must be a whole number."),
    };

    public int RequiredInteger(string name) => Integer(name) ?? throw Missing(name);

    /// <summary>True or false; false when it is absent.</summary>
    public bool Flag(string name) => json[name] switch
    {
        null => false,
        JsonValue value when value.GetValueKind() is JsonValueKind.True or JsonValueKind.False => value.GetValue<bool>(),
        _ => throw PolicyRefusals.Input($"'{PathOf(name)}' must be true or false."),
    };

    /// <summary>The texts of an array; none when it is absent.</summary>
    public ImmutableArray<string> Texts(string name) =>
        [.. Elements(name).Select(e => e is JsonValue value && value.GetValueKind() == JsonValueKind.String
            ? value.GetValue<string>()
            : throw PolicyRefusals.Input($"'{PathOf(name)}' must be a list of texts."))];

    /// <summary>The objects of an array; none when it is absent.</summary>
    public ImmutableArray<PolicyNode> Objects(string name) =>
        [.. Elements(name).Select((e, index) => e is JsonObject child
            ? new PolicyNode(child, $"{PathOf(name)}[{index}]")
            : throw PolicyRefusals.Input($"'{PathOf(name)}' must be a list of objects."))];

    public BackupRefusedException Missing(string name) => PolicyRefusals.Input($"'{PathOf(name)}' is missing.");

    private IEnumerable<JsonNode?> Elements(string name) => json[name] switch
    {
        null => [],
        JsonArray array => array,
        _ => throw PolicyRefusals.Input($"'{PathOf(name)}' must be a list."),
    };
}
