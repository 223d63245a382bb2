using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;

namespace Strongroom.Identity.Tests;

public sealed class Discovery_documents(IdentityHost host) : IClassFixture<IdentityHost>
{
    [Theory]
    [InlineData("/adfs/.well-known/openid-configuration", "/adfs/oauth2/token", "/adfs/discovery/keys")]
    [InlineData("/adfs/{t}/.well-known/openid-configuration", "/adfs/{t}/oauth2/token", "/adfs/{t}/discovery/keys")]
    [InlineData("/adfs/{t}/v2.0/.well-known/openid-configuration", "/adfs/{t}/oauth2/v2.0/token", "/adfs/{t}/discovery/v2.0/keys")]
    [InlineData("/{t}/.well-known/openid-configuration", "/{t}/oauth2/token", "/{t}/discovery/keys")]
    [InlineData("/{t}/v2.0/.well-known/openid-configuration", "/{t}/oauth2/v2.0/token", "/{t}/discovery/v2.0/keys")]
    [InlineData("/common/v2.0/.well-known/openid-configuration", "/common/oauth2/v2.0/token", "/common/discovery/v2.0/keys")]
    [InlineData("/Organizations/v2.0/.well-known/openid-configuration", "/organizations/oauth2/v2.0/token", "/organizations/discovery/v2.0/keys")]
    public async Task A_document_keeps_the_shape_and_the_host_that_it_was_asked_under(string path, string token, string keys)
    {
        var (answer, body) = await host.CallAsync(null, Fill(path), host: "proxy.example:444");

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("https://proxy.example:444" + Fill(token), (string?)body!["token_endpoint"]);
        Assert.Equal("https://proxy.example:444" + Fill(keys), (string?)body["jwks_uri"]);
        Assert.Equal($"https://proxy.example:444/{IdentityHost.TenantId}/v2.0", (string?)body["issuer"]);
        Assert.NotNull(body["authorization_endpoint"]);
        Assert.NotNull(body["device_authorization_endpoint"]);

        var (keyAnswer, set) = await host.CallAsync(null, Fill(keys));
        Assert.Equal(HttpStatusCode.OK, keyAnswer.StatusCode);
        var key = Assert.Single(set!["keys"]!.AsArray())!;
        Assert.Equal(("RSA", "sig", "AQAB"), ((string?)key["kty"], (string?)key["use"], (string?)key["e"]));
        Assert.Null(key["d"]);
    }

