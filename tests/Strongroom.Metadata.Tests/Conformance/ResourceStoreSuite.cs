using System.Text.Json.Nodes;
using Strongroom.Arm;
using Strongroom.Metadata.Tests.Support;

namespace Strongroom.Metadata.Tests.Conformance;

/// <summary>The rules of <see cref="IResourceStore"/>, for each that there is.</summary>
public abstract class ResourceStoreSuite : DatabaseSuite
{
    private const string Disks = "Microsoft.Compute/disks";

    protected abstract IResourceStore Store { get; }

    [Fact]
    public async Task A_group_keeps_its_name_location_and_birth_when_it_is_written_again()
    {
        Assert.True(await Store.PutGroupAsync(Group("Lab", "home"), Token));
        Assert.False(await Store.PutGroupAsync(Group("LAB", "away") with { CreatedAt = Sample.Now.AddDays(1), ManagedBy = "x", Tags = new Dictionary<string, string> { ["a"] = "1" } }, Token));

        var found = (await Store.GetGroupAsync(Sample.Subscription.ToUpperInvariant(), "lab", Token))!;

        Assert.Equal(("Lab", "home", Sample.Now, "x"), (found.Name, found.Location, found.CreatedAt, found.ManagedBy));
        Assert.Equal("1", found.Tags["a"]);
    }

    [Fact]
    public async Task Groups_are_listed_by_name_and_deleted_once()
    {
        foreach (var name in new[] { "b", "A", "c" }) await Store.PutGroupAsync(Group(name, "home"), Token);

        Assert.Equal(["A", "b", "c"], (await Store.ListGroupsAsync(Sample.Subscription, Token)).Select(g => g.Name));
        Assert.True(await Store.DeleteGroupAsync(Sample.Subscription, "B", Token));
        Assert.False(await Store.DeleteGroupAsync(Sample.Subscription, "b", Token));
        Assert.Equal(["A", "c"], (await Store.ListGroupsAsync(Sample.Subscription, Token)).Select(g => g.Name));
        Assert.Empty(await Store.ListGroupsAsync(Guid.NewGuid().ToString(), Token));
    }

    [Fact]
    public async Task Of_many_who_put_one_group_exactly_one_makes_it()
    {
        var made = await AtOnceAsync(32, n => Store.PutGroupAsync(Group(n % 2 == 0 ? "Lab" : "lab", "home"), Token));
        Assert.Single(made, true);
    }

    [Fact]
    public async Task A_resource_comes_back_as_it_was_put()
    {
        var disk = Disk("Os") with
        {
            Kind = "k",
            Sku = new JsonObject { ["name"] = "Standard_LRS" },
            Identity = new JsonObject { ["type"] = "SystemAssigned" },
            Tags = new Dictionary<string, string> { ["Env"] = "lab" },
        };
        Assert.Equal(PutOutcome.Created, await Store.PutAsync(disk, null, Token));

        var found = (await Store.GetAsync(Id("oS"), Token))!;

        Assert.Equal(disk.Id.ToString(), found.Id.ToString());
        Assert.Equal((disk.Location, disk.Kind, disk.ETag, disk.CreatedAt, disk.ChangedAt), (found.Location, found.Kind, found.ETag, found.CreatedAt, found.ChangedAt));
        Assert.True(JsonNode.DeepEquals(disk.Sku, found.Sku));
        Assert.True(JsonNode.DeepEquals(disk.Identity, found.Identity));
        Assert.True(JsonNode.DeepEquals(disk.Properties, found.Properties));
        Assert.Equal("lab", found.Tags["Env"]);
    }

    [Fact]
    public async Task A_resource_keeps_its_id_and_birth_when_it_is_written_again()
    {
        await Store.PutAsync(Disk("Os"), null, Token);
        Assert.Equal(PutOutcome.Updated, await Store.PutAsync(Disk("OS") with { CreatedAt = Sample.Now.AddDays(1), Location = "away" }, null, Token));

        var found = (await Store.GetAsync(Id("os"), Token))!;

        Assert.Equal(("Os", Sample.Now, "away"), (found.Id.Name, found.CreatedAt, found.Location));
    }

