using System.Net;
using System.Text.Json.Nodes;
using Strongroom.Clients.Rest;

namespace Strongroom.Clients.Terraform;

/// <summary>
/// Requests as the Terraform provider azurerm sends them, followed by the two pollers in use there. Both take the
/// absolute URLs that the server hands out as they are.
/// </summary>
internal sealed class TerraformClient(ArmClient http)
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(10);

    /// <summary>A resource, or null for a 404 of any code: absent.</summary>
    public async Task<JsonNode?> ReadAsync(string url, CancellationToken cancellationToken)
    {
        using var answer = await http.SendAsync(HttpMethod.Get, url, null, cancellationToken);
        if (answer.StatusCode is HttpStatusCode.NotFound)
            return null;
        return await BodyAsync(answer, cancellationToken);
    }

    /// <summary>A request that has to be answered at once, with one of these.</summary>
    public async Task<JsonNode?> SendAsync(HttpMethod method, string url, JsonNode? body, HttpStatusCode[] accepted, CancellationToken cancellationToken)
    {
        using var answer = await http.SendAsync(method, url, body, cancellationToken);
        Assert.True(accepted.Contains(answer.StatusCode), $"{method} {url} answered {(int)answer.StatusCode}: {await answer.Content.ReadAsStringAsync(cancellationToken)}");
        return await BodyAsync(answer, cancellationToken);
    }

    /// <summary>
    /// The poller of the backup packages (go-autorest): follows Azure-AsyncOperation until its status is terminal, else
    /// Location while it answers 202. A 200 without either is final, and so is a 404 after a DELETE.
    /// </summary>
    public async Task AutorestAsync(HttpMethod method, string url, JsonNode? body, CancellationToken cancellationToken)
    {
        using var answer = await http.SendAsync(method, url, body, cancellationToken);
        Assert.True(
            answer.StatusCode is HttpStatusCode.OK or HttpStatusCode.Created or HttpStatusCode.Accepted or HttpStatusCode.NoContent,
            $"{method} {url} answered {(int)answer.StatusCode}: {await answer.Content.ReadAsStringAsync(cancellationToken)}");
        var (operation, location) = (Header(answer, "Azure-AsyncOperation"), Header(answer, "Location"));
        if (answer.StatusCode is not (HttpStatusCode.Accepted or HttpStatusCode.Created) && operation is null && location is null)
            return;
        var next = operation ?? location ?? throw new InvalidDataException($"{method} {url} answered {(int)answer.StatusCode} without a URL to follow.");
        AssertAbsolute(next);
        var end = TimeProvider.System.GetUtcNow() + Limit;
        while (TimeProvider.System.GetUtcNow() < end)
        {
            using var look = await http.SendAsync(HttpMethod.Get, next, null, cancellationToken);
            if (look.StatusCode is HttpStatusCode.NotFound && method == HttpMethod.Delete)
                return;
            if (operation is null && look.StatusCode is HttpStatusCode.OK or HttpStatusCode.NoContent)
                return;
            if (operation is not null)
            {
                var status = (await BodyAsync(look, cancellationToken)).Text("status");
                Assert.False(status is "Failed" or "Canceled" or null, $"{method} {url} ended as {status}");
                if (status is "Succeeded")
                    return;
            }
            await Task.Delay(ArmClient.PollInterval, cancellationToken);
        }
        Assert.Fail($"{method} {url} was not over after {Limit}.");
    }

    /// <summary>
    /// The poller of the vaults' package (go-azure-sdk) for PUT and PATCH: Azure-AsyncOperation, else Location. 202 and 404
    /// mean in progress, 200 without a body done; a body has to be JSON, with status or properties.provisioningState.
    /// </summary>
    public async Task BaseLayerAsync(HttpMethod method, string url, JsonNode body, CancellationToken cancellationToken)
    {
        using var answer = await http.SendAsync(method, url, body, cancellationToken);
        Assert.True(answer.IsSuccessStatusCode, $"{method} {url} answered {(int)answer.StatusCode}: {await answer.Content.ReadAsStringAsync(cancellationToken)}");
        if ((Header(answer, "Azure-AsyncOperation") ?? Header(answer, "Location")) is not { } next)
            return;
        AssertAbsolute(next);
        var end = TimeProvider.System.GetUtcNow() + Limit;
        while (TimeProvider.System.GetUtcNow() < end)
        {
            using var look = await http.SendAsync(HttpMethod.Get, next, null, cancellationToken);
            if (look.StatusCode is HttpStatusCode.OK)
            {
                if (look.Content.Headers.ContentLength == 0)
                    return;
                Assert.Contains("application/json", look.Content.Headers.ContentType?.ToString() ?? "", StringComparison.Ordinal);
                var state = await BodyAsync(look, cancellationToken);
                var status = state.Text("status") ?? state.Text("properties", "provisioningState");
                Assert.False(status is "Failed" or "Canceled", $"{method} {url} ended as {status}");
                if (status is "Succeeded")
                    return;
            }
            else
                Assert.True(look.StatusCode is HttpStatusCode.Accepted or HttpStatusCode.NotFound, $"{next} answered {(int)look.StatusCode}");
            await Task.Delay(ArmClient.PollInterval, cancellationToken);
        }
        Assert.Fail($"{method} {url} was not over after {Limit}.");
    }

    /// <summary>The same package's DELETE: only 202 and 204 are accepted, no header is read, and the resource is asked for until it is 404.</summary>
    public async Task BaseLayerDeleteAsync(string url, CancellationToken cancellationToken)
    {
        await SendAsync(HttpMethod.Delete, url, null, [HttpStatusCode.Accepted, HttpStatusCode.NoContent], cancellationToken);
        var end = TimeProvider.System.GetUtcNow() + Limit;
        while (await ReadAsync(url, cancellationToken) is not null)
        {
            Assert.True(TimeProvider.System.GetUtcNow() < end, $"{url} is still there after {Limit}.");
            await Task.Delay(ArmClient.PollInterval, cancellationToken);
        }
    }

    private static string? Header(HttpResponseMessage answer, string name) => answer.Headers.TryGetValues(name, out var values) ? values.Single() : null;

    private static void AssertAbsolute(string url) => Assert.True(Uri.TryCreate(url, UriKind.Absolute, out var parsed) && parsed.Scheme == Uri.UriSchemeHttps, $"{url} is not an absolute https URL.");

    private static async Task<JsonNode?> BodyAsync(HttpResponseMessage answer, CancellationToken cancellationToken)
    {
        var text = await answer.Content.ReadAsStringAsync(cancellationToken);
        Assert.True(answer.IsSuccessStatusCode, $"{answer.RequestMessage!.Method} {answer.RequestMessage.RequestUri} answered {(int)answer.StatusCode}: {text}");
        return text.Length == 0 ? null : JsonNode.Parse(text);
    }
}
