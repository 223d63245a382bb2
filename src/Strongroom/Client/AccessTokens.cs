using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Strongroom.Client;

/// <summary>Signs in with client credentials the way Azure's own clients do, and renews the token before it ends.</summary>
/// <remarks>
/// What is asked, in this order: the cloud's metadata (where to sign in, for which audience), the OpenID configuration of the tenant
/// (RFC 8414 and OpenID Connect Discovery 1.0), the token endpoint (RFC 6749 section 4.4). Not safe for concurrent use.
/// </remarks>
internal sealed class AccessTokens(HttpClient http, ISignIn server, TimeProvider time)
{
    private const string MetadataVersion = "2022-09-01";

    // Renewed this long before its end, so that no request starts with a token that ends on the way.
    private static readonly TimeSpan RenewBefore = TimeSpan.FromMinutes(5);

    private Uri? tokenEndpoint;
    private string? scope;
    private string? token;
    private DateTimeOffset renewAt;

    /// <summary>A bearer token that is good for some minutes at least.</summary>
    /// <exception cref="ArmRequestException">The sign-in was refused.</exception>
    public async ValueTask<string> GetAsync(CancellationToken cancellationToken)
    {
        if (token is not null && time.GetUtcNow() < renewAt)
            return token;
        if (tokenEndpoint is null)
            await DiscoverAsync(cancellationToken);

        var asked = time.GetUtcNow();
        using var request = new HttpRequestMessage(HttpMethod.Post, tokenEndpoint)
        {
            Content = new FormUrlEncodedContent(new Dictionary<string, string>
            {
                ["grant_type"] = "client_credentials",
                ["client_id"] = server.ClientId,
                ["client_secret"] = server.ClientSecret,
                ["scope"] = scope!,
            }),
        };
        var answer = await SendAsync(request, cancellationToken);
        token = answer.RequireText("the token", "access_token");
        var lifetime = TimeSpan.FromSeconds(answer.Number("expires_in") ?? 0);
        renewAt = asked + (lifetime > 2 * RenewBefore ? lifetime - RenewBefore : lifetime / 2);
        return token;
    }

    private async Task DiscoverAsync(CancellationToken cancellationToken)
    {
        var metadata = await GetAsync(new Uri(server.Endpoint, $"/metadata/endpoints?api-version={MetadataVersion}"), cancellationToken);
        var login = metadata.RequireText("the sign-in address", "authentication", "loginEndpoint").TrimEnd('/');
        var audience = metadata.Items("authentication", "audiences").FirstOrDefault()?.GetValue<string>()
            ?? throw new ClientException("The server's metadata names no audience.");
        scope = audience + "/.default";

        // The metadata shows the shape of AD FS, which keeps clients from asking Microsoft; Entra's shape stands beside it.
        const string adfs = "/adfs";
        if (login.EndsWith(adfs, StringComparison.OrdinalIgnoreCase))
            login = login[..^adfs.Length];
        var configuration = await GetAsync(
            OfServer($"{login}/{server.TenantId}/v2.0/.well-known/openid-configuration"), cancellationToken);
        tokenEndpoint = OfServer(configuration.RequireText("the token endpoint", "token_endpoint"));
    }

    /// <summary>Refuses an address elsewhere: the secret and the token belong to this server alone.</summary>
    private Uri OfServer(string address) =>
        Uri.TryCreate(address, UriKind.Absolute, out var uri) && ArmClient.SameOrigin(uri, server.Endpoint)
            ? uri
            : throw new ClientException($"The server sends its clients elsewhere to sign in: '{address}'.");

    private Task<JsonObject> GetAsync(Uri uri, CancellationToken cancellationToken)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, uri);
        return SendAsync(request, cancellationToken);
    }

    private Task<JsonObject> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var what = $"{request.Method} {request.RequestUri!.AbsolutePath}";
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        return TimeLimits.WithinAsync(TimeLimits.Request, $"no answer to {what}", time, async limited =>
        {
            using var response = await http.SendAsync(request, limited);
            var text = await response.Content.ReadAsStringAsync(limited);
            var body = Parse(text);
            if (!response.IsSuccessStatusCode)
            {
                throw new ArmRequestException(
                    body.Text("error") ?? body.Text("error", "code") ?? "SignInFailed",
                    body.Text("error_description") ?? body.Text("error", "message") ?? "The server gave no reason.",
                    response.StatusCode,
                    what);
            }

            return body ?? throw new ClientException($"The answer to {what} is not a JSON object.");
        }, cancellationToken);
    }

    private static JsonObject? Parse(string text)
    {
        try
        {
            return JsonNode.Parse(text) as JsonObject;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
