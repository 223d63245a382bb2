using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
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

    /// <summary>Sends a node as the answer's body; the status has been set.</summary>
    public static async Task WriteAsync(HttpResponse response, JsonNode body, CancellationToken cancellationToken)
    {
        using var buffer = new MemoryStream();
        await using (var writer = new Utf8JsonWriter(buffer, s_writer)) body.WriteTo(writer);
        response.ContentType = ContentType;
        response.ContentLength = buffer.Length;
        await response.Body.WriteAsync(buffer.GetBuffer().AsMemory(0, (int)buffer.Length), cancellationToken);
    }

    /// <summary>The error for JSON that could not be read, naming the place but no type of ours.</summary>
    internal static ArmException Refusal(JsonException ex)
    {
        // Only reading into a type knows a path; only reading the text knows a line of what the client sent.
        if (ex.Path is not null) return ArmErrors.InvalidRequestContent("the value has the wrong type or is not known", ex.Path);
        return ArmErrors.InvalidRequestContent(ex.LineNumber is { } line
            ? $"the JSON is malformed at line {(line + 1).ToString(CultureInfo.InvariantCulture)}, byte {((ex.BytePositionInLine ?? 0) + 1).ToString(CultureInfo.InvariantCulture)}"
            : "the JSON is malformed, or an object has the same name twice");
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
