using System.Diagnostics;
using System.Text.Json.Nodes;
using Strongroom.Clients.Disks;
using Strongroom.Clients.Rest;
using Strongroom.Clients.Servers;

namespace Strongroom.Clients.Kill;

/// <summary>
/// A protected machine, what its disk held at each recovery point, and the choices of one seed. Not safe for concurrent use.
/// </summary>
internal sealed class KillScene : IDisposable
{
    private const string Account = "restores1";
    private const int DiskLengthMiB = 24;

    private readonly ServerProcess _server;
    private readonly Lab _lab;
    private readonly SampleMachine _machine;
    private readonly Random _random;
    private readonly Action<string> _say;
    private readonly Dictionary<string, DiskContent> _contents = [];
    private ArmClient _client;
    private TimeSpan _backupLasts = TimeSpan.FromSeconds(1);
    private TimeSpan _restoreLasts = TimeSpan.FromSeconds(1);

    private KillScene(ServerProcess server, ArmClient client, SampleMachine machine, int seed, Action<string> say)
    {
        _server = server;
        _client = client;
        _lab = Lab.Of(server);
        _machine = machine;
        _random = new Random(seed);
        _say = say;
    }

    public int RecoveryPoints => _contents.Count;

    /// <summary>Protects a machine and measures how long an undisturbed backup and restore take.</summary>
    public static async Task<KillScene> PrepareAsync(
        ServerProcess server, string hostFolder, int seed, Action<string> say, CancellationToken cancellationToken)
    {
        var machine = SampleMachine.Create(hostFolder, "web1", seed, DiskLengthMiB);
        var client = await ArmClient.SignInAsync(server, cancellationToken);
        var scene = new KillScene(server, client, machine, seed, say);
        await LabSetUp.ProtectAsync(client, scene._lab, hostFolder, Account, cancellationToken);

        var watch = Stopwatch.StartNew();
        await scene.BackUpAsync(cancellationToken);
        scene._backupLasts = watch.Elapsed;
        watch.Restart();
        await scene.RestoreExactlyAsync(scene._contents.Keys.Single(), cancellationToken);
        scene._restoreLasts = watch.Elapsed;
        say($"undisturbed: backup {scene._backupLasts.TotalMilliseconds:F0} ms, restore {scene._restoreLasts.TotalMilliseconds:F0} ms");
        return scene;
    }

    /// <summary>Starts a backup or a restore, kills the server at a random moment of it, starts it again and checks.</summary>
    public async Task PlayRoundAsync(int round, CancellationToken cancellationToken)
    {
        var before = _contents.Count;
        var isBackup = _random.Next(5) < 3;
        string what;
        Task request;
        if (isBackup)
        {
            SampleDisk.Change(_machine.Disks[0], 0.05, _random.Next());
            what = "backup";
            request = KillSteps.SwallowAsync(_client.SendAsync(HttpMethod.Post, _lab.ItemUrl("backup"), Lab.BackupBody(TimeProvider.System), cancellationToken));
        }
        else
        {
            var point = _contents.Keys.ElementAt(_random.Next(_contents.Count));
            what = "restore";
            request = KillSteps.SwallowAsync(_client.SendAsync(HttpMethod.Post, _lab.ItemUrl($"recoveryPoints/{point}/restore"), _lab.RestoreBody(point, Account), cancellationToken));
        }
        var moment = (isBackup ? _backupLasts : _restoreLasts) * (_random.NextDouble() * 1.3);
        using (var watching = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken))
        {
            var watch = WatchAsync(watching.Token);
            await Task.Delay(moment, cancellationToken);
            _server.Kill();
            await watching.CancelAsync();
            await watch;
        }
        await request;

        await _server.StartAsync(cancellationToken);
        _client.Dispose();
        _client = _client.Reconnect();
        var settled = await KillSteps.SettleAsync(_client, _lab, cancellationToken);
        await LearnAsync(cancellationToken);
        var added = _contents.Count - before;
        Assert.True(added <= 1, $"One backup made {added} recovery points.");
        _say($"{round,3}: {what} killed after {moment.TotalMilliseconds,5:F0} ms, jobs quiet after {settled.TotalMilliseconds,5:F0} ms, {added} new, {_contents.Count} points");

        // The newest one now, all of them at the end.
        if (added > 0)
            await RestoreExactlyAsync(_contents.Keys.Last(), cancellationToken);
    }

    /// <summary>A new backup succeeds, and everything that was ever listed restores exactly.</summary>
    public async Task EndAsync(CancellationToken cancellationToken)
    {
        SampleDisk.Change(_machine.Disks[0], 0.05, _random.Next());
        await BackUpAsync(cancellationToken);
        foreach (var point in _contents.Keys.ToList())
            await RestoreExactlyAsync(point, cancellationToken);

        var jobs = await JobsAsync(cancellationToken);
        var completedBackups = jobs.Count(job => Operation(job) == "Backup" && Jobs.Status(job) == "Completed");
        Assert.True(_contents.Count >= completedBackups, $"{completedBackups} backups completed and {_contents.Count} recovery points are there.");
        foreach (var group in jobs.GroupBy(job => $"{Operation(job)} {Jobs.Status(job)}").OrderBy(group => group.Key, StringComparer.Ordinal))
            _say($"{group.Count(),4} jobs {group.Key}");
    }

    public void Dispose() => _client.Dispose();

    private async Task BackUpAsync(CancellationToken cancellationToken)
    {
        var point = await LabSetUp.BackUpAsync(_client, _lab, cancellationToken);
        await LearnAsync(cancellationToken);
        Assert.Contains(point, _contents.Keys);
    }

    private async Task RestoreExactlyAsync(string point, CancellationToken cancellationToken)
    {
        var job = await LabSetUp.RestoreAsync(_client, _lab, point, Account, cancellationToken);
        await RestoredDisks.AssertEqualAsync(_client, job, [_contents[point]], cancellationToken);
    }

    /// <summary>
    /// Compares the list of recovery points with what was ever seen. A new one holds what the disk holds now: the disk
    /// changes only while no job is live.
    /// </summary>
    private async Task LearnAsync(CancellationToken cancellationToken)
    {
        var listed = await LabSetUp.RecoveryPointsAsync(_client, _lab, cancellationToken);
        Assert.Empty(_contents.Keys.Except(listed));
        var added = listed.Except(_contents.Keys).ToList();
        foreach (var point in added)
            _contents[point] = _machine.Content().Single();
    }

    /// <summary>Looks at the list until it is told to stop or the server is gone: what it showed even once has to stay.</summary>
    private async Task WatchAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                await LearnAsync(cancellationToken);
                await Task.Delay(TimeSpan.FromMilliseconds(20), cancellationToken);
            }
        }
        catch (Exception end) when (end is OperationCanceledException or HttpRequestException)
        {
        }
    }

    private Task<IReadOnlyList<JsonNode>> JobsAsync(CancellationToken cancellationToken) => KillSteps.JobsAsync(_client, _lab, cancellationToken);

    private static string Operation(JsonNode job) => job["properties"]!["operation"]!.GetValue<string>();
}
