using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace Strongroom.Arm;

/// <summary>Gives each request its ids and each answer the headers that Resource Manager sends with all of them.</summary>
internal sealed class RequestIds(RequestDelegate next, ArmOptions options, TimeProvider time)
{
    private const int MaxEchoLength = 128;

    public Task InvokeAsync(HttpContext context)
    {
        string requestId = Guid.NewGuid().ToString();
        string correlationId = Echoed(context.Request, "x-ms-correlation-request-id") ?? requestId;
        context.TraceIdentifier = requestId;
        DateTimeOffset now = time.GetUtcNow();
        IHeaderDictionary headers = context.Response.Headers;
        headers["x-ms-request-id"] = requestId;
        headers["x-ms-correlation-request-id"] = correlationId;
        headers["x-ms-routing-request-id"] = string.Create(CultureInfo.InvariantCulture, $"{options.Locations[0].Name.ToUpperInvariant()}:{now:yyyyMMdd'T'HHmmss'Z'}:{requestId}");
        if (Echoed(context.Request, "x-ms-client-request-id") is { } clientId) headers["x-ms-client-request-id"] = clientId;
        headers.CacheControl = "no-cache";
        headers.Pragma = "no-cache";
        headers.Expires = "-1";
        headers.XContentTypeOptions = "nosniff";
        headers.StrictTransportSecurity = "max-age=31536000; includeSubDomains";
        return next(context);
    }

    private static string? Echoed(HttpRequest request, string name)
    {
        string? value = request.Headers[name];
        return value is { Length: > 0 and <= MaxEchoLength } && value.All(static c => c is > ' ' and < '\x7f') ? value : null;
    }
}
