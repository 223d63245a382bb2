using System.Text.Json.Nodes;
using Strongroom.Api.Tests.RecoveryServices.Support;
using Strongroom.Testing;

namespace Strongroom.Api.Tests.RecoveryServices;

/// <summary>What an item tells of its health, and changes that are made only to what was read.</summary>
public sealed class ItemHealthTests : IAsyncLifetime
{
    private BackupHost _host = null!;
    private ProtectedMachine _web1 = null!;

    public async ValueTask InitializeAsync()
    {
        _host = await BackupHost.StartAsync();
        _web1 = await ProtectedMachine.ProtectAsync(_host);
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task A_failed_backup_shows_its_error_in_the_health_of_its_item_until_one_succeeds()
    {
        _host.Fabric.Ready = Task.FromException(new IOException("The disk cannot be read."));
        string job = await _web1.JobOfAsync(await _host.PostAsync(_web1.Item + "/backup", ProtectedMachine.BackupBody));
        JsonNode ended = (await _host.WaitAsync(BackupHost.Vault, job))["properties"]!;
        Assert.Equal("Failed", (string?)ended["status"]);
        JsonNode error = ended["errorDetails"]![0]!;

        JsonNode item = (await _host.GetAsync(_web1.Item)).Body!["properties"]!;
        Assert.Equal(("ActionRequired", "Unhealthy", "Failed"), ((string?)item["healthStatus"], (string?)item["protectionStatus"], (string?)item["lastBackupStatus"]));
        JsonNode detail = Assert.Single(item["healthDetails"]!.AsArray())!;
        Assert.Equal(((int?)error["errorCode"], (string?)error["errorTitle"], (string?)error["errorString"]), ((int?)detail["code"], (string?)detail["title"], (string?)detail["message"]));
        Assert.True(JsonNode.DeepEquals(error["recommendations"], detail["recommendations"]));
        Assert.Equal("TransientUnhealthy", (string?)item["kpisHealths"]!["BackupOperationStatusKPI"]!["resourceHealthStatus"]);
        Assert.Equal("Unhealthy", (string?)(await _host.GetAsync(_web1.Container)).Body!["properties"]!["healthStatus"]);
        Assert.Single((await _host.GetAsync(BackupHost.Vault + "/backupProtectedItems?$filter=healthState eq 'ActionRequired'")).Value);

        _host.Fabric.Ready = Task.CompletedTask;
        await _web1.BackUpAsync();
        item = (await _host.GetAsync(_web1.Item)).Body!["properties"]!;
        Assert.Equal(("Passed", 400239), ((string?)item["healthStatus"], (int?)item["healthDetails"]![0]!["code"]));
        Assert.Empty((await _host.GetAsync(BackupHost.Vault + "/backupProtectedItems?$filter=healthState eq 'ActionRequired'")).Value);
    }

    [Fact]
    public async Task A_change_with_a_condition_is_made_only_to_the_item_that_was_read()
    {
        string tag = (string)(await _host.GetAsync(_web1.Item)).Body!["eTag"]!;
        Assert.Equal(202, (await SendAsync(HttpMethod.Put, _web1.EnableBody("EnhancedPolicy"), tag)).Status);
        Answer stale = await SendAsync(HttpMethod.Put, _web1.EnableBody(), tag);
        Assert.Equal((412, "PreconditionFailed"), (stale.Status, stale.Code));
        Assert.Equal(412, (await SendAsync(HttpMethod.Delete, null, tag)).Status);
        Assert.Equal("EnhancedPolicy", (string?)(await _host.GetAsync(_web1.Item)).Body!["properties"]!["policyName"]);
        // From an enhanced policy there is no way back to a standard one.
        Answer back = await SendAsync(HttpMethod.Put, _web1.EnableBody(), "*");
        Assert.Equal((400, "BMSUserErrorInvalidPolicyInput"), (back.Status, back.Code));
        Assert.Equal(202, (await SendAsync(HttpMethod.Put, _web1.EnableBody("EnhancedPolicy"), "*")).Status);
        tag = (string)(await _host.GetAsync(_web1.Item)).Body!["eTag"]!;
        Assert.Equal(202, (await SendAsync(HttpMethod.Delete, null, "\"other\", " + tag)).Status);
    }

    [Fact]
    public async Task A_condition_on_an_item_that_is_not_there_does_not_hold()
    {
        var web2 = new ProtectedMachine(_host, _host.Fabric.Add("web2"));
        Assert.Equal(412, (await SendAsync(HttpMethod.Put, web2.EnableBody(), "*", web2.Item)).Status);
        Assert.Equal(404, (await _host.GetAsync(web2.Item)).Status);
    }

    private Task<Answer> SendAsync(HttpMethod method, string? body, string condition, string? item = null)
    {
        var request = new HttpRequestMessage(method, new Uri(_host.Authority + (item ?? _web1.Item) + "?api-version=" + BackupHost.Version));
        request.Headers.TryAddWithoutValidation("If-Match", condition);
        if (body is not null) request.Content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");
        return _host.SendAsync(request);
    }
}
