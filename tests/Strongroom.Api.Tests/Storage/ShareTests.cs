using System.Text.Json.Nodes;
using Strongroom.Api.Tests.Support;
using Strongroom.Backup.FileShares;
using Strongroom.Testing;

namespace Strongroom.Api.Tests.Storage;

/// <summary>File servers as storage accounts with shares.</summary>
public sealed class ShareTests : IAsyncLifetime
{
    private const string Accounts = PlatformHost.Lab + "/providers/Microsoft.Storage/storageAccounts";
    private const string Shares = Accounts + "/nas1/fileServices/default/shares";
    private const string Version = "2022-09-01";

    private PlatformHost _host = null!;

    public async ValueTask InitializeAsync()
    {
        _host = await PlatformHost.StartAsync();
        _host.FileServers.Shares.AddRange(["finance", "Home", "projects"]);
        Answer made = await _host.PutAsync(
            PlatformHost.Lab + "/providers/Strongroom.Fabric/fileServers/nas1", """{"location":"home","tags":{"a":"b"},"properties":{"kind":"Local","sharesRoot":"/srv/shares"}}""");
        Assert.Equal(201, made.Status);
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task A_file_server_is_shown_as_a_storage_account_beside_others()
    {
        await _host.PutAsync(Accounts + "/restores1", """{"location":"home"}""");
        // As az asks before a restore.
        JsonNode account = (await _host.GetAsync(PlatformHost.Subscription + "/resourcegroups/lab/providers/Microsoft.Storage/storageAccounts//nas1", "2016-01-01")).Body!;
        Assert.Equal((Accounts + "/nas1", "nas1", "Microsoft.Storage/storageAccounts", "home", "FileStorage"),
            ((string?)account["id"], (string?)account["name"], (string?)account["type"], (string?)account["location"], (string?)account["kind"]));
        Assert.Equal(("b", "Premium_LRS", "Succeeded"), ((string?)account["tags"]!["a"], (string?)account["sku"]!["name"], (string?)account["properties"]!["provisioningState"]));
        Assert.Null(account["properties"]!["primaryEndpoints"]!["blob"]);
        Assert.EndsWith("/files/nas1/", (string?)account["properties"]!["primaryEndpoints"]!["file"], StringComparison.Ordinal);
        Assert.Equal(404, (await _host.GetAsync(PlatformHost.Subscription + "/resourcegroups/lab/providers/Microsoft.ClassicStorage/storageAccounts//nas1", "2015-12-01")).Status);
        foreach (string list in new[] { Accounts, PlatformHost.Subscription + "/providers/Microsoft.Storage/storageAccounts" })
        {
            Assert.Equal(["nas1", "restores1"], (await _host.GetAsync(list, Version)).Value.Select(static a => (string)a!["name"]!));
        }
    }

    [Fact]
    public async Task An_account_that_is_a_file_server_is_not_changed_here()
    {
        foreach ((string method, string? body) in new[] { ("PUT", """{"location":"home"}"""), ("PATCH", """{"tags":{}}"""), ("DELETE", null) })
        {
            Answer refused = await _host.SendAsync(method, Accounts + "/nas1", body);
            Assert.Equal((409, "OperationNotAllowed"), (refused.Status, refused.Code));
            Assert.Contains("Strongroom.Fabric/fileServers/nas1", refused.Message, StringComparison.Ordinal);
        }
        Assert.Equal(403, (await _host.PostAsync(Accounts + "/nas1/listKeys")).Status);
        Assert.Equal("b", (string?)(await _host.GetAsync(Accounts + "/nas1")).Body!["tags"]!["a"]);
        Assert.Equal(405, (await _host.PutAsync(Shares + "/new", "{}")).Status);
    }

    [Fact]
    public async Task Shares_are_listed_and_found()
    {
        Assert.Equal(["finance", "Home", "projects"], (await _host.GetAsync(Shares, Version)).Value.Select(static s => (string)s!["name"]!));
        JsonNode share = (await _host.GetAsync(Shares + "/home", Version)).Body!;
        Assert.Equal((Shares + "/Home", "Home", "Microsoft.Storage/storageAccounts/fileServices/shares", "SMB"),
            ((string?)share["id"], (string?)share["name"], (string?)share["type"], (string?)share["properties"]!["enabledProtocols"]));
        Answer missing = await _host.GetAsync(Shares + "/nothing", Version);
        Assert.Equal((404, "ShareNotFound"), (missing.Status, missing.Code));
        JsonNode service = (await _host.GetAsync(Accounts + "/nas1/fileServices/default", Version)).Body!;
        Assert.Equal((Accounts + "/nas1/fileServices/default", "Microsoft.Storage/storageAccounts/fileServices"), ((string?)service["id"], (string?)service["type"]));
        Assert.Equal(service.ToJsonString(), Assert.Single((await _host.GetAsync(Accounts + "/nas1/fileServices", Version)).Value)!.ToJsonString());
    }

    [Fact]
    public async Task Shares_come_in_pages()
    {
        Answer first = await _host.GetAsync(Shares + "?$maxpagesize=2", Version);
        Assert.Equal(["finance", "Home"], first.Value.Select(static s => (string)s!["name"]!));
        Answer second = await _host.FollowAsync((string)first.Body!["nextLink"]!);
        Assert.Equal("projects", (string?)Assert.Single(second.Value)!["name"]);
        Assert.Null(second.Body!["nextLink"]);
        foreach (string bad in new[] { "$maxpagesize=0", "$maxpagesize=x", "$skipToken=zzz", "$filter=startswith(name,'f')" })
        {
            Assert.Equal((400, "InvalidQueryParameter"), await ToldAsync(_host.GetAsync($"{Shares}?{bad}", Version)));
        }
    }

    [Fact]
    public async Task An_account_of_blobs_has_no_shares_and_one_that_is_not_there_none_to_list()
    {
        await _host.PutAsync(Accounts + "/restores1", """{"location":"home","kind":"FileStorage"}""");
        Assert.Empty((await _host.GetAsync(Accounts + "/restores1/fileServices/default/shares", Version)).Value);
        Assert.Equal((404, "ShareNotFound"), await ToldAsync(_host.GetAsync(Accounts + "/restores1/fileServices/default/shares/finance", Version)));
        Assert.Equal((404, "ResourceNotFound"), await ToldAsync(_host.GetAsync(Accounts + "/nothing1/fileServices/default/shares", Version)));
    }

    [Fact]
    public async Task A_file_server_that_fails_says_so()
    {
        _host.FileServers.WhileListing = static () => throw new ShareException(ShareProblem.ServerFailed, "Its disk is away.");
        Answer failed = await _host.GetAsync(Shares, Version);
        Assert.Equal((409, "FileServerUnavailable", "Its disk is away."), (failed.Status, failed.Code, failed.Message));
        Assert.Empty(_host.Log.Lines);
    }

    private static async Task<(int, string?)> ToldAsync(Task<Answer> answer)
    {
        Answer told = await answer;
        return (told.Status, told.Code);
    }
}
