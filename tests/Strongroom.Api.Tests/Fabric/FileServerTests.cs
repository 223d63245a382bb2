using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Strongroom.Api.Tests.Support;
using Strongroom.Backup.FileShares;
using Strongroom.Testing;

namespace Strongroom.Api.Tests.Fabric;

public sealed class FileServerTests : IAsyncLifetime
{
    private const string Servers = PlatformHost.Lab + "/providers/Strongroom.Fabric/fileServers";
    private const string Accounts = PlatformHost.Lab + "/providers/Microsoft.Storage/storageAccounts";
    private const string Good = """{"location":"home","properties":{"kind":"Local","sharesRoot":"/srv/shares"}}""";

    private PlatformHost _host = null!;

    public async ValueTask InitializeAsync() => _host = await PlatformHost.StartAsync(static services => services.AddSingleton(new BoundedCalls(TimeSpan.FromSeconds(2))));

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task A_file_server_is_made_counts_its_shares_and_is_removed()
    {
        _host.FileServers.Shares.AddRange(["finance", "home"]);
        Answer created = await _host.PutAsync(Servers + "/nas1", """{"location":"home","tags":{"a":"b"},"properties":{"kind":"local","sharesRoot":"/srv/shares","state":"Broken","other":1}}""");
        Assert.Equal(201, created.Status);
        Assert.Equal("""{"kind":"Local","sharesRoot":"/srv/shares","provisioningState":"Succeeded","state":"Connected","shareCount":2}""", created.Body!["properties"]!.ToJsonString());
        Assert.Equal("Strongroom.Fabric/fileServers", (string?)created.Body["type"]);
        Assert.Equal(2, (int)Assert.Single((await _host.GetAsync(Servers)).Value)!["properties"]!["shareCount"]!);
        Assert.Single((await _host.GetAsync(PlatformHost.Subscription + "/providers/Strongroom.Fabric/fileServers")).Value);
        Assert.Equal(200, (await _host.PutAsync(Servers + "/nas1", """{"location":"home","properties":{"kind":"Local","sharesRoot":"/srv/shares/b"}}""")).Status);

        Answer patched = await _host.PatchAsync(Servers + "/nas1", """{"tags":{"c":"d"}}""");
        Assert.Equal("/srv/shares/b", (string?)patched.Body!["properties"]!["sharesRoot"]);
        patched = await _host.PatchAsync(Servers + "/nas1", """{"properties":{"sharesRoot":"/srv/shares/c"}}""");
        Assert.Equal(("/srv/shares/c", "d"), ((string?)patched.Body!["properties"]!["sharesRoot"], (string?)patched.Body["tags"]!["c"]));
        Assert.Equal(200, (await _host.DeleteAsync(Servers + "/nas1")).Status);
        Assert.Equal(204, (await _host.DeleteAsync(Servers + "/nas1")).Status);
    }

    [Theory]
    [InlineData("nas1", """{"location":"home","properties":{"kind":"Local","sharesRoot":"/etc"}}""", "SharePathNotAllowed")]
    [InlineData("nas1", """{"location":"home","properties":{"kind":"Smb","uri":"smb://nas"}}""", "InvalidRequestContent")]
    [InlineData("nas1", """{"location":"home","properties":{"sharesRoot":"/srv/shares"}}""", "InvalidRequestContent")]
    [InlineData("nas1", """{"location":"home"}""", "InvalidRequestContent")]
    [InlineData("nas1", """{"properties":{"kind":"Local","sharesRoot":"/srv/shares"}}""", "LocationRequired")]
    [InlineData("na", Good, "AccountNameInvalid")]
    [InlineData("NAS1", Good, "AccountNameInvalid")]
    [InlineData("nas-1", Good, "AccountNameInvalid")]
    [InlineData("a234567890123456789012345", Good, "AccountNameInvalid")]
    public async Task A_bad_file_server_is_refused(string name, string body, string code)
    {
        Answer answer = await _host.PutAsync($"{Servers}/{name}", body);
        Assert.Equal((400, code), (answer.Status, answer.Code));
        Assert.Empty((await _host.GetAsync(Servers)).Value);
    }

