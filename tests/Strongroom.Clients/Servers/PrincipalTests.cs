using System.Net;
using System.Text.Json.Nodes;
using Strongroom.Clients.Rest;

namespace Strongroom.Clients.Servers;

/// <summary>`strongroom principal` beside a running server.</summary>
public sealed class PrincipalTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact(Timeout = 1_800_000)]
    public async Task A_principal_that_is_added_beside_the_server_signs_in_with_its_role_until_it_is_removed()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var server = await ServerProcess.StartAsync(_folder.Combine("data"), _folder.Path, cancellationToken);
        var lab = Lab.Of(server);
        using var administrator = await ArmClient.SignInAsync(server, cancellationToken);
        await administrator.ChangeAsync(HttpMethod.Put, lab.GroupUrl, new JsonObject { ["location"] = "home" }, cancellationToken);

        var added = await RunAsync(server, "add", "night shift", "--role", "Reader", "--scope", lab.GroupUrl.Split('?')[0]);
        using var reader = await ArmClient.SignInAsync(server, (string)added["appId"]!, (string)added["password"]!, cancellationToken);
        Assert.Equal("lab", (string?)(await reader.GetAsync(lab.GroupUrl, cancellationToken))["name"]);
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(reader, HttpMethod.Delete, lab.GroupUrl));
        Assert.Equal("Reader", (string?)(await RunAsync(server, "list"))[0]!["roles"]![0]!["role"]);

        var reset = await RunAsync(server, "reset", "night shift");
        Assert.NotEqual((string?)added["password"], (string?)reset["password"]);
        using (var again = await ArmClient.SignInAsync(server, (string)added["appId"]!, (string)reset["password"]!, cancellationToken))
            Assert.Equal(HttpStatusCode.OK, await StatusAsync(again, HttpMethod.Get, lab.GroupUrl));

        Assert.Equal(0, (await TryAsync(server, "remove", "NIGHT SHIFT")).ExitCode);
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(reader, HttpMethod.Get, lab.GroupUrl));
        Assert.DoesNotContain((string)reset["password"]!, await File.ReadAllTextAsync(Path.Combine(server.DataFolder, "principals.json"), cancellationToken), StringComparison.Ordinal);
    }

    [Fact(Timeout = 1_800_000)]
    public async Task What_cannot_be_done_is_told_in_one_line_and_adds_nobody()
    {
        await using var server = await ServerProcess.StartAsync(_folder.Combine("data"), _folder.Path, TestContext.Current.CancellationToken);
        foreach (var arguments in (string[][])[["add", "x", "--role", "King"], ["add", "x", "--role", "Reader", "--scope", "/subscriptions/other"], ["add", "x", "--scope", "/"], ["reset", "x"], ["remove", "x"]])
        {
            var result = await TryAsync(server, arguments);
            Assert.Equal(1, result.ExitCode);
            Assert.Single(result.StandardError.Trim().Split('\n'));
        }

        Assert.Empty((await RunAsync(server, "list")).AsArray());
    }

    private static async Task<JsonNode> RunAsync(ServerProcess server, params string[] arguments)
    {
        var result = await TryAsync(server, arguments);
        Assert.True(result.ExitCode == 0, result.StandardError);
        return JsonNode.Parse(result.StandardOutput)!;
    }

    private static Task<CommandResult> TryAsync(ServerProcess server, params string[] arguments) =>
        CommandResult.RunAsync(Repository.ServerExecutable, ["principal", .. arguments, "--data", server.DataFolder], null, TestContext.Current.CancellationToken);

    private static async Task<HttpStatusCode> StatusAsync(ArmClient client, HttpMethod method, string url)
    {
        using var answer = await client.SendAsync(method, url, null, TestContext.Current.CancellationToken);
        return answer.StatusCode;
    }
}
