using System.Text.Json.Nodes;
using Strongroom.Api.Resources;
using Strongroom.Api.Tests.Support;
using Strongroom.Arm;
using Strongroom.Testing;

namespace Strongroom.Api.Tests.Resources;

public sealed class ResourceGroupTests : IAsyncLifetime
{
    private const string Other = PlatformHost.Subscription + "/resourcegroups/Other";

    private PlatformHost _host = null!;

    public async ValueTask InitializeAsync() => _host = await PlatformHost.StartAsync();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task A_group_is_made_read_changed_and_deleted()
    {
        Answer created = await _host.PutAsync(Other, """{"location":"Home","tags":{"env":"lab"}}""");
        Assert.Equal(201, created.Status);
        Assert.Equal(PlatformHost.Subscription + "/resourceGroups/Other", (string?)created.Body!["id"]);
        Assert.Equal(("Other", "Microsoft.Resources/resourceGroups", "home", "Succeeded"), (
            (string?)created.Body["name"], (string?)created.Body["type"], (string?)created.Body["location"], (string?)created.Body["properties"]!["provisioningState"]));
        Assert.Equal(200, (await _host.PutAsync(Other.ToUpperInvariant().Replace("/SUBSCRIPTIONS", "/subscriptions", StringComparison.Ordinal), """{"location":"home","tags":{"a":"b"}}""")).Status);
        Answer read = await _host.GetAsync(Other);
        Assert.Equal(("Other", "{\"a\":\"b\"}"), ((string?)read.Body!["name"], read.Body["tags"]!.ToJsonString()));
        Answer patched = await _host.PatchAsync(Other, """{"tags":{"c":"d"}}""");
        Assert.Equal((200, "{\"c\":\"d\"}"), (patched.Status, patched.Body!["tags"]!.ToJsonString()));
        Assert.Equal(204, (await _host.SendAsync("HEAD", Other)).Status);

        Answer deleted = await _host.DeleteAsync(Other);
        Assert.Equal(202, deleted.Status);
        Assert.Contains("/operationresults/", deleted.Header("Location"), StringComparison.Ordinal);
        Assert.Equal(200, (await _host.FollowAsync(deleted.Header("Location")!)).Status);
        Assert.Equal(404, (await _host.SendAsync("HEAD", Other)).Status);
        Assert.Equal((404, "ResourceGroupNotFound"), Told(await _host.GetAsync(Other)));
        Assert.Equal((404, "ResourceGroupNotFound"), Told(await _host.DeleteAsync(Other)));
        Assert.Equal((404, "ResourceGroupNotFound"), Told(await _host.PatchAsync(Other, "{}")));
    }

    [Fact]
    public async Task The_end_of_a_deletion_is_told_even_after_a_group_of_that_name_was_made_again()
    {
        await _host.PutAsync(Other, """{"location":"home"}""");
        string location = (await _host.DeleteAsync(Other)).Header("Location")!;
        await _host.Store.PutGroupAsync(new ResourceGroup(ArmHost.Subscription, "Other", "home", ResourceTags.None, DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch), default);
        Assert.Equal(200, (await _host.FollowAsync(location)).Status);
        Assert.Equal(404, (await _host.GetAsync(PlatformHost.Subscription + "/operationresults/nonsense")).Status);
    }

    [Fact]
    public async Task While_the_group_is_there_its_deletion_is_not_done()
    {
        await _host.PutAsync(Other, """{"location":"home"}""");
        ResourceGroup group = (await _host.Store.GetGroupAsync(ArmHost.Subscription, "other", default))!;
        string location = (await _host.DeleteAsync(Other)).Header("Location")!;
        await _host.Store.PutGroupAsync(group, default);
        Answer running = await _host.FollowAsync(location);
        Assert.Equal(202, running.Status);
        Assert.Equal(location, running.Header("Location"));
    }

