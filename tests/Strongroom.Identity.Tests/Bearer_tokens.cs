using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using CsCheck;
using Strongroom.Identity.Keys;

namespace Strongroom.Identity.Tests;

public sealed class Bearer_tokens : IAsyncLifetime
{
    private readonly IdentityHost host = new();

    public ValueTask InitializeAsync() => host.InitializeAsync();

    public ValueTask DisposeAsync() => host.DisposeAsync();

    [Theory]
    [InlineData("/subscriptions")]
    [InlineData("/there/is/no/such/path")]
    public async Task Without_a_token_every_path_is_refused_as_resource_manager_refuses_it(string path)
    {
        var (answer, body) = await host.CallAsync(null, path);

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.Equal("AuthenticationFailed", (string?)body!["error"]!["code"]);
        Assert.Equal("Authentication failed. The 'Authorization' header is missing.", (string?)body["error"]!["message"]);
        var challenge = Assert.Single(answer.Headers.GetValues("WWW-Authenticate"));
        Assert.StartsWith(
            $"Bearer authorization_uri=\"{host.Origin}/{IdentityHost.TenantId}\", error=\"invalid_token\", error_description=\"",
            challenge,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Basic YTpi", "AuthenticationFailedInvalidHeader")]
    [InlineData("Bearer", "AuthenticationFailedInvalidHeader")]
    [InlineData("Bearer not-a-token", "InvalidAuthenticationToken")]
    [InlineData("Bearer a.b.c", "InvalidAuthenticationToken")]
    [InlineData("Bearer ..", "InvalidAuthenticationToken")]
    [InlineData("Bearer a.b.c.d.e", "InvalidAuthenticationToken")]
    public Task A_header_that_holds_no_token_is_refused(string header, string code) => AssertRefusedAsync(header, code);

    [Fact]
    public Task No_text_in_the_header_makes_anything_but_a_refusal() =>
        Gen.Select(Gen.OneOf([.. new[] { "", "Bearer ", "bearer ", "Bearer eyJhbGciOiJSUzI1NiJ9." }.Select(Gen.Const)]), Gen.String[Gen.Char[' ', '~'], 1, 60]).SampleAsync(
            async (start, rest) =>
            {
                var (answer, body) = await host.CallAsync(start + rest);
                return answer.StatusCode == HttpStatusCode.Unauthorized && body!["error"]!["code"] is not null;
            },
            iter: 300,
            threads: 1);

    [Fact]
    public async Task A_token_of_enormous_length_is_refused() =>
        await AssertRefusedAsync("Bearer " + new string('a', 20_000), "InvalidAuthenticationToken");

    [Fact]
    public async Task A_token_is_valid_for_an_hour_of_the_servers_clock_and_no_longer()
    {
        var token = "Bearer " + await host.SignInAsync();
        host.Time.Advance(TimeSpan.FromMinutes(60) - TimeSpan.FromMilliseconds(1));
        Assert.Equal(HttpStatusCode.OK, (await host.CallAsync(token)).Answer.StatusCode);

        host.Time.Advance(TimeSpan.FromMilliseconds(1));
        await AssertRefusedAsync(token, "ExpiredAuthenticationToken");
    }

    [Fact]
    public async Task After_the_clock_moved_by_years_new_tokens_are_valid_and_old_ones_are_not()
    {
        var old = "Bearer " + await host.SignInAsync();
        host.Time.Advance(TimeSpan.FromDays(3650));
        var token = await host.SignInAsync();

        Assert.Equal(HttpStatusCode.OK, (await host.CallAsync("Bearer " + token)).Answer.StatusCode);
        Assert.Equal(host.Time.GetUtcNow().ToUnixTimeSeconds(), (long)IdentityHost.Part(token, 1)["iat"]!);
        await AssertRefusedAsync(old, "ExpiredAuthenticationToken");
    }

    [Fact]
    public async Task No_flipped_bit_of_a_token_goes_unnoticed()
    {
        var token = await host.SignInAsync();
        var parts = token.Split('.').Select(part => Base64Url.DecodeFromChars(part)).ToArray();

        await Gen.Select(Gen.Int[0, 2], Gen.Int[0, 10_000], Gen.Int[0, 7]).SampleAsync(
            async (part, position, bit) =>
            {
                var changed = parts.Select(bytes => bytes.ToArray()).ToArray();
                changed[part][position % changed[part].Length] ^= (byte)(1 << bit);
                var text = string.Join('.', changed.Select(bytes => Base64Url.EncodeToString(bytes)));
                var (answer, body) = await host.CallAsync("Bearer " + text);
                return answer.StatusCode == HttpStatusCode.Unauthorized
                    && (string?)body!["error"]!["code"] == "InvalidAuthenticationToken";
            },
            iter: 200,
            threads: 1);
    }

    [Fact]
    public async Task A_token_without_a_signature_is_refused()
    {
        var claims = (await host.SignInAsync()).Split('.')[1];
        foreach (var algorithm in (string[])["none", "None", "NONE", ""])
        {
            var header = Base64Url.EncodeToString(Encoding.UTF8.GetBytes($$"""{"alg":"{{algorithm}}","typ":"at+jwt"}"""));
            await AssertRefusedAsync($"Bearer {header}.{claims}.", "InvalidAuthenticationToken");
        }
    }

    [Fact]
    public async Task The_public_key_does_not_serve_as_a_shared_secret()
    {
        var token = await host.SignInAsync();
        using var rsa = RSA.Create();
        rsa.ImportFromPem(await File.ReadAllTextAsync(
            Directory.EnumerateFiles(host.KeysFolder).Single(), TestContext.Current.CancellationToken));
        var header = JsonNode.Parse("""{"alg":"HS256","typ":"at+jwt"}""")!;
        header["kid"] = host.Keys.Current.KeyId;
        var signed = Encode(header) + "." + token.Split('.')[1];
        var mac = HMACSHA256.HashData(Encoding.ASCII.GetBytes(rsa.ExportSubjectPublicKeyInfoPem()), Encoding.ASCII.GetBytes(signed));

        await AssertRefusedAsync($"Bearer {signed}.{Base64Url.EncodeToString(mac)}", "InvalidAuthenticationToken");
    }

    [Fact]
    public async Task A_token_signed_by_another_key_is_refused_even_under_our_key_id()
    {
        using var foreign = RSA.Create(2048);
        await AssertRefusedAsync("Bearer " + Forge(foreign, _ => { }), "InvalidAuthenticationToken");
    }

    [Fact]
    public async Task Claims_are_looked_at_also_when_the_signature_is_ours()
    {
        using var ours = OurKey();
        await AssertAcceptedAsync(Forge(ours, _ => { }));
        await AssertAcceptedAsync(Forge(ours, claims => claims["aud"] = host.Origin));
        await AssertAcceptedAsync(Forge(ours, claims => claims["aud"] = "https://strongroom.test:8443/"));

        await AssertForgedAsync(claims => claims["aud"] = "https://management.azure.com/", "InvalidAuthenticationTokenAudience");
        await AssertForgedAsync(claims => claims["aud"] = "x\r\nSet-Cookie: \"a\"", "InvalidAuthenticationTokenAudience");
        await AssertForgedAsync(claims => claims.Remove("aud"), "InvalidAuthenticationTokenAudience");
        await AssertForgedAsync(claims => claims["iss"] = "https://sts.windows.net/x/", "InvalidAuthenticationTokenTenant");
        await AssertForgedAsync(claims => claims["iss"] = $"https://evil.example/{IdentityHost.TenantId}/v2.0", "InvalidAuthenticationTokenTenant");
        await AssertForgedAsync(claims => claims["iss"] = $"{host.Origin}/{Guid.Empty}/v2.0", "InvalidAuthenticationTokenTenant");
        await AssertForgedAsync(claims => claims["nbf"] = Now + 1, "InvalidAuthenticationToken");
        await AssertForgedAsync(claims => claims["exp"] = Now, "ExpiredAuthenticationToken");
        foreach (var needed in (string[])["exp", "nbf", "sub", "oid", "appid"])
            await AssertForgedAsync(claims => claims.Remove(needed), "InvalidAuthenticationToken");
        await AssertRefusedAsync("Bearer " + Forge(ours, _ => { }, type: "JWT"), "InvalidAuthenticationToken");

        Task AssertForgedAsync(Action<JsonObject> change, string code) => AssertRefusedAsync("Bearer " + Forge(ours, change), code);
    }

    [Fact]
    public async Task After_a_rotation_the_new_key_signs_and_the_old_tokens_still_count()
    {
        var before = await host.SignInAsync();
        host.Keys.Rotate();
        var after = await host.SignInAsync();

        Assert.NotEqual((string?)IdentityHost.Part(before, 0)["kid"], (string?)IdentityHost.Part(after, 0)["kid"]);
        Assert.Equal(host.Keys.Current.KeyId, (string?)IdentityHost.Part(after, 0)["kid"]);
        await AssertAcceptedAsync(before);
        await AssertAcceptedAsync(after);

        var (_, set) = await host.CallAsync(null, "/common/discovery/v2.0/keys");
        Assert.Equal(2, set!["keys"]!.AsArray().Count);

        // A start later: the same keys in the same order.
        var again = SigningKeyRing.Open(host.KeysFolder, host.Time);
        Assert.Equal(host.Keys.All.Select(key => key.KeyId), again.All.Select(key => key.KeyId));
    }

    [Fact]
    public async Task A_token_is_valid_under_the_name_it_was_asked_under_and_not_under_another()
    {
        var form = host.Form();
        form["scope"] = "https://backup.example/.default";
        using var request = new HttpRequestMessage(HttpMethod.Post, "/adfs/oauth2/token") { Content = new FormUrlEncodedContent(form) };
        request.Headers.Host = "backup.example";
        using var answer = await host.Client.SendAsync(request, TestContext.Current.CancellationToken);
        var body = JsonNode.Parse(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!;
        var token = "Bearer " + (string?)body["access_token"];

        Assert.Equal(HttpStatusCode.OK, (await host.CallAsync(token, host: "backup.example")).Answer.StatusCode);
        await AssertRefusedAsync(token, "InvalidAuthenticationTokenTenant");
    }

    private long Now => host.Time.GetUtcNow().ToUnixTimeSeconds();

    private RSA OurKey()
    {
        var rsa = RSA.Create();
        rsa.ImportFromPem(File.ReadAllText(Directory.EnumerateFiles(host.KeysFolder).Single()));
        return rsa;
    }

    private string Forge(RSA key, Action<JsonObject> change, string type = "at+jwt")
    {
        var header = new JsonObject { ["alg"] = "RS256", ["typ"] = type, ["kid"] = host.Keys.Current.KeyId };
        var claims = new JsonObject
        {
            ["aud"] = host.Origin + "/",
            ["iss"] = $"{host.Origin}/{IdentityHost.TenantId}/v2.0",
            ["iat"] = Now,
            ["nbf"] = Now,
            ["exp"] = Now + 60,
            ["sub"] = "s",
            ["oid"] = "o",
            ["appid"] = "a",
        };
        change(claims);
        var signed = Encode(header) + "." + Encode(claims);
        var signature = key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        return signed + "." + Base64Url.EncodeToString(signature);
    }

    private static string Encode(JsonNode node) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(node.ToJsonString()));

    private async Task AssertAcceptedAsync(string token) =>
        Assert.Equal(HttpStatusCode.OK, (await host.CallAsync("Bearer " + token)).Answer.StatusCode);

    private async Task AssertRefusedAsync(string header, string code)
    {
        var (answer, body) = await host.CallAsync(header);
        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.Equal(code, (string?)body!["error"]!["code"]);
        Assert.False(string.IsNullOrEmpty((string?)body["error"]!["message"]));
        Assert.Single(answer.Headers.GetValues("WWW-Authenticate"));
    }
}
