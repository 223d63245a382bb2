using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Strongroom.Clients.Disks;
using Strongroom.Clients.Rest;
using Strongroom.Clients.Servers;

namespace Strongroom.Clients.TimeTravel;

/// <summary>A server whose clock testers move: `strongroom serve --time-travel`.</summary>
public sealed class TimeTravelTests : IDisposable
{
    private const string Account = "restores1";
    private static readonly DateTimeOffset Start = new(2031, 5, 6, 7, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan TestLasts = TimeSpan.FromMinutes(3);
    private readonly TempFolder _folder = new();
    private readonly TestersClock _clock = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact(Timeout = 1_800_000)]
    public async Task The_clock_is_moved_forwards_and_goes_on_from_there_after_a_stop_and_after_a_kill()
    {
        await using var server = await StartAsync();
        using var client = await ArmClient.SignInAsync(server, Token);
        Assert.InRange(await _clock.LookAsync(client, Token), Start, Start + TestLasts);
        Assert.InRange(await _clock.AdvanceAsync(client, "P1DT2H", Token), Start.AddHours(26), Start.AddHours(26) + TestLasts);
        var set = DateTimeOffset.Parse("2033-01-01T00:00:00Z", CultureInfo.InvariantCulture);
        var now = await _clock.SetAsync(client, "2033-01-01T00:00:00Z", Token);
        Assert.InRange(now, set, set + TestLasts);

        Assert.Equal(0, await server.StopAsync(Token));
        await server.StartAsync(Token);
        using var again = client.Reconnect();
        Assert.InRange(await _clock.LookAsync(again, Token), now, set + TestLasts);

        now = await _clock.AdvanceAsync(again, "P40D", Token);
        server.Kill();
        await server.StartAsync(Token);
        using var last = client.Reconnect();
        Assert.InRange(await _clock.LookAsync(last, Token), now, set.AddDays(40) + TestLasts);
    }

    [Fact(Timeout = 1_800_000)]
    public async Task What_is_no_move_forwards_is_refused_and_moves_nothing()
    {
        await using var server = await StartAsync();
        using var client = await ArmClient.SignInAsync(server, Token);
        string[] bodies =
        [
            """{"advance": "-P1D"}""",
            """{"advance": "1 day"}""",
            """{"advance": "P300Y"}""",
            """{"advance": "P99999999999999Y"}""",
            """{"advance": 5}""",
            """{"set": "2031-05-06T06:00:00Z"}""",
            """{"set": "tomorrow"}""",
            """{"set": "9999-12-31T23:59:59-10:00"}""",
            """{"set": "2032-01-01T00:00:00Z", "advance": "P1D"}""",
            "{}",
        ];
        foreach (var body in bodies)
        {
            using var answer = await client.SendAsync(HttpMethod.Post, TestersClock.Url, JsonNode.Parse(body), Token);
            Assert.Equal((body, HttpStatusCode.BadRequest), (body, answer.StatusCode));
            Assert.Equal("InvalidRequestContent", (string?)JsonNode.Parse(await answer.Content.ReadAsStringAsync(Token))!["error"]!["code"]);
        }

        Assert.InRange(await _clock.LookAsync(client, Token), Start, Start + TestLasts);
    }

    [Fact(Timeout = 1_800_000)]
    public async Task Only_an_owner_of_the_subscription_moves_the_clock()
    {
        await using var server = await StartAsync();
        foreach (var (role, mayLook) in new[] { ("Contributor", true), ("User Access Administrator", true), ("Reader", true), ("Backup Operator", false) })
        {
            using var client = await SignInAsync(server, role);
            Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(client, HttpMethod.Post, new JsonObject { ["advance"] = "P1D" }));
            Assert.Equal(mayLook ? HttpStatusCode.OK : HttpStatusCode.Forbidden, await StatusAsync(client, HttpMethod.Get, null));
        }

