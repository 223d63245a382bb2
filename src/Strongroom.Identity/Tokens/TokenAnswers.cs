using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace Strongroom.Identity.Tokens;

/// <summary>Answers of the identity endpoints that are written outside the token endpoint's own pipeline.</summary>
internal static class TokenAnswers
{
    public static Task WriteErrorAsync(HttpContext context, TokenError error, DateTimeOffset now) =>
        WriteAsync(context, error.Status, error.ToJson(CorrelationId(context.Request), now));

    public static Task WriteAsync(HttpContext context, int status, JsonNode body)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json; charset=utf-8";
        context.Response.Headers.CacheControl = "no-store";
        return context.Response.WriteAsync(body.ToJsonString(), context.RequestAborted);
    }

    /// <summary>Where a request comes from, as text.</summary>
    public static string Address(HttpContext context) => context.Connection.RemoteIpAddress?.ToString() ?? "";

    /// <summary>The id by which the client knows its request, from its header or its query, else a new one.</summary>
    public static Guid CorrelationId(HttpRequest request) =>
        Guid.TryParse(request.Headers["client-request-id"], out var id)
        || Guid.TryParse(request.Query["client-request-id"], out id)
            ? id
            : Guid.NewGuid();
}
