using System.Text.Json.Nodes;
using Strongroom.Api.Tests.RecoveryServices.Support;
using Strongroom.Testing;

namespace Strongroom.Api.Tests.RecoveryServices;

/// <summary>Jobs: pages, cancellation, and the export into a file.</summary>
public sealed class JobTests : IAsyncLifetime
{
    private BackupHost _host = null!;
    private ProtectedMachine _web1 = null!;

    public async ValueTask InitializeAsync()
    {
        _host = await BackupHost.StartAsync();
        _web1 = await ProtectedMachine.ProtectAsync(_host);
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Theory]
    [InlineData("{vault}/backupJobs", 4)]
    [InlineData("{vault}/backupProtectedItems", 2)]
    [InlineData("{vault}/backupProtectionContainers", 2)]
    [InlineData("{item}/recoveryPoints", 2)]
    public async Task A_list_goes_on_in_its_next_link(string path, int count)
    {
        await _web1.BackUpAsync();
        await _web1.BackUpAsync();
        var web2 = new ProtectedMachine(_host, _host.Fabric.Add("web2"));
        await _host.PutAsync(web2.Item, web2.EnableBody());
        path = path.Replace("{vault}", BackupHost.Vault, StringComparison.Ordinal).Replace("{item}", _web1.Item, StringComparison.Ordinal);
        string[] all = [.. (await _host.GetAsync(path)).Value.Select(n => (string)n!["name"]!)];
        Assert.Equal(count, all.Length);

        List<string> paged = [];
        for (Answer page = await _host.GetAsync(path + "?$top=1"); ; page = await _host.FollowAsync((string?)page.Body["nextLink"]))
        {
            paged.Add((string)Assert.Single(page.Value)!["name"]!);
            if (page.Body!["nextLink"] is null) break;
        }

        Assert.Equal(all, paged);
    }

    [Fact]
    public async Task A_token_of_another_list_is_refused()
    {
        await _web1.BackUpAsync();
        await _web1.BackUpAsync();
        string link = (string)(await _host.GetAsync(_web1.Item + "/recoveryPoints?$top=1")).Body!["nextLink"]!;
        string token = link[(link.IndexOf("$skipToken=", StringComparison.Ordinal) + "$skipToken=".Length)..];
        Answer answer = await _host.GetAsync(BackupHost.Vault + "/backupJobs?$skipToken=" + token);
        Assert.Equal((400, "InvalidQueryParameter"), (answer.Status, answer.Code));
    }

    [Fact]
    public async Task A_job_that_waits_for_its_turn_is_cancelled_at_once()
    {
        var gate = new TaskCompletionSource();
        _host.Fabric.Ready = gate.Task;
        List<ProtectedMachine> machines = [_web1];
        foreach (string name in (string[])["web2", "web3"])
        {
            machines.Add(new ProtectedMachine(_host, _host.Fabric.Add(name)));
            await _host.PutAsync(machines[^1].Item, machines[^1].EnableBody());
        }

        // Two at a time: the third waits.
        List<string> jobs = [];
        foreach (ProtectedMachine machine in machines) jobs.Add(await machine.JobOfAsync(await _host.PostAsync(machine.Item + "/backup", ProtectedMachine.BackupBody)));
        Assert.Equal(202, (await _host.PostAsync($"{BackupHost.Vault}/backupJobs/{jobs[2]}/cancel")).Status);
        JsonNode job = (await _host.GetAsync($"{BackupHost.Vault}/backupJobs/{jobs[2]}")).Body!["properties"]!;
        Assert.Equal(("Cancelled", 400158), ((string?)job["status"], (int?)job["errorDetails"]![0]!["errorCode"]));
        Assert.NotNull(job["endTime"]);
        Answer again = await _host.PostAsync($"{BackupHost.Vault}/backupJobs/{jobs[2]}/cancel");
        Assert.Equal((400, "BMSUserErrorJobNotCancellable"), (again.Status, again.Code));
        gate.SetResult();
        foreach (string running in jobs[..2]) Assert.Equal("Completed", (string?)(await _host.WaitAsync(BackupHost.Vault, running))["properties"]!["status"]);
        // The item is free again.
        Assert.Equal(202, (await _host.PostAsync(machines[2].Item + "/backup", ProtectedMachine.BackupBody)).Status);
    }

    [Fact]
    public async Task Jobs_are_exported_into_files_that_the_key_opens_for_an_hour()
    {
        await _web1.BackUpAsync();
        Answer accepted = await _host.PostAsync(BackupHost.Vault + "/backupJobsExport?$filter=operation eq 'Backup'");
        Golden.Check("jobs-export", accepted, _host);
        JsonNode result = (await _host.FollowAsync(accepted.Header("Location"))).Body!["operation"]!;
        Assert.Equal("ExportJobsOperationResultInfo", (string?)result["objectType"]);
        string url = (string)result["blobUrl"]! + (string)result["blobSasKey"]!;

        // What starts after the export is not in it.
        _host.Time.Advance(TimeSpan.FromMinutes(1));
        await _web1.BackUpAsync();
        JsonNode job = Assert.Single(JsonNode.Parse(await _host.DownloadAsync(url))!.AsArray())!;
        Assert.Equal("Backup", (string?)job["properties"]!["operation"]);
        Assert.NotNull(job["properties"]!["extendedInfo"]);
        string[] lines = System.Text.Encoding.UTF8.GetString(await _host.DownloadAsync((string)result["excelFileBlobUrl"]! + (string)result["excelFileBlobSasKey"]!)).Split("\r\n");
        Assert.Equal("Job,Item,Operation,Status,Started,Ended,Error", lines[0]);
        Assert.StartsWith($"\"{(string?)job["name"]}\",\"web1\",\"Backup\",\"Completed\",", lines[1]);
        Assert.Equal(["", ""], [lines[2], lines.ElementAtOrDefault(3) ?? ""]);

        Answer withoutKey = await _host.FollowAsync((string?)result["blobUrl"]);
        Assert.Equal((403, "AuthenticationFailed"), (withoutKey.Status, withoutKey.Code));
        Assert.Equal(403, (await _host.FollowAsync(url[..^1])).Status);
        Assert.Equal(404, (await _host.FollowAsync(url.Replace("jobs.json", "other", StringComparison.Ordinal))).Status);
        _host.Time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(403, (await _host.FollowAsync(url)).Status);
    }

    [Fact]
    public async Task An_export_of_nothing_is_an_empty_list_and_a_bad_filter_is_refused()
    {
        Answer accepted = await _host.PostAsync(BackupHost.Vault + "/backupJobsExport?$filter=backupManagementType eq 'MAB'");
        JsonNode result = (await _host.FollowAsync(accepted.Header("Location"))).Body!["operation"]!;
        Assert.Empty(JsonNode.Parse(await _host.DownloadAsync((string)result["blobUrl"]! + (string)result["blobSasKey"]!))!.AsArray());
        Assert.Equal("InvalidFilterInQueryString", (await _host.PostAsync(BackupHost.Vault + "/backupJobsExport?$filter=zzz eq '1'")).Code);
        Assert.Equal(404, (await _host.GetAsync(BackupHost.Vault + "/backupJobs/operationResults/" + Guid.NewGuid())).Status);
    }
}