    [Theory]
    [InlineData("""{"properties":{"sharesRoot":"/etc"}}""", "SharePathNotAllowed")]
    [InlineData("""{"properties":{"kind":"Smb"}}""", "InvalidRequestContent")]
    [InlineData("""{"tags":5}""", "InvalidRequestContent")]
    public async Task A_bad_change_changes_nothing(string body, string code)
    {
        await _host.PutAsync(Servers + "/nas1", Good);
        Answer answer = await _host.PatchAsync(Servers + "/nas1", body);
        Assert.Equal((400, code), (answer.Status, answer.Code));
        Assert.Equal("/srv/shares", (string?)(await _host.GetAsync(Servers + "/nas1")).Body!["properties"]!["sharesRoot"]);
    }

    [Fact]
    public async Task A_file_server_says_why_its_shares_cannot_be_listed()
    {
        await _host.PutAsync(Servers + "/nas1", Good);
        _host.FileServers.WhileListing = static () => throw new ShareException(ShareProblem.ServerFailed, "Its disk is away.");
        JsonNode properties = (await _host.GetAsync(Servers + "/nas1")).Body!["properties"]!;
        Assert.Equal(("Unreachable", "Its disk is away.", null), ((string?)properties["state"], (string?)properties["stateMessage"], properties["shareCount"]));

        _host.FileServers.Allowed = "/srv/other";
        properties = (await _host.GetAsync(Servers + "/nas1")).Body!["properties"]!;
        Assert.Equal("The path is not below a folder that the operator allowed.", (string?)properties["stateMessage"]);
        // Its tags can still be changed.
        Assert.Equal(200, (await _host.PatchAsync(Servers + "/nas1", """{"tags":{"a":"b"}}""")).Status);
    }

