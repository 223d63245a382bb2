using System.Security.Authentication;
using Microsoft.Extensions.Time.Testing;
using Strongroom.Client;

namespace Strongroom.Demo.Tests;

public sealed class SignInTests : IDisposable
{
    private readonly TempFolder folder = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_token_is_used_until_shortly_before_its_end_and_then_renewed()
    {
        await using var server = await StartAsync(new FakeFaults());
        using var http = TrustedConnection.Create(server.CaFile);
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var tokens = new AccessTokens(http, server, time);

        Assert.Equal("token1", await tokens.GetAsync(Token));
        time.Advance(TimeSpan.FromMinutes(54));
        Assert.Equal("token1", await tokens.GetAsync(Token));
        time.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal("token2", await tokens.GetAsync(Token));
        Assert.Equal(1, server.Requests.Count(request => request.Contains("openid-configuration", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_wrong_secret_is_refused_with_the_servers_words()
    {
        await using var server = await StartAsync(new FakeFaults(), secret: "wrong");
        using var http = TrustedConnection.Create(server.CaFile);

        var refused = await Assert.ThrowsAsync<ArmRequestException>(async () => await new AccessTokens(http, server, TimeProvider.System).GetAsync(Token));

        Assert.Equal("invalid_client", refused.Code);
        Assert.Equal("The secret is wrong.", refused.Message);
    }

    [Fact]
    public async Task The_secret_is_sent_to_no_other_server()
    {
        await using var other = await ScriptedApi.StartAsync(context => ScriptedApi.JsonAsync(context, 200, "{'access_token':'x'}"));
        await using var server = await StartAsync(new FakeFaults { TokenEndpoint = $"{other.Endpoint}token" });
        using var http = TrustedConnection.Create(server.CaFile);

        await Assert.ThrowsAsync<ClientException>(async () => await new AccessTokens(http, server, TimeProvider.System).GetAsync(Token));

        Assert.Empty(other.Requests);
    }

    [Fact]
    public async Task Only_the_servers_own_authority_is_trusted()
    {
        await using var server = await StartAsync(new FakeFaults());
        using var stranger = new TestAuthority("stranger");
        using var http = TrustedConnection.Create(stranger.WritePem(folder.File("stranger.pem")));

        var failed = await Assert.ThrowsAsync<HttpRequestException>(() => http.GetAsync(server.Endpoint, Token));

        Assert.IsType<AuthenticationException>(failed.InnerException);
        Assert.Empty(server.Requests);
    }

    [Fact]
    public async Task A_certificate_for_another_name_is_not_trusted()
    {
        await using var server = await StartAsync(new FakeFaults());
        using var http = TrustedConnection.Create(server.CaFile);

        var failed = await Assert.ThrowsAsync<HttpRequestException>(() => http.GetAsync(new Uri($"https://127.0.0.1:{server.Endpoint.Port}/"), Token));

        Assert.IsType<AuthenticationException>(failed.InnerException);
    }

    [Theory]
    [InlineData("")]
    [InlineData("not a certificate")]
    public void A_file_without_a_certificate_is_refused(string content)
    {
        File.WriteAllText(folder.File("empty.pem"), content);

        Assert.Throws<ClientException>(() => TrustedConnection.Create(folder.File("empty.pem")));
        Assert.Throws<ClientException>(() => TrustedConnection.Create(folder.File("missing.pem")));
    }

    public void Dispose() => folder.Dispose();

    private Task<FakeStrongroom> StartAsync(FakeFaults faults, string? secret = null)
    {
        var options = new DemoServerOptions { DataFolder = folder.Folder("server"), MachinesFolder = folder.Folder("machines") };
        return secret is null ? FakeStrongroom.StartAsync(options, faults) : FakeStrongroom.StartAsync(options, faults, secret);
    }
}
