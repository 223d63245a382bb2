using System.Text.Json.Nodes;
using Strongroom.Api.Resources;
using Strongroom.Arm;
using Strongroom.Testing;

namespace Strongroom.Api.Tests.Resources;

public sealed class TrackedResourcesTests : IAsyncLifetime
{
    private static readonly ResourceId s_id = ResourceId.ForResource(ArmHost.Subscription, "lab", "Strongroom.Fabric", "hosts", "nas");

    private readonly InMemoryResourceStore _store = new();
    private TrackedResources _resources = null!;

    public async ValueTask InitializeAsync()
    {
        _resources = new TrackedResources(_store, TimeProvider.System);
        await _store.PutGroupAsync(new ResourceGroup(ArmHost.Subscription, "lab", "home", ResourceTags.None, default, default), default);
        await _resources.PutAsync(s_id, _ => TrackedResources.New(s_id, "home", ResourceTags.None, new JsonObject { ["path"] = "/a" }), default);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task A_change_that_meets_another_one_is_made_again_on_top_of_it()
    {
        int attempts = 0;
        await _resources.PatchAsync(s_id, before =>
        {
            if (attempts++ == 0) Interfere(before);
            return before with { Properties = new JsonObject { ["path"] = "/b" } };
        }, default);
        TrackedResource after = await _resources.GetAsync(s_id, default);
        Assert.Equal((2, "/b", "other"), (attempts, (string?)after.Properties["path"], after.Tags["by"]));
    }

    [Fact]
    public async Task A_change_that_always_meets_another_one_is_refused_with_409()
    {
        ArmException refusal = await Assert.ThrowsAsync<ArmException>(() => _resources.PatchAsync(s_id, before =>
        {
            Interfere(before);
            return before;
        }, default));
        Assert.Equal((409, "Conflict"), (refusal.Status, refusal.Code));
    }

    private void Interfere(TrackedResource before)
    {
        Task<PutOutcome> write = _store.PutAsync(before with { ETag = Guid.NewGuid().ToString(), Tags = new Dictionary<string, string> { ["by"] = "other" } }, null, default);
        Assert.True(write.IsCompletedSuccessfully);
    }
}
