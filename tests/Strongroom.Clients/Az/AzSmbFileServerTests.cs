using System.Globalization;
using System.Text.Json.Nodes;
using Strongroom.Clients.Rest;
using Strongroom.Clients.Servers;
using Strongroom.Workloads.Tests.FileShares;

namespace Strongroom.Clients.Az;

/// <summary>A share of a file server of kind Smb, as az protects and restores it: the files are on a Samba of the test's own.</summary>
public sealed class AzSmbFileServerTests : IDisposable
{
    private const string Policy = """
        {"properties":{"backupManagementType":"AzureStorage","workLoadType":"AzureFileShare","timeZone":"UTC",
        "schedulePolicy":{"schedulePolicyType":"SimpleSchedulePolicy","scheduleRunFrequency":"Daily","scheduleRunTimes":["2026-01-01T02:00:00Z"]},
        "retentionPolicy":{"retentionPolicyType":"LongTermRetentionPolicy","dailySchedule":{"retentionTimes":["2026-01-01T02:00:00Z"],"retentionDuration":{"count":30,"durationType":"Days"}}}}}
        """;

    private const string Item = "-g lab -v vault1 -c nas2 -i docs --backup-management-type AzureStorage";

    private readonly TempFolder _folder = new();

    private string Docs => _folder.Combine("shares/docs");

    private string Spare => _folder.Combine("shares/spare");

    public void Dispose() => _folder.Dispose();

    [Fact(Timeout = 1_800_000)]
    public async Task A_share_of_another_machine_is_found_protected_and_restored()
    {
        var token = TestContext.Current.CancellationToken;
        Directory.CreateDirectory(Path.Combine(Docs, "letters"));
        Directory.CreateDirectory(Spare);
        await File.WriteAllTextAsync(Path.Combine(Docs, "plan.txt"), "the plan", token);
        await File.WriteAllTextAsync(Path.Combine(Docs, "letters", "a letter.txt"), "dear reader", token);
        await using var samba = await SambaServer.StartOnLoopbackAsync(("docs", Docs), ("spare", Spare), ("hidden$", Spare));
        using var program = await AzProgram.OfAsync(AzEdition.Debian12, token);
        await using var server = await ServerProcess.StartAsync(_folder.Combine("data"), _folder.Path, ["--allow-smb", samba.Address], token);
        var az = await AzCli.SignInAsync(program, server, token);
        using var client = await ArmClient.SignInAsync(server, token);
        var lab = Lab.Of(server);
        await az.RunAsync("group create -n lab -l home", token);
        await az.RunAsync("backup vault create -g lab -n vault1 -l home", token);

        var url = $"{lab.GroupPath}/providers/Strongroom.Fabric/fileServers/nas2?api-version={Lab.FabricVersion}";
        Assert.Contains("FileServerNotAllowed", await az.FailAsync($"rest --method put --url {url} --body {Body("127.99.99.99")}", token), StringComparison.Ordinal);
        Assert.Contains("FileServerCredentialsNotFound", await az.FailAsync($"rest --method put --url {url} --body {Body(samba.Address)}", token), StringComparison.Ordinal);
        await WriteLoginAsync(samba.Address, "wrong");
        var made = await az.RestAsync("put", url, JsonNode.Parse(Body(samba.Address))!.AsObject(), token);
        Assert.Equal("Unreachable", made.Text("properties", "state"));
        await UntilAsync(server => server.Text("properties", "stateMessage")?.Contains("refuses the credentials 'nas2'", StringComparison.Ordinal) == true);
        await WriteLoginAsync(samba.Address, SambaServer.Password);
        var shown = await UntilAsync(server => server.Text("properties", "state") == "Connected");
        Assert.Equal(2, (int)shown["properties"]!["shareCount"]!);
        Assert.DoesNotContain(SambaServer.Password, shown.ToJsonString(), StringComparison.Ordinal);
        Assert.Equal(["docs", "spare"], (await az.ListAsync("storage share-rm list -g lab --storage-account nas2", token)).Select(share => share.Text("name")));

        await az.RunAsync([.. "backup policy create -g lab -v vault1 -n shares --backup-management-type AzureStorage --policy".Split(' '), Policy], token);
        await az.RunAsync("backup protection enable-for-azurefileshare -g lab -v vault1 --policy-name shares --storage-account nas2 --azure-file-share docs", token);
        var until = TimeProvider.System.GetUtcNow().AddDays(30).ToString("dd-MM-yyyy", CultureInfo.InvariantCulture);
        await CompletedAsync($"backup protection backup-now {Item} --retain-until {until}");
        var point = Assert.Single(await az.ListAsync($"backup recoverypoint list {Item} --workload-type AzureFileShare", token)).Text("name")!;

        var restore = $"backup restore restore-azurefileshare -g lab -v vault1 -c nas2 -i docs -r {point} --restore-mode";
        await File.WriteAllTextAsync(Path.Combine(Docs, "plan.txt"), "changed", token);
        File.Delete(Path.Combine(Docs, "letters", "a letter.txt"));
        await CompletedAsync($"{restore} OriginalLocation --resolve-conflict Skip");
        Assert.Equal(("changed", "dear reader"), (await ReadAsync(Docs, "plan.txt"), await ReadAsync(Docs, "letters/a letter.txt")));
        await CompletedAsync($"{restore} OriginalLocation --resolve-conflict Overwrite");
        Assert.Equal("the plan", await ReadAsync(Docs, "plan.txt"));
        await CompletedAsync($"{restore} AlternateLocation --resolve-conflict Overwrite --target-storage-account nas2 --target-file-share spare");
        Assert.Equal("dear reader", await ReadAsync(Spare, "letters/a letter.txt"));

        await samba.KillAsync();
        var failed = await EndedAsync($"backup protection backup-now {Item} --retain-until {until}");
        Assert.Equal("Failed", failed.Text("properties", "status"));
        Assert.Contains("cannot be reached", failed.ToJsonString(), StringComparison.Ordinal);
        Assert.Equal("Unreachable", (await client.GetAsync(url, token)).Text("properties", "state"));

        // It has five seconds to answer, of which a busy machine may take more.
        async Task<JsonNode> UntilAsync(Func<JsonNode, bool> isSo)
        {
            for (var tries = 1; ; tries++)
            {
                var shown = await client.GetAsync(url, token);
                if (isSo(shown)) return shown;
                Assert.True(tries < 10, shown.ToJsonString());
            }
        }

        async Task CompletedAsync(string command)
        {
            var job = await EndedAsync(command);
            Assert.True(job.Text("properties", "status") == "Completed", job.ToJsonString());
        }

        async Task<JsonNode> EndedAsync(string command) =>
            await Jobs.WaitAsync(client, lab, (string)(await az.RunAsync(command, token))!["name"]!, TimeSpan.FromMinutes(10), token);

        async Task<string> ReadAsync(string share, string path) => await File.ReadAllTextAsync(Path.Combine(share, path), token);
    }

    private static string Body(string host) =>
        new JsonObject { ["location"] = "home", ["properties"] = new JsonObject { ["kind"] = "Smb", ["server"] = host, ["credentials"] = "nas2" } }.ToJsonString();

    private async Task WriteLoginAsync(string host, string password)
    {
        var path = _folder.Combine("data/credentials/nas2");
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        await File.WriteAllTextAsync(path, $$"""{"uri": "smb://{{host}}", "userName": "root", "password": "{{password}}"}""");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }
}
