using System.Text.Json.Nodes;
using Strongroom.Api.Tests.Support;
using Strongroom.Testing;

namespace Strongroom.Api.Tests.Storage;

public sealed class StorageAccountTests : IAsyncLifetime
{
    private const string Accounts = PlatformHost.Lab + "/providers/Microsoft.Storage/storageAccounts";
    private const string CheckName = PlatformHost.Subscription + "/providers/Microsoft.Storage/checkNameAvailability";

    private PlatformHost _host = null!;

    public async ValueTask InitializeAsync() => _host = await PlatformHost.StartAsync();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task An_account_is_made_found_by_az_changed_and_deleted()
    {
        Answer created = await _host.PutAsync(Accounts + "/restores1", """{"location":"home","sku":{"name":"Premium_LRS"},"kind":"storagev2","tags":{"a":"b"},"properties":{"accessTier":"Hot"}}""");
        Assert.Equal(200, created.Status);
        JsonNode body = created.Body!;
        Assert.Equal(("Microsoft.Storage/storageAccounts", "StorageV2", "Premium"), ((string?)body["type"], (string?)body["kind"], (string?)body["sku"]!["tier"]));
        Assert.EndsWith("/storage/restores1/", (string?)body["properties"]!["primaryEndpoints"]!["blob"], StringComparison.Ordinal);
        Assert.Equal("Succeeded", (string?)body["properties"]!["provisioningState"]);

        // The two requests of az before a restore: the classic account must not be there, the other one comes with a doubled slash.
        Assert.Equal(404, (await _host.GetAsync(PlatformHost.Subscription + "/resourcegroups/lab/providers/Microsoft.ClassicStorage/storageAccounts//restores1", "2015-12-01")).Status);
        Answer found = await _host.GetAsync(PlatformHost.Subscription + "/resourcegroups/lab/providers/Microsoft.Storage/storageAccounts//restores1", "2016-01-01");
        Assert.Equal(Accounts + "/restores1", (string?)found.Body!["id"]);

        Answer patched = await _host.PatchAsync(Accounts + "/restores1", """{"tags":{},"sku":{"name":"Standard_GRS"},"properties":{"accessTier":"Cool"}}""");
        Assert.Equal((200, "Standard", "Cool"), (patched.Status, (string?)patched.Body!["sku"]!["tier"], (string?)patched.Body["properties"]!["accessTier"]));
        Assert.Null(patched.Body["tags"]);
        Assert.Equal((string?)body["properties"]!["creationTime"], (string?)patched.Body["properties"]!["creationTime"]);
        Assert.Single((await _host.GetAsync(Accounts)).Value);
        Assert.Single((await _host.GetAsync(PlatformHost.Subscription + "/providers/Microsoft.Storage/storageAccounts")).Value);
        Assert.Equal(200, (await _host.DeleteAsync(Accounts + "/restores1")).Status);
        Assert.Equal(204, (await _host.DeleteAsync(Accounts + "/restores1")).Status);
        Assert.Equal("ResourceNotFound", (await _host.PatchAsync(Accounts + "/restores1", "{}")).Code);
    }

    [Fact]
    public async Task An_account_leaves_with_what_is_stored_in_it()
    {
        foreach (string name in new[] { "restores1", "restores2" })
        {
            Assert.Equal(200, (await _host.PutAsync($"{Accounts}/{name}", """{"location":"home"}""")).Status);
            await File.WriteAllTextAsync(Path.Combine(_host.Blobs.BeginContainer(name, "web1-0", 1), "disk.vhd"), "x", TestContext.Current.CancellationToken);
            _host.Blobs.PublishContainer(name, "web1-0", 1);
        }

        Assert.Equal(200, (await _host.DeleteAsync(Accounts + "/restores1")).Status);
        Assert.Null(_host.Blobs.FindBlob("restores1", "web1-0", "disk.vhd"));
        Assert.NotNull(_host.Blobs.FindBlob("restores2", "web1-0", "disk.vhd"));
        Assert.Equal(202, (await _host.DeleteAsync(PlatformHost.Lab)).Status);
        Assert.Null(_host.Blobs.FindBlob("restores2", "web1-0", "disk.vhd"));
    }

