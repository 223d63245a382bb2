using Microsoft.AspNetCore.Routing;
using Strongroom.Api.Tests.BadInput;
using Strongroom.Api.Tests.RecoveryServices.Support;
using Strongroom.Testing;

namespace Strongroom.Api.Tests.RecoveryServices;

/// <summary>The same thing under every spelling that clients have been seen to send; answered in one.</summary>
public sealed class PathSpellingTests : IAsyncLifetime
{
    private const string Containers = BackupHost.Vault + "/backupFabrics/Azure/protectionContainers/";

    private BackupHost _host = null!;
    private ProtectedMachine _web1 = null!;

    public async ValueTask InitializeAsync()
    {
        _host = await BackupHost.StartAsync();
        await _host.MakeVaultAsync();
        _web1 = new ProtectedMachine(_host, _host.Fabric.Add("Web1", "Lab"));
        Assert.Equal(202, (await _host.PutAsync(_web1.Item, _web1.EnableBody())).Status);
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Theory]
    [InlineData("IaasVMContainer;iaasvmcontainerv2;lab;web1/protectedItems/VM;iaasvmcontainerv2;lab;web1")]
    [InlineData("IaasVMContainer%3Biaasvmcontainerv2%3Blab%3Bweb1/protectedItems/VM%3Biaasvmcontainerv2%3Blab%3Bweb1")]
    [InlineData("iaasvmcontainer%3biaasvmcontainerv2%3bLab%3bWeb1/protectedItems/VM%3biaasvmcontainerv2%3bLab%3bWeb1")]
    [InlineData("iaasvmcontainer;iaasvmcontainerv2;Lab;Web1/protectedItems/vm;iaasvmcontainerv2;Lab;Web1")]
    [InlineData("iaasvmcontainerv2;lab;web1/protectedItems/iaasvmcontainerv2;lab;web1")]
    [InlineData("IAASVMCONTAINER;IAASVMCONTAINERV2;LAB;WEB1/PROTECTEDITEMS/VM;IAASVMCONTAINERV2;LAB;WEB1")]
    [InlineData("IaasVMContainer;iaasvmcontainerv2;lab;web1//protectedItems//VM;iaasvmcontainerv2;lab;web1/")]
    public async Task An_item_is_found_under_every_spelling_and_answered_in_one(string path)
    {
        Answer answer = await _host.GetAsync(Containers + path);
        Assert.Equal((200, _web1.Item, "VM;iaasvmcontainerv2;lab;web1"), (answer.Status, (string?)answer.Body!["id"], (string?)answer.Body["name"]));
        Assert.Equal(("Web1", _web1.Machine.ResourceId), ((string?)answer.Body["properties"]!["friendlyName"], (string?)answer.Body["properties"]!["virtualMachineId"]));
    }

    [Theory]
    [InlineData("IaasVMContainer;iaasvmcontainerv2;lab;web1")]
    [InlineData("iaasvmcontainer;iaasvmcontainerv2;Lab;WEB1")]
    [InlineData("iaasvmcontainerv2;lab;web1")]
    public async Task A_container_is_found_under_every_spelling(string name) => Assert.Equal(_web1.Container, (string?)(await _host.GetAsync(Containers + name)).Body!["id"]);

