using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Strongroom.Arm;

/// <summary>The answer that work has begun and where to look for its end.</summary>
/// <remarks>
/// Clients follow these URLs verbatim (Terraform, the SDKs) or take only the last segment and build their own (az), so both must answer.
/// Source: Resource Manager RPC, asynchronous operations; <c>Azure-AsyncOperation</c> is looked at before <c>Location</c>.
/// </remarks>
public sealed class LongRunning : IResult
{
    /// <summary>202, or 201 for a PUT that answers with the resource.</summary>
    public int Status { get; init; } = StatusCodes.Status202Accepted;

    /// <summary>Path of the operation's status (200 with <c>status</c> in the body), unescaped; null for no such header.</summary>
    public string? AsyncOperationPath { get; init; }

    /// <summary>The api-version in that URL; null for the request's own.</summary>
    public string? AsyncOperationApiVersion { get; init; }

    /// <summary>Path of the operation's result (202 while it runs), unescaped; null for no such header.</summary>
    public string? LocationPath { get; init; }

    /// <summary>Seconds to wait before the next look; null for the server's default.</summary>
    public int? RetryAfterSeconds { get; init; }

    /// <summary>The body, or null for none.</summary>
    public JsonNode? Body { get; init; }

    public Task ExecuteAsync(HttpContext httpContext)
    {
        HttpResponse response = httpContext.Response;
        int retryAfterSeconds = RetryAfterSeconds ?? httpContext.RequestServices.GetRequiredService<ArmOptions>().RetryAfterSeconds;
        response.StatusCode = Status;
        if (AsyncOperationPath is { } path) response.Headers["Azure-AsyncOperation"] = PublicUrl.WithApiVersion(httpContext.Request, path, AsyncOperationApiVersion);
        if (LocationPath is { } location) response.Headers.Location = PublicUrl.WithApiVersion(httpContext.Request, location);
        response.Headers.RetryAfter = retryAfterSeconds.ToString(CultureInfo.InvariantCulture);
        if (Body is not null) return ArmJson.WriteAsync(response, Body, httpContext.RequestAborted);
        response.ContentLength = 0;
        return Task.CompletedTask;
    }
}