    [Fact]
    public async Task A_file_server_whose_folders_do_not_answer_holds_no_request_for_ever()
    {
        await _host.PutAsync(Servers + "/nas1", Good);
        using ManualResetEventSlim answers = new();
        _host.FileServers.WhileJudging = answers.Wait;
        try
        {
            Assert.Equal((409, "FileServerUnavailable"), await ToldAsync(_host.PutAsync(Servers + "/nas2", Good)));
            // More of them than there are threads for it.
            Answer[] changes = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => _host.PatchAsync(Servers + "/nas1", """{"properties":{"sharesRoot":"/srv/shares/c"}}""")));
            Assert.All(changes, static change => Assert.Equal((409, "FileServerUnavailable"), (change.Status, change.Code)));
            JsonNode properties = (await _host.GetAsync(Servers + "/nas1")).Body!["properties"]!;
            Assert.Equal("Unreachable", (string?)properties["state"]);
            Assert.Equal("/srv/shares", (string?)properties["sharesRoot"]);
            Assert.Equal(404, (await _host.GetAsync(Servers + "/nas2")).Status);
        }
        finally
        {
            answers.Set();
        }

        Assert.Equal("/srv/shares/d", (string?)(await _host.PatchAsync(Servers + "/nas1", """{"properties":{"sharesRoot":"/srv/shares/d"}}""")).Body!["properties"]!["sharesRoot"]);
    }

    [Fact]
    public async Task Changes_at_once_lose_nothing_of_each_other()
    {
        await _host.PutAsync(Servers + "/nas1", Good);
        await Task.WhenAll(Enumerable.Range(0, 16).Select(i => _host.PatchAsync(Servers + "/nas1", i % 2 == 0 ? """{"tags":{"a":"b"}}""" : """{"properties":{"sharesRoot":"/srv/shares/c"}}""")));
        JsonNode server = (await _host.GetAsync(Servers + "/nas1")).Body!;
        Assert.Equal(("/srv/shares/c", "b"), ((string?)server["properties"]!["sharesRoot"], (string?)server["tags"]!["a"]));
    }

    [Fact]
    public async Task The_name_of_a_storage_account_is_refused_in_both_directions()
    {
        const string other = PlatformHost.Subscription + "/resourceGroups/other";
        await _host.PutAsync(other, """{"location":"home"}""");
        Assert.Equal(200, (await _host.PutAsync(Accounts + "/restores1", """{"location":"home"}""")).Status);
        Assert.Equal((409, "StorageAccountAlreadyTaken"), await ToldAsync(_host.PutAsync(Servers + "/restores1", Good)));
        Assert.Equal((409, "StorageAccountInAnotherResourceGroup"), await ToldAsync(_host.PutAsync(other + "/providers/Strongroom.Fabric/fileServers/restores1", Good)));

        Assert.Equal(201, (await _host.PutAsync(Servers + "/nas1", Good)).Status);
        Answer refused = await _host.PutAsync(Accounts + "/nas1", """{"location":"home"}""");
        Assert.Equal((409, "OperationNotAllowed"), (refused.Status, refused.Code));
        Assert.Contains(Servers + "/nas1", refused.Message, StringComparison.Ordinal);
        Assert.Equal((409, "StorageAccountInAnotherResourceGroup"), await ToldAsync(_host.PutAsync(other + "/providers/Microsoft.Storage/storageAccounts/nas1", """{"location":"home"}""")));
        Assert.Equal((409, "StorageAccountInAnotherResourceGroup"), await ToldAsync(_host.PutAsync(other + "/providers/Strongroom.Fabric/fileServers/nas1", Good)));
        Answer name = await _host.PostAsync(PlatformHost.Subscription + "/providers/Microsoft.Storage/checkNameAvailability", """{"name":"nas1","type":"Microsoft.Storage/storageAccounts"}""");
        Assert.Equal((false, "AlreadyExists"), ((bool)name.Body!["nameAvailable"]!, (string?)name.Body["reason"]));

        await _host.DeleteAsync(Servers + "/nas1");
        Assert.Equal(200, (await _host.PutAsync(Accounts + "/nas1", """{"location":"home"}""")).Status);
    }

    [Fact]
    public async Task Of_many_who_want_one_name_for_a_server_or_an_account_one_gets_it()
    {
        Answer[] answers = await Task.WhenAll(Enumerable.Range(0, 16).Select(i => i % 2 == 0
            ? _host.PutAsync(Servers + "/wanted1", Good)
            : _host.PutAsync(Accounts + "/wanted1", """{"location":"home"}""")));
        Assert.All(answers, a => Assert.Contains(a.Status, new[] { 200, 201, 409 }));
        bool isServer = (await _host.GetAsync(Servers)).Value.Count == 1;
        Assert.Equal("wanted1", (string?)Assert.Single((await _host.GetAsync(Accounts)).Value)!["name"]);
        Assert.All(answers.Where((_, i) => i % 2 == (isServer ? 1 : 0)), a => Assert.Equal(409, a.Status));
        Assert.Empty(_host.Log.Lines);
    }

    [Fact]
    public async Task A_file_server_leaves_with_its_group()
    {
        await _host.PutAsync(Servers + "/nas1", Good);
        string[] types = [.. (await _host.GetAsync(PlatformHost.Lab + "/resources")).Value.Select(static r => (string)r!["type"]!)];
        Assert.Equal(["Microsoft.Storage/storageAccounts", "Strongroom.Fabric/fileServers"], types.Order(StringComparer.Ordinal));
        Assert.Equal(202, (await _host.DeleteAsync(PlatformHost.Lab)).Status);
        Assert.Empty((await _host.GetAsync(PlatformHost.Subscription + "/providers/Strongroom.Fabric/fileServers")).Value);
        Assert.Empty((await _host.GetAsync(PlatformHost.Subscription + "/providers/Microsoft.Storage/storageAccounts")).Value);
    }

    private static async Task<(int, string?)> ToldAsync(Task<Answer> answer)
    {
        Answer told = await answer;
        return (told.Status, told.Code);
    }
}