        using var stranger = ArmClient.Anonymous(server);
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(stranger, HttpMethod.Post, new JsonObject { ["advance"] = "P1D" }));
        using var owner = await SignInAsync(server, "Owner");
        Assert.InRange(await _clock.LookAsync(owner, Token), Start, Start + TestLasts);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(owner, HttpMethod.Post, new JsonObject { ["advance"] = "P1D" }));
    }

    [Fact(Timeout = 1_800_000)]
    public async Task A_real_server_has_no_such_path_and_its_data_takes_no_moved_clock_nor_the_other_way_round()
    {
        await using (var real = await ServerProcess.StartAsync(_folder.Combine("real"), _folder.Path, Token))
        {
            using var client = await ArmClient.SignInAsync(real, Token);
            Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(client, HttpMethod.Get, null));
            Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(client, HttpMethod.Post, new JsonObject { ["advance"] = "P1D" }));
            await real.StopAsync(Token);
        }

        await using (var moved = await StartAsync()) await moved.StopAsync(Token);

        await AssertRefusedAsync("was made without --time-travel", "--data", _folder.Combine("real"), "--time-travel");
        await AssertRefusedAsync("was made with --time-travel", "--data", _folder.Combine("data"));
        await AssertRefusedAsync("--start-at goes with --time-travel", "--data", _folder.Combine("new"), "--start-at", "2031-01-01");
        await AssertRefusedAsync("--start-at takes a time", "--data", _folder.Combine("new"), "--time-travel", "--start-at", "noon");
        await AssertRefusedAsync("--retain-locked does not go with --time-travel", "--data", _folder.Combine("new"), "--time-travel", "--retain-locked");
        Assert.False(Directory.Exists(_folder.Combine("new")));
    }

    [Fact(Timeout = 1_800_000)]
    public async Task Jobs_are_dated_by_the_clock_and_what_is_left_of_soft_delete_shrinks_with_it()
    {
        await using var server = await StartAsync();
        var (client, lab, _) = await ProtectAsync(server);
        using var owned = client;
        await client.ChangeAsync(HttpMethod.Patch, lab.VaultUrl("backupconfig/vaultconfig"), new JsonObject { ["properties"] = new JsonObject { ["softDeleteFeatureState"] = "Enabled" } }, Token);
        var before = await _clock.AdvanceAsync(client, "P10D", Token);
        await LabSetUp.BackUpAsync(client, lab, _clock, Token);
        var job = (await client.ListAsync(lab.VaultUrl("backupJobs"), Token))
            .Where(j => (string?)j["properties"]!["operation"] == "Backup").MaxBy(j => TestersClock.Time(j["properties"]!["startTime"]))!;
        Assert.InRange(TestersClock.Time(job["properties"]!["startTime"]), before, before + TestLasts);
        Assert.InRange(TestersClock.Time(job["properties"]!["endTime"]), before, before + TestLasts);

        await client.ChangeAsync(HttpMethod.Delete, lab.ItemUrl(), null, Token);
        var days = (await RemainingAsync()).TotalDays;
        Assert.InRange(days, 13.9, 14);
        await _clock.AdvanceAsync(client, "P3D", Token);
        Assert.InRange((await RemainingAsync()).TotalDays, days - 3.1, days - 3);

        async Task<TimeSpan> RemainingAsync() => TimeSpan.ParseExact(
            (string)(await client.GetAsync(lab.ItemUrl(), Token))["properties"]!["deferredDeleteTimeRemaining"]!, "c", CultureInfo.InvariantCulture);
    }

    [Fact(Timeout = 1_800_000)]
    public async Task A_store_lives_through_two_years_and_its_room_comes_back()
    {
        await using var server = await StartAsync("--collect-every", "168");
        var (client, lab, machine) = await ProtectAsync(server);
        using var owned = client;
        var first = await LabSetUp.BackUpAsync(client, lab, _clock, Token);
        var firstContent = machine.Content();
        // What is stopped is kept whole, whatever the policy says.
        var stopped = lab.ProtectBody();
        stopped["properties"]!["protectionState"] = "ProtectionStopped";
        stopped["properties"]!.AsObject().Remove("policyId");
        await client.ChangeAsync(HttpMethod.Put, lab.ItemUrl(), stopped, Token);

        // The token is an hour's, by the clock of whoever holds it.
        await _clock.AdvanceAsync(client, "P730D", Token);
        await AssertRestoresAsync(client, lab, first, firstContent);

        // From here on the policy counts again, and the first point is older than what it keeps.
        await client.ChangeAsync(HttpMethod.Put, lab.ItemUrl(), lab.ProtectBody(), Token);
        machine.Change(2);
        var second = await LabSetUp.BackUpAsync(client, lab, _clock, Token);
        await AssertRestoresAsync(client, lab, second, machine.Content());

        var vault = Assert.Single(Directory.GetDirectories(Path.Combine(server.DataFolder, "vaults")));
        await VerifyAsync(server, vault);
        var full = SizeOf(vault);
        await client.ChangeAsync(HttpMethod.Delete, lab.ItemUrl(), null, Token);
        await _clock.AdvanceAsync(client, "P30D", Token);
        Assert.True(SizeOf(vault) < full / 10, $"{full} bytes before, {SizeOf(vault)} after.");
        await VerifyAsync(server, vault);
    }

    private Task<ServerProcess> StartAsync(params string[] options) =>
        ServerProcess.StartAsync(_folder.Combine("data"), _folder.Path, ["--time-travel", "--start-at", Start.ToString("o", CultureInfo.InvariantCulture), .. options], Token);

    private async Task<(ArmClient Client, Lab Lab, SampleMachine Machine)> ProtectAsync(ServerProcess server)
    {
        var machine = SampleMachine.Create(_folder.Combine("machines"), "web1", 1, 8);
        var client = await ArmClient.SignInAsync(server, Token);
        var lab = Lab.Of(server);
        await LabSetUp.ProtectAsync(client, lab, _folder.Combine("machines"), Account, Token);
        await _clock.LookAsync(client, Token);
        return (client, lab, machine);
    }

    private static async Task AssertRestoresAsync(ArmClient client, Lab lab, string point, IReadOnlyList<DiskContent> content) =>
        await RestoredDisks.AssertEqualAsync(client, await LabSetUp.RestoreAsync(client, lab, point, Account, Token), content, Token);

    private static async Task VerifyAsync(ServerProcess server, string vault)
    {
        var verified = await CommandResult.RunAsync(
            Repository.ServerExecutable, ["store", "verify", vault, "--read-data", "--key-file", Path.Combine(server.DataFolder, "master.key")], null, Token);
        Assert.True(verified.ExitCode == 0, verified.StandardOutput + verified.StandardError);
    }

    private static long SizeOf(string folder) => new DirectoryInfo(folder).EnumerateFiles("*", SearchOption.AllDirectories).Sum(f => f.Length);

    private static async Task AssertRefusedAsync(string why, params string[] options)
    {
        var refused = await CommandResult.RunAsync(Repository.ServerExecutable, ["serve", .. options], null, Token);
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains(why, Assert.Single(refused.StandardError.Trim().Split('\n')), StringComparison.Ordinal);
    }

    private static async Task<ArmClient> SignInAsync(ServerProcess server, string role)
    {
        var added = await CommandResult.RunAsync(Repository.ServerExecutable, ["principal", "add", "a " + role, "--role", role, "--data", server.DataFolder], null, Token);
        var principal = JsonNode.Parse(added.StandardOutput)!;
        return await ArmClient.SignInAsync(server, (string)principal["appId"]!, (string)principal["password"]!, Token);
    }

    private static async Task<HttpStatusCode> StatusAsync(ArmClient client, HttpMethod method, JsonNode? body)
    {
        using var answer = await client.SendAsync(method, TestersClock.Url, body, Token);
        return answer.StatusCode;
    }
}
