using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Strongroom.Client;

/// <summary>A small client of Azure Resource Manager: requests, error envelopes, paging and both ways of tracking an operation.</summary>
/// <remarks>Tracking follows the URLs that the server hands out, unchanged, and sends its token to no other origin. Not safe for concurrent use.</remarks>
internal sealed class ArmClient(HttpClient http, Uri endpoint, Func<CancellationToken, ValueTask<string>> getToken, TimeProvider time, TimeSpan? requestLimit = null)
{
    private readonly TimeSpan limit = requestLimit ?? TimeLimits.Request;

    // A list that never ends is an error of the server, not a reason to wait for ever.
    private const int PagesMax = 1000;

    public static bool SameOrigin(Uri one, Uri other) =>
        Uri.Compare(one, other, UriComponents.SchemeAndServer, UriFormat.Unescaped, StringComparison.OrdinalIgnoreCase) == 0;

    public Task<ArmResponse> GetAsync(string path, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Get, Absolute(path), null, cancellationToken);

    public Task<ArmResponse> PutAsync(string path, JsonObject body, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Put, Absolute(path), body, cancellationToken);

    /// <param name="path">Path and query.</param>
    /// <param name="body">Null sends an empty body.</param>
    /// <param name="cancellationToken">Ends the request.</param>
    public Task<ArmResponse> PostAsync(string path, JsonObject? body, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Post, Absolute(path), body, cancellationToken);

    /// <summary>Whether something exists: a GET whose 404 is an answer.</summary>
    public async Task<bool> ExistsAsync(string path, CancellationToken cancellationToken)
    {
        try
        {
            await GetAsync(path, cancellationToken);
            return true;
        }
        catch (ArmRequestException e) when (e.Status == HttpStatusCode.NotFound)
        {
            return false;
        }
    }

    /// <summary>All items of a list, over all its pages.</summary>
    public async Task<IReadOnlyList<JsonNode>> ListAsync(string path, CancellationToken cancellationToken)
    {
        var items = new List<JsonNode>();
        var next = Absolute(path);
        for (var page = 0; page < PagesMax; page++)
        {
            var body = (await SendAsync(HttpMethod.Get, next, null, cancellationToken)).RequireBody();
            items.AddRange(body.Items("value").OfType<JsonNode>());
            if (body.Text("nextLink") is not { Length: > 0 } link)
                return items;
            next = new Uri(endpoint, link);
        }

        throw new ClientException($"The list at {path} did not end after {PagesMax} pages.");
    }

    /// <summary>Follows <c>Azure-AsyncOperation</c> until the operation ends, and returns its final state.</summary>
    /// <exception cref="ArmRequestException">The operation ended in failure.</exception>
    /// <exception cref="ClientException">There is no such header, or the operation took too long.</exception>
    public Task<JsonObject> FollowOperationAsync(ArmResponse started, CancellationToken cancellationToken)
    {
        var url = started.OperationUrl
            ?? throw new ClientException($"The answer to {started.Request} has no Azure-AsyncOperation header.");
        return TimeLimits.WithinAsync(TimeLimits.Operation, $"{started.Request} did not end", time, async limited =>
        {
            var wait = started.RetryAfter;
            while (true)
            {
                await Task.Delay(PollDelay(wait), time, limited);
                var state = await SendAsync(HttpMethod.Get, url, null, limited);
                var body = state.RequireBody();
                var status = body.RequireText("the operation's status", "status");
                if (status.Equals("Succeeded", StringComparison.OrdinalIgnoreCase))
                    return body;
                if (status.Equals("Failed", StringComparison.OrdinalIgnoreCase) || status.StartsWith("Cancel", StringComparison.OrdinalIgnoreCase))
                {
                    throw new ArmRequestException(
                        body.Text("error", "code") ?? $"Operation{status}",
                        body.Text("error", "message") ?? "The server gave no reason.",
                        null,
                        started.Request);
                }

                wait = state.RetryAfter;
            }
        }, cancellationToken);
    }

