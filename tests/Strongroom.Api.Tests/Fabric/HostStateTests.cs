using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Strongroom.Api.Fabric;
using Strongroom.Api.Tests.Support;
using Strongroom.Arm;
using Strongroom.Backup.Machines;
using Strongroom.Testing;

namespace Strongroom.Api.Tests.Fabric;

/// <summary>Hosts of a kind that has properties of its own and is reached through a connection.</summary>
public sealed class HostStateTests : IAsyncLifetime
{
    private const string Hosts = PlatformHost.Lab + "/providers/Strongroom.Fabric/hosts";

    private readonly Wire _wire = new();
    private PlatformHost _host = null!;

    public async ValueTask InitializeAsync() => _host = await PlatformHost.StartAsync(services =>
    {
        services.AddSingleton<IHostValidator>(_wire);
        services.AddSingleton<IHostProbe>(_wire);
        // No time at all: a host that has not answered at once hangs.
        services.AddSingleton(sp => new HostStates([_wire], sp.GetRequiredService<Strongroom.Api.Fabric.Hosts>(), sp.GetRequiredService<ILogger<HostStates>>(), _wire.Limit));
    });

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task A_host_that_answers_is_connected_and_has_the_properties_of_its_kind()
    {
        Answer created = await PutAsync("a", """{"kind":"wire","number":"5","secret":"hunter2","state":"Broken"}""");
        Assert.Equal(201, created.Status);
        Assert.Equal("""{"kind":"Wire","number":"5","provisioningState":"Succeeded","state":"Connected","virtualMachineCount":0}""", created.Body!["properties"]!.ToJsonString());
        Assert.DoesNotContain("stateMessage", (await _host.GetAsync(Hosts)).Body!.ToJsonString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_host_that_answers_says_what_backups_will_miss()
    {
        _wire.Missing = "Its cellar is locked.";
        Answer created = await PutAsync("a", """{"kind":"Wire","number":"5"}""");
        Assert.Equal(("Connected", "Its cellar is locked."), ((string?)created.Body!["properties"]!["state"], (string?)created.Body["properties"]!["stateMessage"]));
    }

    [Fact]
    public async Task What_is_not_sent_in_a_change_stays()
    {
        await PutAsync("a", """{"kind":"Wire","number":"5","color":"red"}""");
        Answer changed = await _host.PatchAsync(Hosts + "/a", """{"properties":{"Number":"6"}}""");
        Assert.Equal(("6", "red"), ((string?)changed.Body!["properties"]!["number"], (string?)changed.Body["properties"]!["color"]));
        Answer removed = await _host.PatchAsync(Hosts + "/a", """{"properties":{"color":null}}""");
        Assert.Null(removed.Body!["properties"]!["color"]);
        Answer refused = await _host.PatchAsync(Hosts + "/a", """{"properties":{"number":"13"}}""");
        Assert.Equal((400, "Unlucky", "$.properties.number"), (refused.Status, refused.Code, (string?)refused.Body!["error"]!["target"]));
        Answer wrong = await _host.PatchAsync(Hosts + "/a", """{"properties":{"number":7}}""");
        Assert.Equal((400, "InvalidRequestContent"), (wrong.Status, wrong.Code));
        Assert.Contains("$.properties.number", wrong.Body!.ToJsonString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_host_that_does_not_let_the_server_in_is_unreachable_and_its_words_are_for_the_log()
    {
        _wire.Answer = () => throw new MachineException(MachineProblem.HostUnreachable, "cannot open /root/.ssh/key");
        await PutAsync("a", """{"kind":"Wire","number":"5"}""");
        Answer shown = await _host.GetAsync(Hosts + "/a");
        Assert.Equal("Unreachable", (string?)shown.Body!["properties"]!["state"]);
        Assert.DoesNotContain("/root", shown.Body!.ToJsonString(), StringComparison.Ordinal);
        Assert.Contains("/root/.ssh/key", Assert.Single(_host.Log.Lines), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_host_that_hangs_holds_no_listing_up_and_is_asked_once()
    {
        var hangs = new TaskCompletionSource();
        _wire.Answer = () => hangs.Task;
        _wire.Limit = TimeSpan.Zero;
        await PutAsync("good", """{"kind":"Folder","path":"/srv/machines"}""");
        await PutAsync("a", """{"kind":"Wire","number":"5"}""");
        for (int i = 0; i < 3; i++)
        {
            JsonNode[] hosts = [.. (await _host.GetAsync(Hosts)).Value.Select(static h => h!["properties"]!)];
            Assert.Equal(("Unreachable", "The host does not answer.", null), ((string?)hosts[0]["state"], (string?)hosts[0]["stateMessage"], hosts[1]["state"]));
        }
        hangs.SetResult();
        Assert.True(_wire.Asked <= 1, "a host that hangs was asked again");
    }

    [Fact]
    public async Task A_host_that_is_not_allowed_any_more_says_so()
    {
        await PutAsync("a", """{"kind":"Wire","number":"5"}""");
        _wire.Unlucky = "5";
        JsonNode properties = (await _host.GetAsync(Hosts + "/a")).Body!["properties"]!;
        Assert.Equal(("Unreachable", "This number is not allowed."), ((string?)properties["state"], (string?)properties["stateMessage"]));
        // Its tags can still be changed.
        Assert.Equal(200, (await _host.PatchAsync(Hosts + "/a", """{"tags":{"a":"b"}}""")).Status);
    }

    private Task<Answer> PutAsync(string name, string properties) => _host.PutAsync($"{Hosts}/{name}", $$"""{"location":"home","properties":{{properties}}}""");

    private sealed class Wire : IHostValidator, IHostProbe
    {
        private int _asked;

        public string Kind => "Wire";

        public string Unlucky { get; set; } = "13";

        public Func<Task> Answer { get; set; } = static () => Task.CompletedTask;

        public TimeSpan Limit { get; set; } = TimeSpan.FromMinutes(1);

        public int Asked => _asked;

        public JsonObject Accept(JsonObject sent)
        {
            string number = sent.RequiredText("number");
            if (number == Unlucky) throw new HostRefusedException("number", "Unlucky", "This number is not allowed.");
            var accepted = new JsonObject { ["number"] = number };
            if (sent.OptionalText("color") is { } color) accepted["color"] = color;
            return accepted;
        }

        public string? Missing { get; set; }

        public async Task<string?> ProbeAsync(string subscriptionId, string hostId, CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _asked);
            await Answer();
            return Missing;
        }
    }
}