    [Theory]
    [InlineData("""{}""", 400, "LocationRequired")]
    [InlineData("""{"location":""}""", 400, "LocationRequired")]
    [InlineData("""{"location":"mars"}""", 400, "LocationNotAvailableForResourceType")]
    [InlineData("""{"location":7}""", 400, "InvalidRequestContent")]
    [InlineData("""{"location":"home","tags":[]}""", 400, "InvalidRequestContent")]
    [InlineData("""{"location":"home","tags":{"a/b":"x"}}""", 400, "InvalidTagNameCharacters")]
    [InlineData("""{"location":"home","managedBy":"x"}""", 400, "LinkedInvalidPropertyId")]
    [InlineData("""{"location":"cellar"}""", 409, "InvalidResourceGroupLocation")]
    [InlineData("""nonsense""", 400, "InvalidRequestContent")]
    public async Task A_bad_group_is_refused_and_nothing_changes(string body, int status, string code)
    {
        string before = (await _host.GetAsync(PlatformHost.Lab)).Body!.ToJsonString();
        Assert.Equal((status, code), Told(await _host.PutAsync(PlatformHost.Lab, body)));
        Assert.Equal(before, (await _host.GetAsync(PlatformHost.Lab)).Body!.ToJsonString());
    }

    [Theory]
    [InlineData("a.", "InvalidResourceGroup")]
    [InlineData("a%20b", "InvalidResourceGroup")]
    [InlineData("a%2Fb", "InvalidRequestUri")]
    public async Task A_bad_name_is_refused(string name, string code) =>
        Assert.Equal((400, code), Told(await _host.PutAsync($"{PlatformHost.Subscription}/resourceGroups/{name}", """{"location":"home"}""")));

    [Fact]
    public async Task Too_long_a_name_is_refused() =>
        Assert.Equal("InvalidResourceGroup", (await _host.PutAsync($"{PlatformHost.Subscription}/resourceGroups/{new string('a', 91)}", """{"location":"home"}""")).Code);

    [Fact]
    public async Task A_list_is_filtered_by_tag_and_paged()
    {
        foreach (string name in new[] { "g1", "g2", "g3" }) await _host.PutAsync($"{PlatformHost.Subscription}/resourceGroups/{name}", """{"location":"home","tags":{"Env":"lab"}}""");
        Answer first = await _host.GetAsync(PlatformHost.Subscription + "/resourcegroups?$filter=tagname+eq+'env'+and+tagvalue+eq+'lab'&$top=2");
        Assert.Equal(["g1", "g2"], first.Value.Select(g => (string?)g!["name"]));
        Answer second = await _host.FollowAsync((string)first.Body!["nextLink"]!);
        Assert.Equal(["g3"], second.Value.Select(g => (string?)g!["name"]));
        Assert.Null(second.Body!["nextLink"]);
        Assert.Equal(4, (await _host.GetAsync(PlatformHost.Subscription + "/resourcegroups")).Value.Count);
        Assert.Empty((await _host.GetAsync(PlatformHost.Subscription + "/resourcegroups?$filter=tagName eq 'env' and tagValue eq 'LAB'")).Value);
        Assert.Equal("InvalidFilterInQueryString", (await _host.GetAsync(PlatformHost.Subscription + "/resourcegroups?$filter=name eq 'g1'")).Code);
        Assert.Equal("InvalidFilterInQueryString", (await _host.GetAsync(PlatformHost.Subscription + "/resourcegroups?$filter=tagValue eq 'g1'")).Code);
    }

    [Fact]
    public async Task A_group_whose_vault_holds_items_stays_whole()
    {
        ResourceId full = ResourceId.ForResource(ArmHost.Subscription, "lab", "Microsoft.RecoveryServices", "vaults", "full");
        ResourceId empty = ResourceId.ForResource(ArmHost.Subscription, "lab", "Microsoft.RecoveryServices", "vaults", "empty");
        _host.Vaults.Vaults.UnionWith([full, empty]);
        _host.Vaults.Holding.Add(full);
        await _host.PutAsync(PlatformHost.Lab + "/providers/Microsoft.Storage/storageAccounts/restores1", """{"location":"home"}""");

        Answer refused = await _host.DeleteAsync(PlatformHost.Lab);
        Assert.Equal((409, "ResourceGroupDeletionBlocked"), Told(refused));
        JsonNode detail = Assert.Single(refused.Body!["error"]!["details"]!.AsArray())!;
        Assert.Equal(("ServiceResourceNotEmptyWithContainerDetails", full.ToString()), ((string?)detail["code"], (string?)detail["target"]));
        Assert.Equal(2, _host.Vaults.Vaults.Count);
        Assert.Equal(200, (await _host.GetAsync(PlatformHost.Lab + "/providers/Microsoft.Storage/storageAccounts/restores1")).Status);

        _host.Vaults.Holding.Clear();
        Assert.Equal(202, (await _host.DeleteAsync(PlatformHost.Lab)).Status);
        Assert.Empty(_host.Vaults.Vaults);
        Assert.Empty(await _host.Store.ListAsync(ArmHost.Subscription, null, null, default));
    }