    [Theory]
    [InlineData("/11111111-2222-3333-4444-555555555555/v2.0/.well-known/openid-configuration")]
    [InlineData("/adfs/contoso/.well-known/openid-configuration")]
    [InlineData("/contoso/discovery/v2.0/keys")]
    public async Task A_document_of_another_tenant_is_refused(string path)
    {
        var (answer, body) = await host.CallAsync(null, path);

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal("invalid_tenant", (string?)body!["error"]);
        Assert.StartsWith("AADSTS90002: ", (string?)body["error_description"], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/adfs/oauth2/devicecode")]
    [InlineData("/common/oauth2/v2.0/authorize")]
    public async Task Interactive_sign_in_is_refused_with_the_command_that_works(string path)
    {
        var (answer, body) = await host.CallAsync(null, path);

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains("az login --service-principal", (string?)body!["error_description"], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("1.0")]
    [InlineData("2015-01-01")]
    [InlineData("2018-01-01")]
    public async Task Old_cloud_metadata_is_an_object_of_endpoints(string version)
    {
        var (_, body) = await host.CallAsync(null, "/metadata/endpoints?api-version=" + version);

        foreach (var name in (string[])["galleryEndpoint", "graphEndpoint", "portalEndpoint", "graphAudience"])
            Assert.StartsWith(host.Origin, (string?)body![name], StringComparison.Ordinal);
        Assert.Equal(host.Origin + "/adfs", (string?)body!["authentication"]!["loginEndpoint"]);
        Assert.Equal(host.Origin + "/", (string?)body["authentication"]!["audiences"]![0]);
        Assert.Equal(new Uri(host.Origin).Authority, (string?)body["cloudEndpoint"]!["Strongroom"]!["endpoint"]);
        Assert.Equal("home", (string?)body["cloudEndpoint"]!["Strongroom"]!["locations"]![0]);
    }

    [Theory]
    [InlineData("2019-05-01", true)]
    [InlineData("2020-06-01", true)]
    [InlineData("2022-08-31", true)]
    [InlineData("2022-09-01", false)]
    [InlineData("2026-01-01-preview", false)]
    public async Task New_cloud_metadata_is_a_cloud_or_a_list_of_one(string version, bool isArray)
    {
        using var answer = await host.Client.GetAsync("/metadata/endpoints?api-version=" + version, TestContext.Current.CancellationToken);
        var body = JsonNode.Parse(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!;
        Assert.Equal(isArray, body is JsonArray);
        var cloud = isArray ? Assert.Single(body.AsArray())! : body;

        Assert.Equal("Strongroom", (string?)cloud["name"]);
        Assert.Equal(host.Origin + "/", (string?)cloud["resourceManager"]);
        Assert.Equal("AAD", (string?)cloud["authentication"]!["identityProvider"]);
        Assert.Equal("common", (string?)cloud["authentication"]!["tenant"]);
        Assert.Equal("127.0.0.1", (string?)cloud["suffixes"]!["storage"]);
        foreach (var name in (string[])["portal", "gallery", "graph", "graphAudience", "microsoftGraphResourceId", "batch", "sqlManagement", "vmImageAliasDoc"])
            Assert.NotNull(cloud[name]);
    }

    [Theory]
    [InlineData("//metadata/endpoints")]
    [InlineData("///Metadata/Endpoints")]
    public async Task Cloud_metadata_is_found_under_more_slashes_too(string path)
    {
        // HttpClient takes such a path for a host's name unless it has the whole address.
        using var answer = await host.Client.GetAsync(new Uri(host.Origin + path + "?api-version=2018-01-01"), TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Contains("cloudEndpoint", await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("GET /metadata/endpoints?api-version=2022-09-01", 200)]
    [InlineData("GET /common/v2.0/.well-known/openid-configuration", 200)]
    [InlineData("GET /adfs/discovery/keys", 200)]
    [InlineData("POST /adfs/oauth2/token", 400)]
    [InlineData("GET /subscriptions", 401)]
    public async Task A_client_that_names_no_host_makes_no_server_error(string request, int status)
    {
        using var tcp = new TcpClient();
        await tcp.ConnectAsync(IPAddress.Loopback, new Uri(host.Origin).Port, TestContext.Current.CancellationToken);
        await using var tls = new SslStream(tcp.GetStream(), false, (_, shown, _, _) => shown is not null);
        await tls.AuthenticateAsClientAsync("localhost");
        await tls.WriteAsync(Encoding.ASCII.GetBytes(request + " HTTP/1.0\r\nContent-Length: 0\r\n\r\n"), TestContext.Current.CancellationToken);
        using var reader = new StreamReader(tls, Encoding.ASCII);

        Assert.StartsWith($"HTTP/1.1 {status} ", await reader.ReadLineAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "MissingApiVersionParameter")]
    [InlineData("?api-version=", "MissingApiVersionParameter")]
    [InlineData("?api-version=latest", "InvalidApiVersionParameter")]
    [InlineData("?api-version=2022-09-01%0A", "InvalidApiVersionParameter")]
    public async Task Cloud_metadata_needs_an_api_version(string query, string code)
    {
        var (answer, body) = await host.CallAsync(null, "/metadata/endpoints" + query);

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal(code, (string?)body!["error"]!["code"]);
    }

    private static string Fill(string path) => path.Replace("{t}", IdentityHost.TenantId.ToString(), StringComparison.Ordinal);
}
