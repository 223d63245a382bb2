using System.Globalization;

namespace Strongroom.Arm;

// The faults of the request itself and of the server; what concerns resources stands in ArmErrors.cs.
public static partial class ArmErrors
{
    public static ArmException MissingApiVersionParameter() => new(400, "MissingApiVersionParameter",
        "The api-version query parameter (?api-version=yyyy-MM-dd) is required for all requests.", isGateway: true);

    public static ArmException InvalidApiVersionParameter(string apiVersion) => new(400, "InvalidApiVersionParameter",
        $"The api-version '{Shorten(apiVersion)}' is invalid. It must be a date yyyy-MM-dd, which '-preview' may follow.", isGateway: true);

    /// <summary>The body is not what the operation reads: not JSON, a wrong type, a member that is missing.</summary>
    /// <param name="why">A sentence without its full stop.</param>
    /// <param name="path">Where in the body, as a JSON path such as <c>$.properties.policyId</c>; null for the body as a whole.</param>
    public static ArmException InvalidRequestContent(string why, string? path = null) => new(400, "InvalidRequestContent",
        path is null ? $"The request content was invalid: {why}." : $"The request content was invalid at '{Shorten(path)}': {why}.", path);

    public static ArmException InvalidQueryParameter(string name, string why) => new(400, "InvalidQueryParameter",
        $"The query parameter '{name}' is invalid: {why}.", name);

    /// <summary>A word in the path that cannot stand in the id of anything.</summary>
    public static ArmException InvalidRequestUri(string segment) => new(400, "InvalidRequestUri",
        $"'{Shorten(segment)}' cannot be part of a path: it is too long or has a reserved character.", isGateway: true);

    public static ArmException InvalidFilter(string filter, string why) => new(400, "InvalidFilterInQueryString",
        $"Invalid $filter '{Shorten(filter)}' specified in the query string: {why}.", "$filter");

    public static ArmException InvalidTags(string code, string why) => new(400, code, why, "tags");

    public static ArmException MethodNotAllowed(string method, string? allow = null) => new(405, "MethodNotAllowed",
        $"The requested resource does not support the HTTP method '{Shorten(method)}'.", isGateway: true)
    { Allow = allow };

    public static ArmException RequestEntityTooLarge(long limitBytes) => new(413, "RequestEntityTooLarge",
        $"The body of a request must not exceed {limitBytes.ToString(CultureInfo.InvariantCulture)} bytes.", isGateway: true);

    public static ArmException UnsupportedMediaType(string? contentType) => new(415, "UnsupportedMediaType",
        string.IsNullOrEmpty(contentType)
            ? "The request has a body but no Content-Type. Send 'application/json'."
            : $"The content type '{Shorten(contentType)}' is not supported. Send 'application/json' in UTF-8.", isGateway: true);

    public static ArmException PreconditionFailed(string target) => new(412, "PreconditionFailed",
        $"'{target}' was changed in the meantime: its ETag is not the one in the request. Read it again and repeat the change.", target);

    /// <summary>A change that met another one of the same resource.</summary>
    public static ArmException Conflict(string target) => new(409, "Conflict",
        $"'{target}' is being changed by another request. Repeat the request.", target);

    public static ArmException ResourceRequestsThrottled(string action, int limit, TimeSpan interval, int retryAfterSeconds) => new(429, "ResourceRequestsThrottled",
        $"Number of requests for action '{action}' exceeded the limit of '{limit.ToString(CultureInfo.InvariantCulture)}' for time interval '{interval:c}'. "
        + $"Please try again after '{retryAfterSeconds.ToString(CultureInfo.InvariantCulture)}' seconds.", isGateway: true)
    { RetryAfterSeconds = retryAfterSeconds };

    public static ArmException ServerBusy(string why, int retryAfterSeconds) => new(503, "ServerBusy", why, isGateway: true) { RetryAfterSeconds = retryAfterSeconds };

    /// <summary>A fault of ours. The client gets the id under which the log tells what happened, and nothing more.</summary>
    public static ArmException InternalServerError(string trackingId) => new(500, "InternalServerError",
        $"Encountered internal server error. The tracking id '{trackingId}' finds the cause in the server's log.", isGateway: true);

    /// <summary>A status without a code of its own, such as one set by a part of the web server.</summary>
    internal static ArmException ForStatus(int status) => new(status,
        status switch { 400 => "BadRequest", 401 => "AuthenticationFailed", 403 => "AuthorizationFailed", 404 => "NotFound", 408 => "RequestTimeout", 431 => "RequestHeadersTooLarge", 503 => "ServerBusy", _ => "HttpStatus" + status.ToString(CultureInfo.InvariantCulture) },
        $"The request was answered with HTTP status {status.ToString(CultureInfo.InvariantCulture)}.", isGateway: true);
}
