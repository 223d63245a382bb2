using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using System.Text.Unicode;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Strongroom.Arm;

/// <summary>Bodies in and out: JSON in UTF-8, checked before anything reads it.</summary>
public static class ArmJson
{
    /// <summary>How deep objects and arrays may nest in a request.</summary>
    public const int MaxDepth = 64;

    private const string ContentType = "application/json; charset=utf-8";

    private static readonly JsonWriterOptions s_writer = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>What a source-generated context for this wire is made with: nulls omitted, camelCase, the discriminator anywhere in its object.</summary>
    public static JsonSerializerOptions NewOptions() => new()
    {
        AllowOutOfOrderMetadataProperties = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        // Quotes and '+' appear in messages and times; the content type is JSON and nosniff is set, so escaping them protects nobody.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        MaxDepth = MaxDepth,
    };

    /// <summary>The body as an object.</summary>
    /// <exception cref="ArmException">400: no body, not an object, malformed, a name twice, too deep; 413; 415.</exception>
    public static async Task<JsonObject> ReadObjectAsync(HttpRequest request, CancellationToken cancellationToken) =>
        await ReadOptionalObjectAsync(request, cancellationToken) ?? throw ArmErrors.InvalidRequestContent("the operation needs a body");

    /// <summary>The body as an object, or null when there is none.</summary>
    /// <exception cref="ArmException">As <see cref="ReadObjectAsync"/>, but a body may be absent.</exception>
    public static async Task<JsonObject?> ReadOptionalObjectAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        byte[] body = await RequestBody.ReadAsync(request, cancellationToken);
        if (body.AsSpan().Trim(" \t\r\n"u8).IsEmpty) return null;
        RequireJson(request);
        if (!Utf8.IsValid(body)) throw ArmErrors.InvalidRequestContent("it is not UTF-8");
        try
        {
            CheckTexts(body);
            JsonNode? node = JsonNode.Parse(body, documentOptions: new JsonDocumentOptions { MaxDepth = MaxDepth, AllowDuplicateProperties = false });
            return node as JsonObject ?? throw ArmErrors.InvalidRequestContent("a JSON object is expected", "$");
        }
        catch (JsonException ex)
        {
            throw Refusal(ex);
        }
    }

    /// <summary>The body as a <typeparamref name="T"/>.</summary>
    /// <exception cref="ArmException">As <see cref="ReadObjectAsync"/>, and 400 naming the path where a value has the wrong type.</exception>
    public static async Task<T> ReadAsync<T>(HttpRequest request, JsonTypeInfo<T> type, CancellationToken cancellationToken)
        where T : class
    {
        JsonObject body = await ReadObjectAsync(request, cancellationToken);
        try
        {
            return body.Deserialize(type) ?? throw ArmErrors.InvalidRequestContent("a JSON object is expected", "$");
        }
        catch (JsonException ex)
        {
            throw Refusal(ex);
        }
        catch (NotSupportedException)
        {
            // A polymorphic object without its discriminator: System.Text.Json cannot make the abstract root.
            throw ArmErrors.InvalidRequestContent("an object lacks the property that tells its type (protectedItemType, objectType, backupManagementType ...)");
        }
    }

    /// <summary>Sends a node as the answer's body; the status has been set.</summary>
    public static Task WriteAsync(HttpResponse response, JsonNode body, CancellationToken cancellationToken) =>
        WriteAsync(response, writer => body.WriteTo(writer), cancellationToken);

    /// <summary>Sends a value as the answer's body; the status has been set. Give the base type's info for polymorphic values.</summary>
    public static Task WriteAsync<T>(HttpResponse response, T body, JsonTypeInfo<T> type, CancellationToken cancellationToken) =>
        WriteAsync(response, writer => JsonSerializer.Serialize(writer, body, type), cancellationToken);

    /// <summary>The error for JSON that could not be read, naming the place but no type of ours.</summary>
    internal static ArmException Refusal(JsonException ex)
    {
        // Only reading into a type knows a path; only reading the text knows a line of what the client sent.
        if (ex.Path is not null) return ArmErrors.InvalidRequestContent("the value has the wrong type or is not known", ex.Path);
        return ArmErrors.InvalidRequestContent(ex.LineNumber is { } line
            ? $"the JSON is malformed at line {(line + 1).ToString(CultureInfo.InvariantCulture)}, byte {((ex.BytePositionInLine ?? 0) + 1).ToString(CultureInfo.InvariantCulture)}"
            : "the JSON is malformed, or an object has the same name twice");
    }

    private static async Task WriteAsync(HttpResponse response, Action<Utf8JsonWriter> write, CancellationToken cancellationToken)
    {
        using var buffer = new MemoryStream();
        await using (var writer = new Utf8JsonWriter(buffer, s_writer)) write(writer);
        response.ContentType = ContentType;
        response.ContentLength = buffer.Length;
        await response.Body.WriteAsync(buffer.GetBuffer().AsMemory(0, (int)buffer.Length), cancellationToken);
    }

    private static void RequireJson(HttpRequest request)
    {
        bool isJson = MediaTypeHeaderValue.TryParse(request.ContentType, out MediaTypeHeaderValue? type)
            && (type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase)
                || type.MediaType.Equals("text/json", StringComparison.OrdinalIgnoreCase)
                || type.Suffix.Equals("json", StringComparison.OrdinalIgnoreCase))
            && (!type.Charset.HasValue || HeaderUtilities.RemoveQuotes(type.Charset).Equals("utf-8", StringComparison.OrdinalIgnoreCase));
        if (!isJson) throw ArmErrors.UnsupportedMediaType(request.ContentType);
    }

    /// <summary>Refuses texts no one can store or send back: half a surrogate pair, a NUL.</summary>
    private static void CheckTexts(byte[] body)
    {
        var reader = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = MaxDepth });
        while (reader.Read())
        {
            if (reader.TokenType is not (JsonTokenType.String or JsonTokenType.PropertyName) || !reader.ValueIsEscaped) continue;
            try
            {
                if (reader.GetString()!.Contains('\0', StringComparison.Ordinal)) throw ArmErrors.InvalidRequestContent("a text contains the character U+0000");
            }
            catch (InvalidOperationException)
            {
                throw ArmErrors.InvalidRequestContent("a text contains half of a surrogate pair");
            }
        }
    }
}
