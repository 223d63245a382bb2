using System.Text.Json.Nodes;
using Strongroom.Clients.Disks;
using Strongroom.Clients.Rest;
using Strongroom.Clients.Servers;

namespace Strongroom.Clients.TimeTravel;

/// <summary>Two years of an item's life over HTTP, compared on every day with a model that shares nothing with the server.</summary>
public sealed class TwoYearsTests : IDisposable
{
    private const string Account = "restores1";
    private const int SoftDeleteDays = 14;
    private static readonly DateOnly FirstDay = new(2031, 12, 20);

    /// <summary>How much later than due a point's snapshot may be: by the time that the machine takes.</summary>
    private static readonly TimeSpan Late = TimeSpan.FromMinutes(10);

    private readonly TempFolder _folder = new();
    private readonly TestersClock _clock = new();
    private readonly LifeModel _model = new();
    private readonly Dictionary<DateOnly, IReadOnlyList<DiskContent>> _contents = [];
    private SampleMachine _machine = null!;
    private ServerProcess _server = null!;
    private ArmClient _client = null!;
    private Lab _lab = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _client?.Dispose();
        _folder.Dispose();
    }

    [Theory(Timeout = 1_800_000)]
    [InlineData("6")]
    [InlineData("0")]
    public async Task On_every_day_exactly_the_points_exist_that_the_policy_keeps_and_nothing_is_left_in_the_end(string collectEvery)
    {
        await using var server = _server = await ServerProcess.StartAsync(
            _folder.Combine("data"), _folder.Path, ["--time-travel", "--start-at", $"{FirstDay:o}T07:00:00Z", "--collect-every", collectEvery], Token);
        _machine = SampleMachine.Create(_folder.Combine("machines"), "web1", 1, 1, 2);
        _client = await ArmClient.SignInAsync(server, Token);
        _lab = Lab.Of(server);
        await LabSetUp.ProtectAsync(_client, _lab, _folder.Combine("machines"), Account, Token);
        await _client.ChangeAsync(HttpMethod.Patch, _lab.VaultUrl("backupconfig/vaultconfig"), SoftDeleteBody(), Token);
        await PutPolicyAsync(LifeRules.Broad);
        await PutItemAsync(new() { ["policyId"] = PolicyId });
        var (most, full) = (0, 0L);

        for (var number = 0; number <= 730; number++)
        {
            var day = FirstDay.AddDays(number);
            await _clock.SetAsync(_client, $"{day:o}T12:00:00Z", Token);
            // The day on which it begins has no half past two.
            if (number == 0) continue;
            _model.Live(day);
            if (number == 700 + SoftDeleteDays + 1) _model.Purge();
            await AssertPointsAsync(day);
            most = Math.Max(most, _model.Times.Count());
            if (number == 699) full = SizeOf(VaultFolder);
            if (number is 90 or 300 or 600) await VerifyAsync();
            await HappenAsync(number, day);
        }

        // All of it has happened: many points, then none, and neither item nor data are left.
        Assert.True(most > 30, $"There were never more than {most} points.");
        Assert.Empty(await _client.ListAsync(_lab.VaultUrl("backupProtectedItems"), Token));
        Assert.True(SizeOf(VaultFolder) < full / 10, $"{full} bytes before, {SizeOf(VaultFolder)} after.");
        await VerifyAsync();
    }

    /// <summary>What is done with the item in the afternoon of some days.</summary>
    private async Task HappenAsync(int number, DateOnly day)
    {
        switch (number)
        {
            case 120 or 580:
                await BackUpAsync(day.AddDays(5));
                break;
            case 60 or 380 or 500:
                await BackUpAsync(null);
                break;
            case 100 or 270 or 420 or 680:
                await AssertRestoresAsync();
                break;
            case 200:
                await PutPolicyAsync(LifeRules.Monthly);
                break;
            case 280:
                await PutItemAsync(new() { ["policyId"] = PolicyId, ["protectionState"] = "BackupsSuspended" });
                _model.IsBackedUp = false;
                break;
            case 320:
                await PutItemAsync(new() { ["policyId"] = PolicyId });
                _model.IsBackedUp = true;
                break;
            case 400:
                await PutItemAsync(new() { ["protectionState"] = "ProtectionStopped" });
                _model.IsBackedUp = _model.IsPruned = false;
                break;
            case 460:
                await PutItemAsync(new() { ["policyId"] = PolicyId });
                _model.IsBackedUp = _model.IsPruned = true;
                break;
            case 520:
                await PutPolicyAsync(LifeRules.Daily);
                break;
            case 530:
                await PutItemAsync(new() { ["policyId"] = PolicyId, ["protectionState"] = "BackupsSuspended" });
                _model.IsBackedUp = false;
                break;
            case 560:
                await PutPolicyAsync(LifeRules.Broad);
                await PutItemAsync(new() { ["policyId"] = PolicyId });
                _model.IsBackedUp = true;
                break;
            case 700:
                await _client.ChangeAsync(HttpMethod.Delete, _lab.ItemUrl(), null, Token);
                _model.IsBackedUp = _model.IsPruned = false;
                break;
        }

        // On most days something changes, on some nothing.
        if (number % 5 > 0) _machine.Change(number);
        _contents[day.AddDays(1)] = _machine.Content();
    }

    private async Task AssertPointsAsync(DateOnly day)
    {
        var expected = _model.Times.ToList();
        var points = expected.Count == 0 && !_model.IsBackedUp ? [] : await _client.ListAsync(_lab.ItemUrl("recoveryPoints"), Token);
        var times = points.Select(point => TestersClock.Time(point["properties"]!["recoveryPointTime"])).ToList();
        Assert.True(
            expected.Count == times.Count && expected.Zip(times).All(pair => pair.Second >= pair.First && pair.Second < pair.First + Late),
            $"On {day:o} there are\n{string.Join('\n', times.Select(t => $"{t:o}"))}\nand there should be\n{string.Join('\n', expected.Select(t => $"{t:o}"))}");
    }

    /// <summary>The oldest point and the newest are what the machine was.</summary>
    private async Task AssertRestoresAsync()
    {
        var points = (await _client.ListAsync(_lab.ItemUrl("recoveryPoints"), Token))
            .Select(point => (Name: (string)point["name"]!, Day: DateOnly.FromDateTime(TestersClock.Time(point["properties"]!["recoveryPointTime"]).UtcDateTime))).ToList();
        foreach (var (name, day) in new[] { points.MinBy(p => p.Day), points.MaxBy(p => p.Day) })
            await RestoredDisks.AssertEqualAsync(_client, await LabSetUp.RestoreAsync(_client, _lab, name, Account, Token), _contents[day], Token);
    }

    /// <summary>A backup on demand at one o'clock, whose thirty days do not end at the very noon of a day.</summary>
    private async Task BackUpAsync(DateOnly? goneOn)
    {
        var time = await _clock.AdvanceAsync(_client, "PT1H", Token);
        var body = Lab.BackupBody(_clock);
        if (goneOn is null) body["properties"]!.AsObject().Remove("recoveryPointExpiryTimeInUTC");
        else body["properties"]!["recoveryPointExpiryTimeInUTC"] = $"{goneOn:o}T00:00:00Z";
        await Jobs.CompletedAsync(_client, _lab, await _client.ChangeAsync(HttpMethod.Post, _lab.ItemUrl("backup"), body, Token), Token);
        _model.TakeOnDemand(time, goneOn);
    }

    private string VaultFolder => Assert.Single(Directory.GetDirectories(Path.Combine(_server.DataFolder, "vaults")));

    private string PolicyId => $"{_lab.VaultPath}/backupPolicies/life";

    private async Task PutPolicyAsync(LifeRules rules)
    {
        await _client.ChangeAsync(HttpMethod.Put, _lab.VaultUrl("backupPolicies/life"), rules.Body, Token);
        _model.Rules = rules;
    }

    private async Task PutItemAsync(JsonObject properties)
    {
        properties["protectedItemType"] = "Microsoft.Compute/virtualMachines";
        properties["sourceResourceId"] = _lab.MachineId;
        await _client.ChangeAsync(HttpMethod.Put, _lab.ItemUrl(), new JsonObject { ["properties"] = properties }, Token);
    }

    private static JsonObject SoftDeleteBody() => new()
    {
        ["properties"] = new JsonObject { ["softDeleteFeatureState"] = "Enabled", ["softDeleteRetentionPeriodInDays"] = SoftDeleteDays },
    };

    private async Task VerifyAsync()
    {
        var verified = await CommandResult.RunAsync(
            Repository.ServerExecutable, ["store", "verify", VaultFolder, "--read-data", "--key-file", Path.Combine(_server.DataFolder, "master.key")], null, Token);
        Assert.True(verified.ExitCode == 0, verified.StandardOutput + verified.StandardError);
    }

    private static long SizeOf(string folder) => new DirectoryInfo(folder).EnumerateFiles("*", SearchOption.AllDirectories).Sum(f => f.Length);
}