    [Theory]
    [InlineData("restores1", """{}""", "LocationRequired")]
    [InlineData("restores1", """{"location":"mars"}""", "LocationNotAvailableForResourceType")]
    [InlineData("restores1", """{"location":"home","sku":"x"}""", "InvalidRequestContent")]
    [InlineData("restores1", """{"location":"home","sku":{}}""", "InvalidRequestContent")]
    [InlineData("restores1", """{"location":"home","sku":{"name":"Gold_LRS"}}""", "InvalidRequestContent")]
    [InlineData("restores1", """{"location":"home","kind":"Cupboard"}""", "InvalidRequestContent")]
    [InlineData("restores1", """{"location":"home","properties":[]}""", "InvalidRequestContent")]
    [InlineData("restores1", """{"location":"home","properties":{"accessTier":"Warm"}}""", "InvalidRequestContent")]
    [InlineData("Restores1", """{"location":"home"}""", "AccountNameInvalid")]
    [InlineData("ab", """{"location":"home"}""", "AccountNameInvalid")]
    [InlineData("a..b", """{"location":"home"}""", "AccountNameInvalid")]
    public async Task A_bad_account_is_refused(string name, string body, string code)
    {
        Answer answer = await _host.PutAsync($"{Accounts}/{name}", body);
        Assert.Equal((400, code), (answer.Status, answer.Code));
        Assert.Empty((await _host.GetAsync(Accounts)).Value);
    }

    [Fact]
    public async Task A_name_belongs_to_one_account()
    {
        await _host.PutAsync(PlatformHost.Subscription + "/resourceGroups/other", """{"location":"home"}""");
        await _host.PutAsync(Accounts + "/restores1", """{"location":"home"}""");
        Answer taken = await _host.PutAsync(PlatformHost.Subscription + "/resourceGroups/other/providers/Microsoft.Storage/storageAccounts/restores1", """{"location":"home"}""");
        Assert.Equal((409, "StorageAccountInAnotherResourceGroup"), (taken.Status, taken.Code));
        Answer moved = await _host.PutAsync(Accounts + "/restores1", """{"location":"cellar"}""");
        Assert.Equal((409, "InvalidResourceLocation"), (moved.Status, moved.Code));
    }

    [Fact]
    public async Task Of_two_who_take_a_name_at_once_one_gets_it()
    {
        string[] groups = [.. Enumerable.Range(0, 8).Select(i => $"{PlatformHost.Subscription}/resourceGroups/g{i}")];
        foreach (string group in groups) await _host.PutAsync(group, """{"location":"home"}""");
        Answer[] answers = await Task.WhenAll(groups.Select(g => _host.PutAsync(g + "/providers/Microsoft.Storage/storageAccounts/wanted1", """{"location":"home"}""")));
        Assert.Single(answers, a => a.Status == 200);
        Assert.Equal(7, answers.Count(a => a.Status == 409));
    }

    [Theory]
    [InlineData("free1", true, null)]
    [InlineData("taken1", false, "AlreadyExists")]
    [InlineData("Bad-Name", false, "AccountNameInvalid")]
    public async Task A_name_can_be_checked_before(string name, bool isAvailable, string? reason)
    {
        await _host.PutAsync(Accounts + "/taken1", """{"location":"home"}""");
        Answer answer = await _host.PostAsync(CheckName, $$"""{"name":"{{name}}","type":"Microsoft.Storage/storageAccounts"}""");
        Assert.Equal((isAvailable, reason), ((bool)answer.Body!["nameAvailable"]!, (string?)answer.Body["reason"]));
    }

    [Fact]
    public async Task Checking_a_name_needs_the_name_and_the_type()
    {
        Assert.Equal("InvalidRequestContent", (await _host.PostAsync(CheckName, """{"type":"Microsoft.Storage/storageAccounts"}""")).Code);
        Assert.Equal("InvalidRequestContent", (await _host.PostAsync(CheckName, """{"name":"a","type":"x"}""")).Code);
        Assert.Equal("InvalidRequestContent", (await _host.PostAsync(CheckName)).Code);
    }

    [Fact]
    public async Task There_are_no_shared_keys_and_the_account_says_so()
    {
        Answer account = await _host.PutAsync(Accounts + "/restores1", """{"location":"home"}""");
        Assert.False((bool)account.Body!["properties"]!["allowSharedKeyAccess"]!);
        Answer keys = await _host.PostAsync(Accounts + "/restores1/listKeys");
        Assert.Equal((403, "KeyBasedAuthenticationNotPermitted"), (keys.Status, keys.Code));
        Assert.Equal("ResourceNotFound", (await _host.PostAsync(Accounts + "/none1/listKeys")).Code);
    }
}