    [Theory]
    [InlineData("IaasVMContainer;iaasvmcontainerv2;lab;web1/protectedItems/VM;iaasvmcontainerv2;lab;web2")]
    [InlineData("IaasVMContainer;iaasvmcontainerv2;lab;web2/protectedItems/VM;iaasvmcontainerv2;lab;web2")]
    [InlineData("IaasVMContainer;iaasvmcontainer;lab;web1/protectedItems/VM;iaasvmcontainer;lab;web1")]
    [InlineData("StorageContainer;Storage;lab;web1/protectedItems/AzureFileShare;abc")]
    public async Task What_does_not_belong_together_is_not_found(string path)
    {
        Answer answer = await _host.GetAsync(Containers + path);
        Assert.Equal(404, answer.Status);
        Assert.StartsWith("BMSUserError", answer.Code, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/Subscriptions/{0}/resourcegroups/LAB/PROVIDERS/microsoft.recoveryservices/VAULTS/V1")]
    [InlineData("//subscriptions/{0}//resourceGroups/lab/providers/Microsoft.RecoveryServices/vaults//v1/")]
    public async Task A_vault_is_found_under_every_spelling(string path)
    {
        path = string.Format(System.Globalization.CultureInfo.InvariantCulture, path, ArmHost.Subscription);
        Assert.Equal(BackupHost.Vault, (string?)(await _host.GetAsync(path)).Body!["id"]);
        Assert.Equal(3, (await _host.GetAsync(path + "/BACKUPPOLICIES/")).Value.Count);
        Assert.Equal(_web1.Item, (string?)(await _host.GetAsync(path + "/backupProtectedItems/")).Value[0]!["id"]);
    }

    [Theory]
    [InlineData("2016-06-01")]
    [InlineData("2022-09-01-preview")]
    [InlineData("2023-01-01")]
    [InlineData("2026-07-01")]
    [InlineData("2031-12-31")]
    public async Task Any_well_formed_api_version_is_accepted_and_repeated_in_the_URLs_that_are_handed_out(string version)
    {
        Answer accepted = await _host.PutAsync(_web1.Item, _web1.EnableBody(), version);
        Assert.EndsWith("?api-version=" + version, accepted.Header("Azure-AsyncOperation"), StringComparison.Ordinal);
        Assert.EndsWith("?api-version=" + version, accepted.Header("Location"), StringComparison.Ordinal);
        Assert.Equal(200, (await _host.FollowAsync(accepted.Header("Azure-AsyncOperation"))).Status);
    }

    [Fact]
    public async Task Unknown_query_keys_and_signatures_are_tolerated()
    {
        Answer accepted = await _host.PutAsync(_web1.Item, _web1.EnableBody());
        Assert.Equal(200, (await _host.FollowAsync(accepted.Header("Azure-AsyncOperation") + "&t=638&c=MII&s=abc&h=def")).Status);
        Assert.Equal(200, (await _host.GetAsync(_web1.Item + "?whatever=1&fabricName=Azure")).Status);
        // The service has handed out a URL with two question marks.
        string id = ProtectedMachine.OperationOf(accepted);
        Assert.Equal(204, (await _host.SendRawAsync("GET", $"{_web1.Vault}/backupOperationResults/{id}?fabricName=Azure?api-version=2023-01-01")).Status);
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("nonsense/name")]
    [InlineData("backupPolicies/DefaultPolicy/nonsense")]
    [InlineData("backupFabrics/Azure/protectionContainers/IaasVMContainer;iaasvmcontainerv2;lab;web1/protectedItems/VM;iaasvmcontainerv2;lab;web1/nonsense")]
    public async Task An_unknown_operation_of_a_vault_is_404_in_Resource_Managers_shape(string path)
    {
        foreach (string method in new[] { "GET", "PUT", "POST", "PATCH", "DELETE" })
        {
            Answer answer = await _host.SendAsync(method, $"{BackupHost.Vault}/{path}", method is "GET" or "DELETE" ? null : "{}");
            Assert.Equal((404, "InvalidResourceType", "gateway"), (answer.Status, answer.Code, answer.Header("x-ms-failure-cause")));
        }
    }

    [Fact]
    public async Task A_known_path_with_a_wrong_method_is_405_and_says_which_are_right()
    {
        int count = 0;
        foreach (IGrouping<string, RouteEndpoint> path in _host.Endpoints.Where(e => e.RoutePattern.RawText!.Contains("Microsoft.RecoveryServices", StringComparison.Ordinal)).GroupBy(e => e.RoutePattern.RawText!))
        {
            string[] known = [.. path.SelectMany(e => e.Metadata.GetMetadata<IHttpMethodMetadata>()!.HttpMethods)];
            foreach (string method in new[] { "GET", "PUT", "POST", "PATCH", "DELETE" }.Except(known))
            {
                count++;
                Answer answer = await _host.SendAsync(method, EndpointProbe.Path(path.First().RoutePattern, Name), method is "GET" or "DELETE" ? null : "{}");
                Assert.Equal((path.Key, 405, "MethodNotAllowed"), (path.Key, answer.Status, answer.Code));
                Assert.Equal(known.Order(), answer.Header("Allow")!.Split(',', StringSplitOptions.TrimEntries).Order());
            }
        }

        Assert.True(count > 80, $"Only {count} were tried.");
    }

    private static string Name(string parameter) => parameter switch
    {
        "subscriptionId" => ArmHost.Subscription,
        "resourceGroupName" => "lab",
        "vaultName" => "v1",
        "fabricName" => "Azure",
        _ => "name1",
    };
}