    [Fact]
    public async Task What_is_made_while_its_group_is_deleted_does_not_stay_behind()
    {
        _host.Vaults.Vaults.Add(ResourceId.ForResource(ArmHost.Subscription, "lab", "Microsoft.RecoveryServices", "vaults", "v1"));
        _host.Vaults.WhileDeleting = () => _host.PutAsync(PlatformHost.Lab + "/providers/Microsoft.Storage/storageAccounts/late1", """{"location":"home"}""");
        Assert.Equal(202, (await _host.DeleteAsync(PlatformHost.Lab)).Status);
        Assert.Empty(await _host.Store.ListAsync(ArmHost.Subscription, null, null, default));
    }

    [Fact]
    public async Task A_latecomer_that_cannot_go_brings_its_group_back()
    {
        ResourceId first = ResourceId.ForResource(ArmHost.Subscription, "lab", "Microsoft.RecoveryServices", "vaults", "v1");
        ResourceId late = ResourceId.ForResource(ArmHost.Subscription, "lab", "Microsoft.RecoveryServices", "vaults", "v2");
        _host.Vaults.Vaults.Add(first);
        _host.Vaults.WhileDeleting = () =>
        {
            _host.Vaults.Vaults.Add(late);
            _host.Vaults.Holding.Add(late);
            return Task.CompletedTask;
        };
        Assert.Equal((400, "ServiceResourceNotEmptyWithContainerDetails"), Told(await _host.DeleteAsync(PlatformHost.Lab)));
        Assert.Equal(200, (await _host.GetAsync(PlatformHost.Lab)).Status);
        Assert.Equal([late], _host.Vaults.Vaults);
    }

    [Fact]
    public async Task A_resource_whose_group_vanishes_while_it_is_written_is_taken_back()
    {
        var store = new InMemoryResourceStore();
        var resources = new TrackedResources(store, TimeProvider.System);
        ResourceId id = ResourceId.ForResource(ArmHost.Subscription, "gone", "Microsoft.Storage", "storageAccounts", "late1");
        ArmException refusal = await Assert.ThrowsAsync<ArmException>(() => resources.PutAsync(id, _ => TrackedResources.New(id, "home", ResourceTags.None, []), default));
        Assert.Equal("ResourceGroupNotFound", refusal.Code);
        Assert.Null(await store.GetAsync(id, default));
    }

    [Fact]
    public async Task Deleting_a_group_leaves_other_groups_alone()
    {
        await _host.PutAsync(Other, """{"location":"home"}""");
        await _host.PutAsync(Other + "/providers/Microsoft.Storage/storageAccounts/stays1", """{"location":"home"}""");
        await _host.DeleteAsync(PlatformHost.Lab);
        Assert.Equal(200, (await _host.GetAsync(Other + "/providers/Microsoft.Storage/storageAccounts/stays1")).Status);
    }

    [Fact]
    public async Task Parallel_changes_of_tags_and_reads_never_fail()
    {
        Answer[] answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => _host.PatchAsync(PlatformHost.Lab, $"{{\"tags\":{{\"n\":\"{i}\"}}}}")));
        Assert.All(answers, a => Assert.Equal(200, a.Status));
    }

    private static (int, string?) Told(Answer answer) => (answer.Status, answer.Code);
}
