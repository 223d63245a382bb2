using System.Net;

namespace Strongroom.Client;

/// <summary>The API refused a request or reported that an operation or a job failed.</summary>
/// <remarks><see cref="Exception.Message"/> is the service's own text; <see cref="Code"/> is the code of the error envelope.</remarks>
internal sealed class ArmRequestException(string code, string message, HttpStatusCode? status, string request) : Exception(message)
{
    /// <summary>The error code, such as <c>ResourceNotFound</c>.</summary>
    public string Code { get; } = code;

    /// <summary>The status of the answer; null when the failure was told in the body of a 200.</summary>
    public HttpStatusCode? Status { get; } = status;

    /// <summary>Method and path of the request.</summary>
    public string Request { get; } = request;

    /// <summary>One line for a person.</summary>
    public string Describe() => Status is { } status
        ? $"{Code}: {Message} (HTTP {(int)status} to {Request})"
        : $"{Code}: {Message} ({Request})";
}
