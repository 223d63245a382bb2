using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Strongroom.Arm;

namespace Strongroom.Api.RecoveryServices.Policies;

/// <summary>
/// What a part of a body looks like by the contract. Reading makes a copy in the contract's spelling and order: members that the contract does not know and nulls are left out, as the service leaves them out.
/// </summary>
internal abstract class JsonShape
{
    public static JsonShape Text { get; } = new TextShape(text => text);

    /// <summary>A time, which is answered without fractions of a second. What is no time stays as it is, for the rules to refuse.</summary>
    public static JsonShape Time { get; } = new TextShape(Instant);

    public static JsonShape Integer { get; } = new LeafShape("a whole number", value => value.GetValueKind() == JsonValueKind.Number && value.TryGetValue(out int _));

    public static JsonShape Flag { get; } = new LeafShape("true or false", value => value.GetValueKind() is JsonValueKind.True or JsonValueKind.False);

    /// <summary>One of these words, in their spelling. Another stays as it is, for the rules to refuse.</summary>
    public static JsonShape Word(params string[] words) => new TextShape(text => words.FirstOrDefault(w => w.Equals(text, StringComparison.OrdinalIgnoreCase)) ?? text);

    public static JsonShape List(JsonShape element) => new ListShape(element);

    public static JsonShape Object(params (string Name, JsonShape Shape)[] members) => new ObjectShape(_ => members);

    /// <summary>An object whose member <paramref name="discriminator"/> says which other members it has.</summary>
    public static JsonShape Kinds(string discriminator, params (string Kind, (string Name, JsonShape Shape)[] Members)[] kinds)
    {
        var word = Word([.. kinds.Select(k => k.Kind)]);
        return new ObjectShape(json =>
        {
            var kind = json.OptionalText(discriminator);
            return [(discriminator, word), .. kinds.FirstOrDefault(k => k.Kind.Equals(kind, StringComparison.OrdinalIgnoreCase)).Members ?? []];
        });
    }

    /// <summary>The part in the contract's spelling.</summary>
    /// <exception cref="ArmException">400: something in it is of another type.</exception>
    public abstract JsonNode Read(JsonNode node);

    private static string Instant(string text) =>
        text.Length >= 16 && text[4] == '-' && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time)
            ? time.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture)
            : text;

    private static ArmException WrongType(string path, JsonNode? node, string wanted) => ArmErrors.InvalidRequestContent(
        $"{wanted} is expected, not {(node?.GetValueKind() ?? JsonValueKind.Null).ToString().ToLowerInvariant()}", path);

    private sealed class TextShape(Func<string, string> spelling) : JsonShape
    {
        public override JsonNode Read(JsonNode node) => node is JsonValue value && value.GetValueKind() == JsonValueKind.String
            ? spelling(value.GetValue<string>())
            : throw WrongType(node.GetPath(), node, "a text");
    }

    private sealed class LeafShape(string wanted, Func<JsonValue, bool> fits) : JsonShape
    {
        public override JsonNode Read(JsonNode node) => node is JsonValue value && fits(value) ? node.DeepClone() : throw WrongType(node.GetPath(), node, wanted);
    }

    private sealed class ListShape(JsonShape element) : JsonShape
    {
        public override JsonNode Read(JsonNode node) => node is JsonArray array
            ? new JsonArray([.. array.Select((e, index) => e is null ? throw WrongType($"{array.GetPath()}[{index}]", null, "a value") : element.Read(e))])
            : throw WrongType(node.GetPath(), node, "an array");
    }

    private sealed class ObjectShape(Func<JsonObject, IEnumerable<(string Name, JsonShape Shape)>> members) : JsonShape
    {
        public override JsonNode Read(JsonNode node)
        {
            if (node is not JsonObject json) throw WrongType(node.GetPath(), node, "an object");
            var copy = new JsonObject();
            foreach (var (name, shape) in members(json))
            {
                if (json.Field(name) is { } member) copy[name] = shape.Read(member);
            }

            return copy;
        }
    }
}