    /// <summary>Follows <c>Location</c> until it answers something else than 202, and returns that answer.</summary>
    /// <exception cref="ClientException">There is no such header, or the operation took too long.</exception>
    public Task<ArmResponse> FollowLocationAsync(ArmResponse started, CancellationToken cancellationToken)
    {
        var url = started.LocationUrl
            ?? throw new ClientException($"The answer to {started.Request} has no Location header.");
        return TimeLimits.WithinAsync(TimeLimits.Operation, $"{started.Request} did not end", time, async limited =>
        {
            var wait = started.RetryAfter;
            while (true)
            {
                await Task.Delay(PollDelay(wait), time, limited);
                var state = await SendAsync(HttpMethod.Get, url, null, limited);
                if (state.Status != HttpStatusCode.Accepted)
                    return state;
                url = state.LocationUrl ?? url;
                wait = state.RetryAfter;
            }
        }, cancellationToken);
    }

    /// <summary>Opens a file for reading as a stream. The caller disposes the answer.</summary>
    /// <param name="url">An absolute address on the same server.</param>
    /// <param name="cancellationToken">Ends the request; not the reading of the body.</param>
    /// <exception cref="ClientException">The address is on another server.</exception>
    public async Task<HttpResponseMessage> DownloadAsync(string url, CancellationToken cancellationToken)
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out var uri))
            throw new ClientException($"'{url}' is not an address.");
        using var request = await AuthorizedAsync(HttpMethod.Get, uri, cancellationToken);
        var what = $"GET {uri.AbsolutePath}";
        var response = await TimeLimits.WithinAsync(limit, $"no answer to {what}", time,
            limited => http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, limited), cancellationToken);
        if (response.StatusCode == HttpStatusCode.OK)
            return response;
        using (response)
            throw Refusal(response.StatusCode, Parse(await response.Content.ReadAsStringAsync(cancellationToken)), what);
    }

    internal static TimeSpan PollDelay(TimeSpan? retryAfter) =>
        retryAfter is { } asked && asked > TimeSpan.Zero
            ? (asked < TimeLimits.PollIntervalMax ? asked : TimeLimits.PollIntervalMax)
            : TimeLimits.PollInterval;

    private Uri Absolute(string path) => new(endpoint, path);

    private async Task<HttpRequestMessage> AuthorizedAsync(HttpMethod method, Uri uri, CancellationToken cancellationToken)
    {
        if (!SameOrigin(uri, endpoint))
            throw new ClientException($"The server points at another server: '{uri}'.");
        var request = new HttpRequestMessage(method, uri);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", await getToken(cancellationToken));
        return request;
    }

    private async Task<ArmResponse> SendAsync(HttpMethod method, Uri uri, JsonObject? body, CancellationToken cancellationToken)
    {
        using var request = await AuthorizedAsync(method, uri, cancellationToken);
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        if (body is not null)
            request.Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json");
        var what = $"{method} {uri.AbsolutePath}";
        return await TimeLimits.WithinAsync(limit, $"no answer to {what}", time, async limited =>
        {
            using var response = await http.SendAsync(request, limited);
            var text = await response.Content.ReadAsStringAsync(limited);
            var parsed = Parse(text);
            if (!response.IsSuccessStatusCode)
                throw Refusal(response.StatusCode, parsed, what);
            if (parsed is null && text.Length > 0)
                throw new ClientException($"The answer to {what} is not a JSON object.");
            return new ArmResponse(
                response.StatusCode, parsed, Header(response, "Azure-AsyncOperation"), Header(response, "Location"), RetryAfter(response), what);
        }, cancellationToken);
    }

    private static ArmRequestException Refusal(HttpStatusCode status, JsonObject? body, string request) => new(
        body.Text("error", "code") ?? status.ToString(), body.Text("error", "message") ?? "The server gave no reason.", status, request);

    private Uri? Header(HttpResponseMessage response, string name) =>
        response.Headers.TryGetValues(name, out var values) ? new Uri(endpoint, values.First()) : null;

    private TimeSpan? RetryAfter(HttpResponseMessage response) => response.Headers.RetryAfter switch
    {
        { Delta: { } delta } => delta,
        { Date: { } date } => date - time.GetUtcNow(),
        _ => null,
    };

    private static JsonObject? Parse(string text)
    {
        try
        {
            return text.Length == 0 ? null : JsonNode.Parse(text) as JsonObject;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
