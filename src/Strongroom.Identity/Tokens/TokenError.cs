using System.Globalization;
using System.Text.Json.Nodes;

namespace Strongroom.Identity.Tokens;

/// <summary>
/// A refusal in the shape of the Microsoft identity platform ("Microsoft Entra authentication and authorization error
/// codes"): clients and people look for the AADSTS number, libraries for the OAuth error (RFC 6749 section 5.2).
/// </summary>
/// <param name="Error">The OAuth 2.0 error code.</param>
/// <param name="Number">The AADSTS number.</param>
/// <param name="Message">One sentence or two for the person who reads it; never holds a secret.</param>
internal sealed record TokenError(string Error, int Number, string Message)
{
    public static TokenError UnknownTenant(string tenant, string error) => new(
        error, 90002, $"Tenant '{Printable(tenant)}' not found. This server has one tenant; its id is in the administrator's file.");

    public static TokenError UnknownClient(string clientId) => new(
        "unauthorized_client", 700016, $"Application with identifier '{Printable(clientId)}' was not found in this server's directory.");

    public static TokenError MissingParameter(string name) => new(
        "invalid_request", 900144, $"The request body must contain the following parameter: '{name}'.");

    public static TokenError UnknownScope(string scope) => new(
        "invalid_scope", 70011,
        $"The scope '{Printable(scope)}' is not valid: it must be this server's own address followed by /.default.");

    public static TokenError UnknownResource(string resource) => new(
        "invalid_resource", 500011, $"The resource '{Printable(resource)}' was not found in this tenant: it must be this server's own address.");

    public static TokenError WrongSecret { get; } = new(
        "invalid_client", 7000215, "Invalid client secret provided. Check the secret's value for this application.");

    public static TokenError MissingSecret { get; } = new(
        "invalid_client", 7000216, "'client_secret' is required for the 'client_credentials' grant type.");

    public static TokenError AssertionNotSupported { get; } = new(
        "invalid_client", 700027, "Client assertions are not accepted by this server; sign in with a client secret.");

    public static TokenError UnsupportedGrant { get; } = new(
        "unsupported_grant_type", 70003, "The grant type is not supported: this server accepts 'client_credentials' alone.");

    public static TokenError TooManyFailures(int seconds) => new(
        "invalid_client", 50196, string.Create(CultureInfo.InvariantCulture, $"Too many wrong secrets were sent for this application. Try again in {seconds} seconds."))
    {
        IsThrottled = true,
    };

    public static TokenError Malformed(string message) => new("invalid_request", 900144, message);

    /// <summary>True where the request was not looked at because of those before it.</summary>
    public bool IsThrottled { get; private init; }

    /// <summary>The OAuth code's HTTP status: 401 for a failed client authentication, else 400; 429 where it was not even tried.</summary>
    public int Status => IsThrottled ? 429 : Error == "invalid_client" ? 401 : 400;

    /// <summary>The text as the platform prints it: number, message, and what a person needs to find the request again.</summary>
    public string Description(Guid traceId, Guid correlationId, DateTimeOffset now) =>
        $"AADSTS{Number}: {Message} Trace ID: {traceId} Correlation ID: {correlationId} Timestamp: {Timestamp(now)}";

    public JsonObject ToJson(Guid correlationId, DateTimeOffset now)
    {
        var traceId = Guid.NewGuid();
        return new JsonObject
        {
            ["error"] = Error,
            ["error_description"] = Description(traceId, correlationId, now),
            ["error_codes"] = new JsonArray(Number),
            ["timestamp"] = Timestamp(now),
            ["trace_id"] = traceId.ToString(),
            ["correlation_id"] = correlationId.ToString(),
        };
    }

    public static string Timestamp(DateTimeOffset now) =>
        now.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    // What the client sent comes back to it and into logs: bounded, and in one line.
    private static string Printable(string text)
    {
        var shown = text.Length > 200 ? text[..200] + "..." : text;
        return string.Create(shown.Length, shown, static (span, source) =>
        {
            for (var index = 0; index < span.Length; index++)
                span[index] = char.IsControl(source[index]) ? '?' : source[index];
        });
    }
}