    [Fact]
    public async Task An_expected_etag_guards_a_write()
    {
        Assert.Equal(PutOutcome.Conflict, await Store.PutAsync(Disk("os"), "e1", Token));
        Assert.Null(await Store.GetAsync(Id("os"), Token));
        Assert.Equal(PutOutcome.Created, await Store.PutAsync(Disk("os") with { ETag = "e1" }, "", Token));
        Assert.Equal(PutOutcome.Conflict, await Store.PutAsync(Disk("os") with { ETag = "e2" }, "", Token));
        Assert.Equal(PutOutcome.Conflict, await Store.PutAsync(Disk("os") with { ETag = "e2" }, "e0", Token));
        Assert.Equal("e1", (await Store.GetAsync(Id("os"), Token))!.ETag);
        Assert.Equal(PutOutcome.Updated, await Store.PutAsync(Disk("os") with { ETag = "e2" }, "e1", Token));
    }

    [Fact]
    public async Task Of_many_who_make_one_resource_exactly_one_wins()
    {
        var outcomes = await AtOnceAsync(32, n => Store.PutAsync(Disk("os") with { ETag = $"{n}" }, "", Token));

        Assert.Single(outcomes, PutOutcome.Created);
        Assert.Equal(31, outcomes.Count(o => o == PutOutcome.Conflict));
        Assert.Equal($"{Array.IndexOf(outcomes, PutOutcome.Created)}", (await Store.GetAsync(Id("os"), Token))!.ETag);
    }

    [Fact]
    public async Task Several_resources_are_made_all_or_none()
    {
        Assert.True(await Store.TryAddAsync([Disk("os"), Disk("data")], Token));
        Assert.False(await Store.TryAddAsync([Disk("first"), Disk("DATA") with { ETag = "other" }, Disk("last")], Token));

        Assert.Equal(["data", "os"], await NamesAsync(null, null));
        Assert.Equal("e", (await Store.GetAsync(Id("data"), Token))!.ETag);
        var made = await AtOnceAsync(32, n => Store.TryAddAsync([Disk($"own{n}"), Disk("shared")], Token));
        Assert.Single(made, true);
        Assert.Equal(["data", "os", $"own{Array.IndexOf(made, true)}", "shared"], await NamesAsync(null, null));
    }

    [Fact]
    public async Task Resources_are_listed_by_group_and_type_in_the_order_of_their_ids()
    {
        foreach (var name in new[] { "b", "A" }) await Store.PutAsync(Disk(name), null, Token);
        await Store.PutAsync(Disk("z") with { Id = Id("z", "Other") }, null, Token);
        var account = ResourceId.ForResource(Sample.Subscription, "Lab", "Microsoft.Storage", "storageAccounts", "acc");
        await Store.PutAsync(Disk("acc") with { Id = account }, null, Token);

        Assert.Equal(["A", "b", "acc", "z"], await NamesAsync(null, null));
        Assert.Equal(["A", "b", "acc"], await NamesAsync("LAB", null));
        Assert.Equal(["A", "b", "z"], await NamesAsync(null, "microsoft.compute/DISKS"));
        Assert.Equal(["acc"], await NamesAsync("lab", "Microsoft.Storage/storageAccounts"));
        Assert.True(await Store.DeleteAsync(Id("B"), Token));
        Assert.False(await Store.DeleteAsync(Id("b"), Token));
        Assert.Equal(["A"], await NamesAsync("lab", Disks));
    }

    [Fact]
    public async Task Tag_names_are_compared_without_case()
    {
        var tags = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase) { ["Env"] = "lab" };
        await Store.PutAsync(Disk("os") with { Tags = tags }, null, Token);
        await Store.PutGroupAsync(Group("Lab", "home") with { Tags = tags }, Token);

        Assert.Equal("lab", (await Store.GetAsync(Id("os"), Token))!.Tags["ENV"]);
        Assert.Equal("lab", (await Store.GetGroupAsync(Sample.Subscription, "lab", Token))!.Tags["env"]);
    }

    private async Task<IEnumerable<string>> NamesAsync(string? group, string? type) =>
        (await Store.ListAsync(Sample.Subscription, group, type, Token)).Select(r => r.Id.Name);

    private static ResourceGroup Group(string name, string location) => new(Sample.Subscription, name, location, ResourceTags.None, Sample.Now, Sample.Now);

    private static ResourceId Id(string name, string group = "Lab") => ResourceId.ForResource(Sample.Subscription, group, "Microsoft.Compute", "disks", name);

    private static TrackedResource Disk(string name) => new()
    {
        Id = Id(name),
        Location = "home",
        Properties = new JsonObject { ["diskSizeGB"] = 4, ["nested"] = new JsonObject { ["a"] = new JsonArray(1, "2", null) } },
        ETag = "e",
        CreatedAt = Sample.Now,
        ChangedAt = Sample.Now.AddMinutes(1),
    };
}
