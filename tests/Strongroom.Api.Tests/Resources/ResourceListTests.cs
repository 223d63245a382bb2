using Strongroom.Api.Tests.Support;
using Strongroom.Testing;

namespace Strongroom.Api.Tests.Resources;

public sealed class ResourceListTests : IAsyncLifetime
{
    private const string Resources = PlatformHost.Subscription + "/resources";

    private PlatformHost _host = null!;

    public async ValueTask InitializeAsync()
    {
        _host = await PlatformHost.StartAsync();
        await _host.PutAsync(PlatformHost.Subscription + "/resourceGroups/other", """{"location":"cellar"}""");
        await _host.PutAsync(PlatformHost.Lab + "/providers/Microsoft.Storage/storageAccounts/first1", """{"location":"home","tags":{"env":"lab"}}""");
        await _host.PutAsync(PlatformHost.Subscription + "/resourceGroups/other/providers/Microsoft.Storage/storageAccounts/second1", """{"location":"cellar"}""");
        await _host.PutAsync(PlatformHost.Lab + "/providers/Strongroom.Fabric/hosts/nas", """{"location":"home","properties":{"kind":"Folder","path":"/srv/machines"}}""");
        _host.Fabric.Add("web1");
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Theory]
    [InlineData("", "first1,nas,second1,web1")]
    [InlineData("$filter=resourceType eq 'microsoft.compute/virtualmachines'", "web1")]
    [InlineData("$filter=resourceType eq 'Microsoft.Storage/storageAccounts' and location eq 'cellar'", "second1")]
    [InlineData("$filter=name eq 'NAS'", "nas")]
    [InlineData("$filter=resourceGroup eq 'OTHER'", "second1")]
    [InlineData("$filter=tagname eq 'env'", "first1")]
    [InlineData("$filter=resourceType eq 'Microsoft.Network/virtualNetworks'", "")]
    public async Task All_providers_are_searched(string query, string names)
    {
        Answer answer = await _host.GetAsync($"{Resources}?{query}");
        Assert.Equal(200, answer.Status);
        Assert.Equal(names, string.Join(',', answer.Value.Select(r => (string?)r!["name"]).Order(StringComparer.Ordinal)));
    }

    [Fact]
    public async Task A_group_lists_its_own()
    {
        Answer answer = await _host.GetAsync(PlatformHost.Lab + "/resources");
        Assert.Equal(["web1", "first1", "nas"], answer.Value.Select(r => (string?)r!["name"]));
        Assert.Equal("ResourceGroupNotFound", (await _host.GetAsync(PlatformHost.Subscription + "/resourceGroups/none/resources")).Code);
    }

    [Fact]
    public async Task Times_and_state_are_shown_when_asked_for()
    {
        string filter = "$filter=name eq 'first1'";
        Answer plain = await _host.GetAsync($"{Resources}?{filter}");
        Assert.Null(plain.Value[0]!["createdTime"]);
        Assert.Null(plain.Value[0]!["properties"]);
        Answer expanded = await _host.GetAsync($"{Resources}?{filter}&$expand=createdTime,changedTime,provisioningState");
        Assert.Equal(("2026-11-01T12:00:00.0000000Z", "Succeeded"), ((string?)expanded.Value[0]!["createdTime"], (string?)expanded.Value[0]!["provisioningState"]));
        Assert.Equal("InvalidQueryParameter", (await _host.GetAsync($"{Resources}?$expand=everything")).Code);
    }

    [Fact]
    public async Task Pages_follow_each_other()
    {
        List<string?> names = [];
        Answer answer = await _host.GetAsync($"{Resources}?$top=1");
        while (true)
        {
            names.AddRange(answer.Value.Select(r => (string?)r!["name"]));
            if ((string?)answer.Body!["nextLink"] is not { } link) break;
            answer = await _host.FollowAsync(link);
        }
        Assert.Equal(["first1", "nas", "second1", "web1"], names.Order(StringComparer.Ordinal));
    }
}
