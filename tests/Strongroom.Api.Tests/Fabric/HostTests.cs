using System.Text.Json.Nodes;
using Strongroom.Api.Tests.Support;
using Strongroom.Testing;

namespace Strongroom.Api.Tests.Fabric;

public sealed class HostTests : IAsyncLifetime
{
    private const string Hosts = PlatformHost.Lab + "/providers/Strongroom.Fabric/hosts";

    private PlatformHost _host = null!;

    public async ValueTask InitializeAsync() => _host = await PlatformHost.StartAsync();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task A_host_is_made_counts_its_machines_and_is_removed()
    {
        Answer created = await _host.PutAsync(Hosts + "/nas", """{"location":"home","tags":{"a":"b"},"properties":{"kind":"folder","path":"/srv/machines"}}""");
        Assert.Equal(201, created.Status);
        JsonNode properties = created.Body!["properties"]!;
        Assert.Equal(("Folder", "/srv/machines", "Succeeded", 0), ((string?)properties["kind"], (string?)properties["path"], (string?)properties["provisioningState"], (int)properties["virtualMachineCount"]!));
        _host.Fabric.Add("web1");
        _host.Fabric.Machines.Add(_host.Fabric.Add("web2") with { Name = "elsewhere", HostId = Hosts + "/other" });
        Assert.Equal(2, (int)(await _host.GetAsync(Hosts + "/NAS", "2026-11-01")).Body!["properties"]!["virtualMachineCount"]!);
        Assert.Equal(2, (int)Assert.Single((await _host.GetAsync(Hosts)).Value)!["properties"]!["virtualMachineCount"]!);
        Assert.Single((await _host.GetAsync(PlatformHost.Subscription + "/providers/Strongroom.Fabric/hosts")).Value);
        Assert.Equal(200, (await _host.PutAsync(Hosts + "/nas", """{"location":"home","properties":{"kind":"Folder","path":"/srv/machines/b"}}""")).Status);

        Answer patched = await _host.PatchAsync(Hosts + "/nas", """{"tags":{"c":"d"}}""");
        Assert.Equal("/srv/machines/b", (string?)patched.Body!["properties"]!["path"]);
        patched = await _host.PatchAsync(Hosts + "/nas", """{"properties":{"path":"/srv/machines/c"}}""");
        Assert.Equal(("/srv/machines/c", "d"), ((string?)patched.Body!["properties"]!["path"], (string?)patched.Body["tags"]!["c"]));
        Assert.Equal(200, (await _host.DeleteAsync(Hosts + "/nas")).Status);
        Assert.Equal(204, (await _host.DeleteAsync(Hosts + "/nas")).Status);
    }

    [Theory]
    [InlineData("nas", """{"location":"home","properties":{"kind":"Folder","path":"/etc"}}""", "HostPathNotAllowed")]
    [InlineData("nas", """{"location":"home","properties":{"kind":"Cloud","path":"/srv/machines"}}""", "InvalidRequestContent")]
    [InlineData("nas", """{"location":"home","properties":{"kind":"Folder"}}""", "InvalidRequestContent")]
    [InlineData("nas", """{"location":"home","properties":{"path":"/srv/machines"}}""", "InvalidRequestContent")]
    [InlineData("nas", """{"location":"home","properties":{"kind":"Folder","path":{}}}""", "InvalidRequestContent")]
    [InlineData("nas", """{"location":"home"}""", "InvalidRequestContent")]
    [InlineData("nas", """{"properties":{"kind":"Folder","path":"/srv/machines"}}""", "LocationRequired")]
    [InlineData("n%20s", """{"location":"home","properties":{"kind":"Folder","path":"/srv/machines"}}""", "InvalidResourceName")]
    [InlineData("-nas", """{"location":"home","properties":{"kind":"Folder","path":"/srv/machines"}}""", "InvalidResourceName")]
    public async Task A_bad_host_is_refused(string name, string body, string code)
    {
        Answer answer = await _host.PutAsync($"{Hosts}/{name}", body);
        Assert.Equal((400, code), (answer.Status, answer.Code));
        Assert.Empty((await _host.GetAsync(Hosts)).Value);
    }

    [Theory]
    [InlineData("""{"properties":{"path":"/etc"}}""", "HostPathNotAllowed")]
    [InlineData("""{"properties":{"path":null}}""", "InvalidRequestContent")]
    [InlineData("""{"properties":{"kind":"Other"}}""", "InvalidRequestContent")]
    [InlineData("""{"tags":5}""", "InvalidRequestContent")]
    public async Task A_bad_change_changes_nothing(string body, string code)
    {
        await _host.PutAsync(Hosts + "/nas", """{"location":"home","properties":{"kind":"Folder","path":"/srv/machines"}}""");
        Assert.Equal((400, code), await ToldAsync(_host.PatchAsync(Hosts + "/nas", body)));
        Assert.Equal("/srv/machines", (string?)(await _host.GetAsync(Hosts + "/nas")).Body!["properties"]!["path"]);
    }

    [Fact]
    public async Task Parallel_changes_of_one_host_lose_nothing_and_never_fail_with_500()
    {
        await _host.PutAsync(Hosts + "/nas", """{"location":"home","properties":{"kind":"Folder","path":"/srv/machines"}}""");
        Answer[] answers = await Task.WhenAll(Enumerable.Range(0, 16).Select(i => _host.PatchAsync(Hosts + "/nas", i % 2 == 0 ? """{"tags":{"a":"b"}}""" : """{"properties":{"path":"/srv/machines/x"}}""")));
        Assert.All(answers, a => Assert.Contains(a.Status, new[] { 200, 409 }));
        JsonNode host = (await _host.GetAsync(Hosts + "/nas")).Body!;
        Assert.Equal(("b", "/srv/machines/x"), ((string?)host["tags"]!["a"], (string?)host["properties"]!["path"]));
        Assert.Empty(_host.Log.Lines);
    }

    private static async Task<(int, string?)> ToldAsync(Task<Answer> answer)
    {
        Answer told = await answer;
        return (told.Status, told.Code);
    }
}
