using System.Net;
using System.Text.Json.Nodes;

namespace Strongroom.Client;

/// <summary>An answer of the API: a success of any kind, with what a client needs to go on.</summary>
/// <param name="Status">200, 201, 202 or 204.</param>
/// <param name="Body">The JSON object; null when the answer has no body.</param>
/// <param name="OperationUrl">The <c>Azure-AsyncOperation</c> header; null when there is none.</param>
/// <param name="LocationUrl">The <c>Location</c> header; null when there is none.</param>
/// <param name="RetryAfter">What the server asks to wait before the next poll; null when it says nothing.</param>
/// <param name="Request">Method and path, for messages.</param>
internal sealed record ArmResponse(
    HttpStatusCode Status,
    JsonObject? Body,
    Uri? OperationUrl,
    Uri? LocationUrl,
    TimeSpan? RetryAfter,
    string Request)
{
    /// <summary>The body where one must be.</summary>
    /// <exception cref="ClientException">The answer had none.</exception>
    public JsonObject RequireBody() => Body ?? throw new ClientException($"The answer to {Request} has no body.");
}
