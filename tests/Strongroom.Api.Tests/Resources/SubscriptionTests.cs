using System.Text.Json.Nodes;
using Strongroom.Api.Tests.Support;
using Strongroom.Testing;

namespace Strongroom.Api.Tests.Resources;

public sealed class SubscriptionTests : IAsyncLifetime
{
    private PlatformHost _host = null!;

    public async ValueTask InitializeAsync() => _host = await PlatformHost.StartAsync();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task After_sign_in_a_client_finds_its_tenant_and_subscription()
    {
        JsonNode tenant = Assert.Single((await _host.GetAsync("/tenants")).Value)!;
        Assert.Equal(ArmHost.Tenant, (string?)tenant["tenantId"]);
        JsonNode subscription = Assert.Single((await _host.GetAsync("/subscriptions", "2019-11-01")).Value)!;
        Assert.Equal((PlatformHost.Subscription, ArmHost.Subscription, ArmHost.Tenant, "Home lab", "Enabled"), (
            (string?)subscription["id"], (string?)subscription["subscriptionId"], (string?)subscription["tenantId"], (string?)subscription["displayName"], (string?)subscription["state"]));
        Assert.Equal(ArmHost.Subscription, (string?)(await _host.GetAsync(PlatformHost.Subscription)).Body!["subscriptionId"]);
    }

    [Fact]
    public async Task Locations_have_both_their_names()
    {
        Answer answer = await _host.GetAsync(PlatformHost.Subscription + "/locations", "2019-11-01");
        Assert.Equal(["home", "cellar"], answer.Value.Select(l => (string?)l!["name"]));
        Assert.Equal("The Cellar", (string?)answer.Value[1]!["displayName"]);
        Assert.Equal("The Cellar", (string?)answer.Value[1]!["regionalDisplayName"]);
        Assert.NotNull(answer.Value[0]!["metadata"]);
    }

    [Fact]
    public async Task An_unknown_subscription_is_not_found_anywhere()
    {
        foreach (string path in new[] { "", "/locations", "/providers", "/resources", "/resourceGroups", "/resourceGroups/lab" })
        {
            Assert.Equal((404, "SubscriptionNotFound"), Told(await _host.GetAsync("/subscriptions/00000000-0000-0000-0000-000000000001" + path)));
        }
    }

    [Fact]
    public async Task Providers_tell_their_types_versions_and_locations()
    {
        Answer list = await _host.GetAsync(PlatformHost.Subscription + "/providers", "2022-09-01");
        Assert.Equal(["Microsoft.Compute", "Microsoft.Network", "Microsoft.RecoveryServices", "Microsoft.Resources", "Microsoft.Storage", "Strongroom.Fabric"], list.Value.Select(p => (string?)p!["namespace"]));
        Answer one = await _host.GetAsync(PlatformHost.Subscription + "/providers/microsoft.compute");
        Assert.Equal("Registered", (string?)one.Body!["registrationState"]);
        JsonNode type = one.Body["resourceTypes"]!.AsArray().First(t => (string?)t!["resourceType"] == "virtualMachines")!;
        Assert.Contains("2022-08-01", type["apiVersions"]!.AsArray().Select(v => (string?)v));
        Assert.Equal(["Home", "The Cellar"], type["locations"]!.AsArray().Select(v => (string?)v));
    }

    [Fact]
    public async Task Registering_is_accepted_and_unregistering_refused_because_nothing_is_ever_unregistered()
    {
        Answer registered = await _host.PostAsync(PlatformHost.Subscription + "/providers/Microsoft.RecoveryServices/register");
        Assert.Equal((200, "Registered"), (registered.Status, (string?)registered.Body!["registrationState"]));
        Assert.Equal(409, (await _host.PostAsync(PlatformHost.Subscription + "/providers/Microsoft.RecoveryServices/unregister")).Status);
        Assert.Equal((404, "InvalidResourceNamespace"), Told(await _host.PostAsync(PlatformHost.Subscription + "/providers/Microsoft.ClassicStorage/register")));
    }

    [Fact]
    public async Task The_operations_of_a_provider_come_in_pages()
    {
        List<string?> names = [];
        Answer answer = await _host.GetAsync("/providers/Microsoft.RecoveryServices/operations?$top=2");
        while (true)
        {
            names.AddRange(answer.Value.Select(o => (string?)o!["name"]));
            if ((string?)answer.Body!["nextLink"] is not { } link) break;
            answer = await _host.FollowAsync(link);
        }
        Assert.Equal(5, names.Count);
        Assert.Equal(names.Distinct(), names);
        JsonNode operation = answer.Value[0]!;
        Assert.Equal("Get Vault", (string?)operation["display"]!["operation"]);
        Assert.False((bool)operation["isDataAction"]!);
    }

    private static (int, string?) Told(Answer answer) => (answer.Status, answer.Code);
}
