using System.Text.Json.Nodes;
using Strongroom.Api.Tests.RecoveryServices.Support;
using Strongroom.Testing;

namespace Strongroom.Api.Tests.RecoveryServices;

/// <summary>Recovery points from their snapshot on: the tiers they are in, and what can be done with them.</summary>
public sealed class RecoveryPointTests : IAsyncLifetime
{
    private readonly TaskCompletionSource _gate = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private BackupHost _host = null!;
    private ProtectedMachine _web1 = null!;

    public async ValueTask InitializeAsync()
    {
        _host = await BackupHost.StartAsync();
        _web1 = await ProtectedMachine.ProtectAsync(_host);
        await _host.PutAsync(_web1.Account, """{"location":"home"}""");
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task A_point_in_transfer_is_listed_in_the_instant_tier_and_restored_only_when_it_is_in_the_vault()
    {
        string earlier = await _web1.BackUpAsync();
        string job = await BeginAsync();
        JsonNode[] listed = await ShownAsync(2);
        string name = (string)listed[0]["name"]!;
        Assert.Equal(["InstantRP Valid"], Tiers(listed[0]));
        Assert.Equal((earlier, true), ((string?)listed[1]["name"], Tiers(listed[1]).Contains("HardenedRP Valid")));
        Assert.Equal(["Completed", "InProgress"], (await JobAsync(job))["extendedInfo"]!["tasksList"]!.AsArray().Select(t => (string?)t!["status"]));
        string point = $"{_web1.Item}/recoveryPoints/{name}";
        Golden.Check("recovery-point-in-transfer", await _host.GetAsync(point), _host);

        Answer refused = await _host.PostAsync(point + "/restore", _web1.RestoreBody(name));
        Assert.Equal((409, "BMSUserErrorObjectLocked"), (refused.Status, refused.Code));
        Assert.Contains("being transferred to the vault", refused.Body!.ToJsonString(), StringComparison.Ordinal);
        Answer moved = await _host.PostAsync(point + "/move", """{"sourceTierType":"InstantRP","targetTierType":"ArchivedRP"}""");
        Assert.Equal((400, "BMSUserErrorOperationNotSupported"), (moved.Status, moved.Code));
        Assert.Empty((await _host.GetAsync(_web1.Item + "/recoveryPoints?$filter=moveReadyRPOnly eq 'True'")).Value);
        JsonNode info = await ExtendedInfoAsync();
        Assert.Equal((2, (string?)listed[1]["properties"]!["recoveryPointTime"]), ((int)info["recoveryPointCount"]!, (string?)info["oldestRecoveryPointInVault"]));

        _gate.SetResult();
        Assert.Equal("Completed", (string?)(await _host.WaitAsync(_web1.Vault, job))["properties"]!["status"]);
        JsonNode done = (await ShownAsync(2))[0];
        Assert.Equal(["InstantRP Valid", "HardenedRP Valid"], Tiers(done));
        foreach (string member in (string[])["recoveryPointTime", "recoveryPointType", "recoveryPointDiskConfiguration", "recoveryPointProperties"])
            Assert.Equal(listed[0]["properties"]![member]?.ToJsonString(), done["properties"]![member]?.ToJsonString());
        Assert.Equal((string?)listed[0]["id"], (string?)done["id"]);

        _host.Time.Advance(TimeSpan.FromDays(2));
        Assert.Equal(["InstantRP Deleted", "HardenedRP Valid"], Tiers((await _host.GetAsync(point)).Body!));
        Answer accepted = await _host.PostAsync(point + "/restore", _web1.RestoreBody(name));
        Assert.Equal(202, accepted.Status);
        Assert.Equal("Completed", (string?)(await _host.WaitAsync(_web1.Vault, await _web1.JobOfAsync(accepted)))["properties"]!["status"]);
    }

    [Fact]
    public async Task A_first_point_in_transfer_is_the_oldest_but_not_in_the_vault_and_a_cancelled_backup_takes_it_away()
    {
        string job = await BeginAsync();
        JsonNode point = (await ShownAsync(1))[0];
        JsonNode info = await ExtendedInfoAsync();
        Assert.Equal((1, (string?)point["properties"]!["recoveryPointTime"], null), ((int)info["recoveryPointCount"]!, (string?)info["oldestRecoveryPoint"], info["oldestRecoveryPointInVault"]));

        Assert.Equal(202, (await _host.PostAsync($"{_web1.Vault}/backupJobs/{job}/cancel")).Status);
        await _host.WaitAsync(_web1.Vault, job);

        await ShownAsync(0);
        Answer gone = await _host.GetAsync($"{_web1.Item}/recoveryPoints/{(string?)point["name"]}");
        Assert.Equal((404, "BMSUserErrorRecoveryPointNotFound"), (gone.Status, gone.Code));
        Answer refused = await _host.PostAsync($"{_web1.Item}/recoveryPoints/{(string?)point["name"]}/restore", _web1.RestoreBody((string)point["name"]!));
        Assert.Equal((404, "BMSUserErrorRecoveryPointNotFound"), (refused.Status, refused.Code));
        Assert.Equal(0, (int)(await ExtendedInfoAsync())["recoveryPointCount"]!);
    }

    [Fact]
    public async Task A_transfer_that_fails_takes_its_point_away()
    {
        string job = await BeginAsync();
        await ShownAsync(1);
        _gate.SetException(new IOException("The disk is gone."));
        Assert.Equal("Failed", (string?)(await _host.WaitAsync(_web1.Vault, job))["properties"]!["status"]);
        await ShownAsync(0);
    }

    [Fact]
    public async Task Points_of_a_soft_deleted_machine_say_so_and_an_old_version_has_the_fields_it_knows()
    {
        string name = await _web1.BackUpAsync();
        string path = $"{_web1.Item}/recoveryPoints/{name}";
        Assert.False((bool)(await _host.GetAsync(path)).Body!["properties"]!["recoveryPointProperties"]!["isSoftDeleted"]!);
        JsonObject old = (await _host.GetAsync(path, "2021-11-15")).Body!["properties"]!.AsObject();
        Assert.Empty(old.Select(m => m.Key).Intersect(["recoveryPointProperties", "isPrivateAccessEnabledOnAnyDisk"]));
        Assert.Equal(2, old["recoveryPointTierDetails"]!.AsArray().Count);

        Assert.Equal(202, (await _host.DeleteAsync(_web1.Item)).Status);
        Assert.True((bool)Assert.Single((await _host.GetAsync(_web1.Item + "/recoveryPoints")).Value)!["properties"]!["recoveryPointProperties"]!["isSoftDeleted"]!);
    }

    /// <summary>Begins a backup whose transfer waits, and answers its job.</summary>
    private async Task<string> BeginAsync()
    {
        _host.Fabric.Readable = _gate.Task;
        _host.Time.Advance(TimeSpan.FromMinutes(1));
        return await _web1.JobOfAsync(await _host.PostAsync(_web1.Item + "/backup", ProtectedMachine.BackupBody));
    }

    /// <summary>Waits until that many points are listed.</summary>
    private async Task<JsonNode[]> ShownAsync(int count)
    {
        DateTime limit = DateTime.UtcNow.AddSeconds(60);
        while (true)
        {
            Answer list = await _host.GetAsync(_web1.Item + "/recoveryPoints");
            if (list.Value.Count == count) return [.. list.Value.Select(p => p!)];
            Assert.True(DateTime.UtcNow < limit, list.Body!.ToJsonString());
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
    }

    private async Task<JsonNode> JobAsync(string job) => (await _host.GetAsync($"{_web1.Vault}/backupJobs/{job}")).Body!["properties"]!;

    private async Task<JsonNode> ExtendedInfoAsync() => (await _host.GetAsync(_web1.Item + "?$filter=expand eq 'extendedinfo'")).Body!["properties"]!["extendedInfo"]!;

    private static string[] Tiers(JsonNode point) => [.. point["properties"]!["recoveryPointTierDetails"]!.AsArray().Select(t => $"{t!["type"]} {t["status"]}")];
}
