using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Strongroom.Clients.Servers;

namespace Strongroom.Clients.Rest;

/// <summary>
/// A plain client of the management API that trusts only the server's own authority: for what the command line is too
/// slow or has no command for. A token lives through restarts of the server, as a real client's does.
/// </summary>
internal sealed class ArmClient : IDisposable
{
    private readonly ServerProcess _server;
    private readonly HttpClient _http;

    private ArmClient(ServerProcess server, string? token)
    {
        _server = server;
        var trusted = new X509Certificate2Collection();
        trusted.ImportFromPemFile(server.TrustFile);
        var handler = new SocketsHttpHandler { UseProxy = false };
        handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
        };
        handler.SslOptions.CertificateChainPolicy.CustomTrustStore.AddRange(trusted);
        _http = new HttpClient(handler) { BaseAddress = server.Endpoint, Timeout = TimeSpan.FromMinutes(10) };
        Token = token ?? "";
        if (token is not null)
            _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
    }

    public string Token { get; }

    /// <summary>A client without a token.</summary>
    public static ArmClient Anonymous(ServerProcess server) => new(server, null);

    /// <summary>Asks for a token with the administrator's credentials, as the Azure SDKs do.</summary>
    public static Task<ArmClient> SignInAsync(ServerProcess server, CancellationToken cancellationToken) =>
        SignInAsync(server, server.Admin.ClientId, server.Admin.ClientSecret, cancellationToken);

    /// <summary>Asks for a token with anybody's credentials; any answer but a token fails the test.</summary>
    public static async Task<ArmClient> SignInAsync(ServerProcess server, string clientId, string secret, CancellationToken cancellationToken)
    {
        using var anonymous = Anonymous(server);
        using var form = new FormUrlEncodedContent(new Dictionary<string, string>
        {
            ["grant_type"] = "client_credentials",
            ["client_id"] = clientId,
            ["client_secret"] = secret,
            ["scope"] = server.Endpoint.GetLeftPart(UriPartial.Authority) + "//.default",
        });
        using var answer = await anonymous._http.PostAsync($"/{server.Admin.TenantId}/oauth2/v2.0/token", form, cancellationToken);
        var body = await answer.Content.ReadAsStringAsync(cancellationToken);
        Assert.True(answer.IsSuccessStatusCode, $"The token endpoint answered {(int)answer.StatusCode}: {body}\n{server.LogTail}");
        return new ArmClient(server, JsonNode.Parse(body)!["access_token"]!.GetValue<string>());
    }

    /// <summary>A client of the same server with the same token and new connections, for after a restart.</summary>
    public ArmClient Reconnect() => new(_server, Token);

    /// <summary>Sends a request and returns the answer whatever its status; the caller disposes it.</summary>
    public Task<HttpResponseMessage> SendAsync(HttpMethod method, string url, JsonNode? body, CancellationToken cancellationToken)
    {
        var request = new HttpRequestMessage(method, new Uri(_server.Endpoint, url));
        if (body is not null)
            request.Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json");
        return _http.SendAsync(request, HttpCompletionOption.ResponseContentRead, cancellationToken);
    }

    /// <summary>Sends a request as it is and returns the answer whatever its status; the caller disposes both.</summary>
    public Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
        _http.SendAsync(request, HttpCompletionOption.ResponseContentRead, cancellationToken);

    /// <summary>GETs JSON; any other status than 200 fails the test.</summary>
    public async Task<JsonNode> GetAsync(string url, CancellationToken cancellationToken)
    {
        using var answer = await SendAsync(HttpMethod.Get, url, null, cancellationToken);
        return await ReadAsync(answer, cancellationToken);
    }

    /// <summary>All entries of a list, page by page.</summary>
    public async Task<IReadOnlyList<JsonNode>> ListAsync(string url, CancellationToken cancellationToken)
    {
        List<JsonNode> entries = [];
        for (string? next = url; next is not null;)
        {
            var page = await GetAsync(next, cancellationToken);
            entries.AddRange(page["value"]!.AsArray().OfType<JsonNode>());
            next = page["nextLink"]?.GetValue<string>();
        }
        return entries;
    }

    /// <summary>
    /// PUT, POST or DELETE, followed to its end by the URL in Azure-AsyncOperation or Location.
    /// </summary>
    /// <returns>The operation's final status document, the resource, or null where there is no body.</returns>
    public async Task<JsonNode?> ChangeAsync(HttpMethod method, string url, JsonNode? body, CancellationToken cancellationToken)
    {
        using var answer = await SendAsync(method, url, body, cancellationToken);
        if (!answer.IsSuccessStatusCode)
            await ReadAsync(answer, cancellationToken);
        if (answer.Headers.TryGetValues("Azure-AsyncOperation", out var operation))
            return await FollowStatusAsync(operation.Single(), cancellationToken);
        if (answer.StatusCode == HttpStatusCode.Accepted)
            return await FollowLocationAsync(answer.Headers.Location!.ToString(), cancellationToken);
        return answer.StatusCode == HttpStatusCode.NoContent ? null : await ReadAsync(answer, cancellationToken);
    }

    /// <summary>Downloads <paramref name="lengthBytes"/> bytes from the start by a Range request and returns their SHA-256 in hex.</summary>
    public async Task<string> Sha256Async(string url, long lengthBytes, CancellationToken cancellationToken)
    {
        using var answer = await SendRangeAsync(url, new RangeHeaderValue(0, lengthBytes - 1), cancellationToken);
        Assert.Equal(lengthBytes, answer.Content.Headers.ContentLength);
        await using var content = await answer.Content.ReadAsStreamAsync(cancellationToken);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(content, cancellationToken));
    }

    /// <summary>The last <paramref name="lengthBytes"/> bytes of a file, by a Range request.</summary>
    public async Task<byte[]> TailAsync(string url, int lengthBytes, CancellationToken cancellationToken)
    {
        using var answer = await SendRangeAsync(url, new RangeHeaderValue(null, lengthBytes), cancellationToken);
        return await answer.Content.ReadAsByteArrayAsync(cancellationToken);
    }

    /// <summary>The length of a file, by HEAD.</summary>
    public async Task<long> LengthAsync(string url, CancellationToken cancellationToken)
    {
        using var answer = await SendAsync(HttpMethod.Head, url, null, cancellationToken);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return answer.Content.Headers.ContentLength!.Value;
    }

    public void Dispose() => _http.Dispose();

    private async Task<HttpResponseMessage> SendRangeAsync(string url, RangeHeaderValue range, CancellationToken cancellationToken)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, new Uri(_server.Endpoint, url)) { Headers = { Range = range } };
        var answer = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        Assert.True(answer.StatusCode == HttpStatusCode.PartialContent, $"GET {url} with Range {range} answered {(int)answer.StatusCode}\n{_server.LogTail}");
        return answer;
    }

    private async Task<JsonNode?> FollowStatusAsync(string url, CancellationToken cancellationToken)
    {
        while (true)
        {
            var status = await GetAsync(url, cancellationToken);
            var word = status["status"]!.GetValue<string>();
            if (word is not ("InProgress" or "Running" or "Accepted"))
            {
                Assert.True(word == "Succeeded", $"The operation ended as {word}: {status.ToJsonString()}\n{_server.LogTail}");
                return status;
            }
            await Task.Delay(PollInterval, cancellationToken);
        }
    }

    private async Task<JsonNode?> FollowLocationAsync(string url, CancellationToken cancellationToken)
    {
        while (true)
        {
            using var answer = await SendAsync(HttpMethod.Get, url, null, cancellationToken);
            if (answer.StatusCode == HttpStatusCode.NoContent)
                return null;
            if (answer.StatusCode != HttpStatusCode.Accepted)
                return await ReadAsync(answer, cancellationToken);
            await Task.Delay(PollInterval, cancellationToken);
        }
    }

    /// <summary>How long is waited between two looks at something that takes its time.</summary>
    public static TimeSpan PollInterval { get; } = TimeSpan.FromMilliseconds(100);

    private async Task<JsonNode> ReadAsync(HttpResponseMessage answer, CancellationToken cancellationToken)
    {
        var text = await answer.Content.ReadAsStringAsync(cancellationToken);
        Assert.True(answer.IsSuccessStatusCode,
            $"{answer.RequestMessage!.Method} {answer.RequestMessage.RequestUri} answered {(int)answer.StatusCode}: {text}\n{_server.LogTail}");
        return text.Length == 0 ? new JsonObject() : JsonNode.Parse(text)!;
    }
}
