using System.Net;
using System.Runtime.Versioning;
using System.Text.Json.Nodes;
using Strongroom.Clients.Rest;

namespace Strongroom.Clients.Servers;

/// <summary>The life of `strongroom serve` as a process: start, refusal of a second one, end, start again.</summary>
[SupportedOSPlatform("linux")]
public sealed class ServerLifeTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact(Timeout = 1_800_000)]
    public async Task A_server_ends_cleanly_and_comes_back_as_the_same_server()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var server = await ServerProcess.StartAsync(_folder.Combine("data"), _folder.Path, cancellationToken);
        var admin = server.Admin;
        var lab = Lab.Of(server);
        using var client = await ArmClient.SignInAsync(server, cancellationToken);
        await client.ChangeAsync(HttpMethod.Put, lab.GroupUrl, new JsonObject { ["location"] = "home" }, cancellationToken);

        Assert.Equal(0, await server.StopAsync(cancellationToken));
        await server.StartAsync(cancellationToken);

        Assert.Equal(admin, server.Admin);
        using var again = client.Reconnect();
        Assert.Equal("lab", (await again.GetAsync(lab.GroupUrl, cancellationToken))["name"]!.GetValue<string>());
    }

    [Fact(Timeout = 1_800_000)]
    public async Task A_second_server_on_the_same_data_is_refused()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var server = await ServerProcess.StartAsync(_folder.Combine("data"), _folder.Path, cancellationToken);
        var second = await CommandResult.RunAsync(
            Repository.ServerExecutable, ["serve", "--data", server.DataFolder, "--listen", "https://localhost:0"], null, cancellationToken);
        Assert.NotEqual(0, second.ExitCode);
        Assert.NotEqual("", (second.StandardError + second.StandardOutput).Trim());
        Assert.True(server.IsRunning);
    }

    [Fact(Timeout = 1_800_000)]
    public async Task The_administrators_file_is_readable_by_its_owner_alone()
    {
        await using var server = await ServerProcess.StartAsync(_folder.Combine("data"), _folder.Path, TestContext.Current.CancellationToken);
        var mode = File.GetUnixFileMode(Path.Combine(server.DataFolder, "admin.json"));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, mode);
    }

    [Theory(Timeout = 1_800_000)]
    [InlineData("/healthz")]
    [InlineData("/readyz")]
    [InlineData("/metadata/endpoints?api-version=2022-09-01")]
    public async Task What_needs_no_token_answers_without_one_and_the_rest_does_not(string open)
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var server = await ServerProcess.StartAsync(_folder.Combine("data"), _folder.Path, cancellationToken);
        using var stranger = ArmClient.Anonymous(server);
        using var welcome = await stranger.SendAsync(HttpMethod.Get, open, null, cancellationToken);
        Assert.Equal(HttpStatusCode.OK, welcome.StatusCode);
        using var refused = await stranger.SendAsync(HttpMethod.Get, "/subscriptions?api-version=2022-12-01", null, cancellationToken);
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
    }
}
