using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Strongroom.Arm;

/// <summary>Turns whatever went wrong into <c>{"error":{"code","message","target","details"}}</c>. Nothing leaves without a body.</summary>
internal sealed class ErrorEnvelope(RequestDelegate next, IEnumerable<IResourceProvider> providers, ArmOptions options, ILogger<ErrorEnvelope> log)
{
    private readonly IResourceProvider[] _providers = [.. providers];

    public async Task InvokeAsync(HttpContext context)
    {
        ArmException? error;
        try
        {
            await next(context);
            error = Unanswered(context);
        }
        catch (Exception ex) when (!context.Response.HasStarted && Map(context, ex) is { } mapped)
        {
            error = mapped;
        }
        if (error is not null) await WriteAsync(context, error);
    }

    /// <summary>Writes the error as this request's whole answer.</summary>
    internal static async Task WriteAsync(HttpContext context, ArmException error)
    {
        HttpResponse response = context.Response;
        response.StatusCode = error.Status;
        // What a handler has prepared before it failed belongs to another answer.
        response.Headers.ContentLength = null;
        response.Headers.Location = default;
        response.Headers.Remove("Azure-AsyncOperation");
        response.Headers.ETag = default;
        if (error.IsGateway) response.Headers["x-ms-failure-cause"] = "gateway";
        if (error.RetryAfterSeconds is { } seconds) response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        if (error.Allow is { } allow) response.Headers.Allow = allow;
        if (!HttpMethods.IsHead(context.Request.Method)) await ArmJson.WriteAsync(response, ToJson(error), context.RequestAborted);
    }

    internal static JsonObject ToJson(ArmException error)
    {
        var body = new JsonObject { ["code"] = error.Code, ["message"] = error.Message };
        if (error.Target is not null) body["target"] = error.Target;
        if (error.Details.Count > 0)
        {
            body["details"] = new JsonArray([.. error.Details.Select(static detail =>
            {
                var item = new JsonObject { ["code"] = detail.Code, ["message"] = detail.Message };
                if (detail.Target is not null) item["target"] = detail.Target;
                return item;
            })]);
        }
        return new JsonObject { ["error"] = body };
    }

    private ArmException? Map(HttpContext context, Exception ex)
    {
        switch (ex)
        {
            case ArmException arm:
                return arm;
            case OperationCanceledException when context.RequestAborted.IsCancellationRequested:
                return null;
            case BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge }:
                return ArmErrors.RequestEntityTooLarge(options.MaxRequestBodyBytes);
            case BadHttpRequestException { StatusCode: StatusCodes.Status415UnsupportedMediaType }:
                return ArmErrors.UnsupportedMediaType(context.Request.ContentType);
            case BadHttpRequestException bad:
                return bad.StatusCode == StatusCodes.Status400BadRequest ? ArmErrors.InvalidRequestContent(bad.Message.TrimEnd('.')) : ArmErrors.ForStatus(bad.StatusCode);
            case JsonException json:
                return ArmJson.Refusal(json);
            default:
                string trackingId = context.TraceIdentifier;
                log.LogError(ex, "Request {TrackingId} failed: {Method} {Path}", trackingId, context.Request.Method, context.Request.Path);
                return ArmErrors.InternalServerError(trackingId);
        }
    }

    /// <summary>The error for an answer that has a failing status and no body: no route, wrong method, a challenge.</summary>
    private ArmException? Unanswered(HttpContext context)
    {
        HttpResponse response = context.Response;
        if (response.HasStarted || response.StatusCode < 400 || response.ContentLength > 0 || response.ContentType is not null) return null;
        return response.StatusCode switch
        {
            StatusCodes.Status404NotFound => Unrouted(context),
            StatusCodes.Status405MethodNotAllowed => ArmErrors.MethodNotAllowed(context.Request.Method, response.Headers.Allow),
            StatusCodes.Status413PayloadTooLarge => ArmErrors.RequestEntityTooLarge(options.MaxRequestBodyBytes),
            StatusCodes.Status415UnsupportedMediaType => ArmErrors.UnsupportedMediaType(context.Request.ContentType),
            int status => ArmErrors.ForStatus(status),
        };
    }

    private ArmException Unrouted(HttpContext context)
    {
        string path = context.Request.Path.Value ?? "/";
        string[] parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        int at = Array.FindLastIndex(parts, static part => part.Equals("providers", StringComparison.OrdinalIgnoreCase));
        if (at < 0 || at + 1 >= parts.Length || !ArmPipeline.IsArmPath(context.Request.Path)) return ArmErrors.NotFound(path);
        IResourceProvider? provider = Array.Find(_providers, p => p.Namespace.Equals(parts[at + 1], StringComparison.OrdinalIgnoreCase));
        if (provider is null) return ArmErrors.InvalidResourceNamespace(parts[at + 1]);
        string type = string.Join('/', parts.Skip(at + 2).Where(static (_, index) => index % 2 == 0));
        return ArmErrors.InvalidResourceType(type, provider.Namespace, context.Request.Query["api-version"].ToString());
    }
}
