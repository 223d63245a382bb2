using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;

namespace Strongroom.Identity.Tests;

public sealed class Token_requests(IdentityHost host) : IClassFixture<IdentityHost>
{
    public static TheoryData<string> Paths { get; } = new(
        "/adfs/oauth2/token",
        "/adfs//oauth2/token",
        "/ADFS/OAuth2/Token",
        "/adfs/{tenant}/oauth2/token",
        "/adfs/{tenant}/oauth2/v2.0/token",
        "/{tenant}/oauth2/token",
        "/{tenant}/oauth2/v2.0/token",
        "/common/oauth2/v2.0/token",
        "/organizations/oauth2/v2.0/token?client-request-id=5d1a3cd7-63a4-4b60-a6f1-6b8a4c7a9f10");

    [Theory]
    [MemberData(nameof(Paths))]
    public async Task Every_shape_of_token_path_issues_a_token_that_the_api_accepts(string path)
    {
        var (status, body) = await host.PostAsync(path.Replace("{tenant}", IdentityHost.TenantId.ToString(), StringComparison.Ordinal), host.Form());

        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal("Bearer", (string?)body["token_type"]);
        Assert.Equal(3599, (int?)body["expires_in"]);
        Assert.Equal(3599, (int?)body["ext_expires_in"]);
        var (answer, _) = await host.CallAsync("Bearer " + (string?)body["access_token"]);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(IdentityHost.ClientId.ToString(), await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_token_carries_the_claims_that_clients_and_the_api_read()
    {
        var token = await host.SignInAsync();
        var now = host.Time.GetUtcNow().ToUnixTimeSeconds();
        var header = IdentityHost.Part(token, 0);
        var claims = IdentityHost.Part(token, 1).AsObject();

        Assert.Equal("RS256", (string?)header["alg"]);
        Assert.Equal(host.Keys.Current.KeyId, (string?)header["kid"]);
        Assert.Equal(host.Origin + "/", (string?)claims["aud"]);
        Assert.Equal($"{host.Origin}/{IdentityHost.TenantId}/v2.0", (string?)claims["iss"]);
        Assert.Equal((now, now, now + 3600), ((long)claims["iat"]!, (long)claims["nbf"]!, (long)claims["exp"]!));
        Assert.Equal(IdentityHost.TenantId.ToString(), (string?)claims["tid"]);
        Assert.Equal(IdentityHost.ObjectId.ToString(), (string?)claims["oid"]);
        Assert.Equal(IdentityHost.ObjectId.ToString(), (string?)claims["sub"]);
        Assert.Equal(IdentityHost.ClientId.ToString(), (string?)claims["appid"]);
        Assert.Equal(IdentityHost.ClientId.ToString(), (string?)claims["azp"]);
        Assert.Equal("app", (string?)claims["idtyp"]);
        Assert.Equal("1.0", (string?)claims["ver"]);
        Assert.Equal(
            ["appid", "appidacr", "aud", "azp", "client_id", "exp", "iat", "idtyp", "iss", "nbf", "oid", "sub", "tid", "uti", "ver"],
            claims.Select(claim => claim.Key).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task No_two_tokens_have_the_same_unique_id()
    {
        var first = (string?)IdentityHost.Part(await host.SignInAsync(), 1)["uti"];
        var second = (string?)IdentityHost.Part(await host.SignInAsync(), 1)["uti"];

        Assert.NotEqual(first, second);
    }

    [Fact]
    public async Task Parameters_that_msal_adds_are_accepted_and_client_info_comes_back()
    {
        var form = host.Form();
        form["client_info"] = "1";
        form["claims"] = """{"access_token":{"xms_cc":{"values":["CP1"]}}}""";
        form["x-client-SKU"] = "MSAL.Python";
        form["scope"] += " openid profile offline_access";
        var (status, body) = await host.PostAsync("/adfs/oauth2/token", form);

        Assert.Equal(HttpStatusCode.OK, status);
        var info = IdentityHost.Part("." + (string?)body["client_info"], 1);
        Assert.Equal(IdentityHost.ObjectId.ToString(), (string?)info["uid"]);
        Assert.Equal(IdentityHost.TenantId.ToString(), (string?)info["utid"]);
    }

    [Theory]
    [InlineData("")]
    [InlineData("/")]
    public async Task The_resource_parameter_of_version_1_is_answered_in_the_words_of_version_1(string slash)
    {
        var form = host.Form();
        form.Remove("scope");
        form["resource"] = host.Origin + slash;
        var (status, body) = await host.PostAsync($"/{IdentityHost.TenantId}/oauth2/token", form);

        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal("3599", (string?)body["expires_in"]);
        Assert.Equal((host.Time.GetUtcNow().ToUnixTimeSeconds() + 3600).ToString(CultureInfo.InvariantCulture), (string?)body["expires_on"]);
        Assert.Equal(host.Origin + slash, (string?)body["resource"]);
        Assert.Equal(host.Origin + "/", (string?)IdentityHost.Part((string)body["access_token"]!, 1)["aud"]);
    }

    [Theory]
    [InlineData("{0}/.default", true)]
    [InlineData("{0}//.default", true)]
    [InlineData("{0}///.default", true)]
    [InlineData("https://strongroom.test:8443/.default", true)]
    [InlineData("HTTPS://STRONGROOM.TEST:8443//.DEFAULT", true)]
    [InlineData("https://management.azure.com/.default", false)]
    [InlineData("https://management.azure.com//.default", false)]
    [InlineData("{0}.evil.example/.default", false)]
    [InlineData("{0}@evil.example/.default", false)]
    [InlineData("{0}/sub/.default", false)]
    [InlineData("{0}/?x/.default", false)]
    [InlineData("{0}", false)]
    [InlineData("/.default", false)]
    [InlineData(".default", false)]
    [InlineData("{0}/.default https://management.azure.com/.default", false)]
    public async Task A_scope_must_be_this_servers_own_address(string scope, bool ours)
    {
        var form = host.Form();
        form["scope"] = string.Format(null, scope, host.Origin);
        var (status, body) = await host.PostAsync("/adfs/oauth2/token", form);

        Assert.Equal(ours ? HttpStatusCode.OK : HttpStatusCode.BadRequest, status);
        Assert.Equal(ours ? null : "invalid_scope", (string?)body["error"]);
    }

    [Theory]
    [InlineData("https://management.azure.com/")]
    [InlineData("urn:something")]
    [InlineData("not an address")]
    public async Task A_resource_that_is_not_this_server_is_refused(string resource)
    {
        var form = host.Form();
        form.Remove("scope");
        form["resource"] = resource;
        var (status, body) = await host.PostAsync("/adfs/oauth2/token", form);

        Assert.Equal(HttpStatusCode.BadRequest, status);
        AssertRefusal(body, "invalid_resource", 500011);
    }

    public static TheoryData<string, string?, HttpStatusCode, string, int> Refusals { get; } = new()
    {
        { "client_secret", "wrong", HttpStatusCode.Unauthorized, "invalid_client", 7000215 },
        { "client_secret", null, HttpStatusCode.Unauthorized, "invalid_client", 7000216 },
        { "client_id", "11111111-2222-3333-4444-555555555555", HttpStatusCode.BadRequest, "unauthorized_client", 700016 },
        { "client_id", "admin\r\n'\"<", HttpStatusCode.BadRequest, "unauthorized_client", 700016 },
        { "grant_type", "password", HttpStatusCode.BadRequest, "unsupported_grant_type", 70003 },
        { "grant_type", "urn:ietf:params:oauth:grant-type:device_code", HttpStatusCode.BadRequest, "unsupported_grant_type", 70003 },
        { "grant_type", null, HttpStatusCode.BadRequest, "invalid_request", 900144 },
        { "client_id", null, HttpStatusCode.BadRequest, "invalid_request", 900144 },
        { "scope", null, HttpStatusCode.BadRequest, "invalid_request", 900144 },
        { "scope", "https://management.azure.com//.default", HttpStatusCode.BadRequest, "invalid_scope", 70011 },
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task A_refusal_has_the_platforms_shape(string parameter, string? value, HttpStatusCode expected, string error, int number)
    {
        var form = host.Form();
        if (value is null)
            form.Remove(parameter);
        else
            form[parameter] = value;
        var (status, body) = await host.PostAsync("/common/oauth2/v2.0/token?client-request-id=5d1a3cd7-63a4-4b60-a6f1-6b8a4c7a9f10", form);

        Assert.Equal(expected, status);
        AssertRefusal(body, error, number);
        Assert.Equal("5d1a3cd7-63a4-4b60-a6f1-6b8a4c7a9f10", (string?)body["correlation_id"]);
    }

    [Theory]
    [InlineData(IdentityHost.Secret, HttpStatusCode.OK)]
    [InlineData("wrong", HttpStatusCode.Unauthorized)]
    public async Task Http_basic_authentication_of_the_client_works_too(string secret, HttpStatusCode expected)
    {
        // RFC 6749 section 2.3.1: both halves are form-encoded before they are joined.
        var credentials = $"{IdentityHost.ClientId}:{Uri.EscapeDataString(secret)}";
        using var request = new HttpRequestMessage(HttpMethod.Post, "/adfs/oauth2/token")
        {
            Content = new FormUrlEncodedContent([new("grant_type", "client_credentials"), new("scope", host.Origin + "/.default")]),
        };
        request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(credentials)));
        using var answer = await host.Client.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(expected, answer.StatusCode);
        var body = JsonNode.Parse(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!;
        if (expected == HttpStatusCode.Unauthorized)
            AssertRefusal(body, "invalid_client", 7000215);
    }

    [Theory]
    [InlineData("/11111111-2222-3333-4444-555555555555/oauth2/v2.0/token")]
    [InlineData("/adfs/contoso.example/oauth2/token")]
    [InlineData("/consumers/oauth2/token")]
    public async Task A_tenant_that_is_not_ours_is_refused(string path)
    {
        var (status, body) = await host.PostAsync(path, host.Form());

        Assert.Equal(HttpStatusCode.BadRequest, status);
        AssertRefusal(body, "invalid_request", 90002);
    }

    [Fact]
    public async Task Requests_that_are_no_token_requests_are_refused_without_a_server_error()
    {
        var assertion = host.Form();
        assertion["client_assertion_type"] = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
        assertion["client_assertion"] = "a.b.c";
        assertion.Remove("client_secret");
        var (status, body) = await host.PostAsync("/adfs/oauth2/token", assertion);
        Assert.Equal(HttpStatusCode.Unauthorized, status);
        AssertRefusal(body, "invalid_client", 700027);

        using var get = await host.Client.GetAsync("/adfs/oauth2/token", TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.BadRequest, get.StatusCode);

        using var json = new StringContent("{", Encoding.UTF8, "application/json");
        using var answer = await host.Client.PostAsync("/adfs/oauth2/token", json, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);

        using var binary = new ByteArrayContent([0xff, 0x00, 0x3d, 0x26, 0xfe]);
        binary.Headers.ContentType = new MediaTypeHeaderValue("application/x-www-form-urlencoded");
        using var second = await host.Client.PostAsync("/adfs/oauth2/token", binary, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.BadRequest, second.StatusCode);
    }

    private static void AssertRefusal(JsonNode body, string error, int number)
    {
        Assert.Equal(error, (string?)body["error"]);
        Assert.Equal([number], body["error_codes"]!.AsArray().Select(code => (int)code!));
        Assert.StartsWith($"AADSTS{number}: ", (string?)body["error_description"], StringComparison.Ordinal);
        Assert.DoesNotContain('\n', (string?)body["error_description"] ?? "");
        Assert.DoesNotContain("wrong", (string?)body["error_description"] ?? "", StringComparison.Ordinal);
        Assert.True(Guid.TryParse((string?)body["trace_id"], out _));
        Assert.True(Guid.TryParse((string?)body["correlation_id"], out _));
        Assert.Matches(@"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ$", (string?)body["timestamp"]);
        Assert.Null(body["access_token"]);
    }

    [Theory]
    [InlineData("client_id=%00&grant_type=client_credentials")]
    [InlineData("%00=x")]
    [InlineData("many")]
    public async Task A_form_that_cannot_be_read_is_the_clients_error(string form)
    {
        var text = form == "many" ? string.Join('&', Enumerable.Range(0, 2000).Select(n => $"a{n.ToString(CultureInfo.InvariantCulture)}=1")) : form;
        using var content = new StringContent(text, Encoding.UTF8, "application/x-www-form-urlencoded");

        using var answer = await host.Client.PostAsync(new Uri("/adfs/oauth2/token", UriKind.Relative), content, TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains("invalid_request", await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }
}
