using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Strongroom.Clients.Rest;
using Strongroom.Clients.Servers;

namespace Strongroom.Clients.Kill;

/// <summary>A protected share that changes, what it held at each recovery point, and the choices of one seed. Not safe for concurrent use.</summary>
internal sealed class ShareKillScene : IDisposable
{
    private const string Spare = "spare";
    private static readonly string[] CopyOptions = ["Overwrite", "Skip", "FailOnConflict", "CreateCopy"];

    private readonly ServerProcess _server;
    private readonly ShareFolders _folders;
    private readonly Random _random;
    private readonly Action<string> _say;
    private readonly ChangingShare _share;
    private readonly Dictionary<string, ShareTruth> _contents = [];
    private readonly int _subvolumes;
    private ArmClient _client;
    private ShareLab _lab;
    private TimeSpan _backupLasts;
    private TimeSpan _restoreLasts;

    private ShareKillScene(ServerProcess server, ArmClient client, ShareLab lab, ShareFolders folders, int subvolumes, int seed, Action<string> say)
    {
        (_server, _client, _lab, _folders, _subvolumes, _say) = (server, client, lab, folders, subvolumes, say);
        _random = new Random(seed);
        _share = new(Docs, _random);
    }

    public int RecoveryPoints => _contents.Count;

    /// <summary>How many kills met a job that ran.</summary>
    public int Met { get; private set; }

    private string Docs => Path.Combine(_folders.Path, ShareLab.Share);

    private string Target => Path.Combine(_folders.Path, Spare);

    /// <summary>Protects a share and measures how long an undisturbed backup and restore take.</summary>
    public static async Task<ShareKillScene> PrepareAsync(ServerProcess server, ShareFolders folders, int seed, Action<string> say, CancellationToken cancellationToken)
    {
        await folders.MakeAsync(ShareLab.Share);
        // A name of a folder, as the changes know it.
        await folders.MakeAsync(ShareLab.Share, "folder3");
        await folders.MakeAsync(Spare);
        var client = await ArmClient.SignInAsync(server, cancellationToken);
        var lab = await ShareLab.ProtectAsync(client, Lab.Of(server), folders.Path, cancellationToken);
        var scene = new ShareKillScene(server, client, lab, folders, await folders.CountSubvolumesAsync(), seed, say);
        scene._share.Fill();
        await scene.MeasureAsync(cancellationToken);
        return scene;
    }

    private async Task MeasureAsync(CancellationToken cancellationToken)
    {
        await _lab.BackUpAsync(_client, cancellationToken);
        await LearnAsync(cancellationToken);
        _share.Change();
        var watch = Stopwatch.StartNew();
        await _lab.BackUpAsync(_client, cancellationToken);
        _backupLasts = watch.Elapsed;
        await LearnAsync(cancellationToken);
        watch.Restart();
        await RestoreExactlyAsync(_contents.Keys.Last(), cancellationToken);
        _restoreLasts = watch.Elapsed;
        _say($"{(_folders.IsBtrfs ? "Btrfs" : "a plain folder")}; undisturbed: backup {_backupLasts.TotalMilliseconds:F0} ms, restore {_restoreLasts.TotalMilliseconds:F0} ms");
    }

    /// <summary>Starts a backup or a restore, kills the server at a random moment of it, starts it again and checks.</summary>
    public async Task PlayRoundAsync(int round, CancellationToken cancellationToken)
    {
        if (_random.Next(2) == 0) await PlayBackupAsync(round, cancellationToken);
        else await PlayRestoreAsync(round, cancellationToken);
        Assert.Empty(ShareTruth.Of(_folders.Path).Leftovers());
        Assert.Equal(_subvolumes, await _folders.CountSubvolumesAsync());
    }

    /// <summary>A new backup succeeds, and everything that was ever listed restores exactly.</summary>
    public async Task EndAsync(CancellationToken cancellationToken)
    {
        _share.Change();
        await _lab.BackUpAsync(_client, cancellationToken);
        await LearnAsync(cancellationToken);
        foreach (var point in _contents.Keys) await RestoreExactlyAsync(point, cancellationToken);
        var jobs = await KillSteps.JobsAsync(_client, _lab.Lab, cancellationToken);
        Assert.Equal(_contents.Count, jobs.Count(job => job.Text("properties", "operation") == "Backup" && Jobs.Status(job) == "Completed"));
        foreach (var group in jobs.GroupBy(job => $"{job.Text("properties", "operation")} {Jobs.Status(job)}").OrderBy(group => group.Key, StringComparer.Ordinal))
            _say($"{group.Count(),4} jobs {group.Key}");
    }

    public void Dispose() => _client.Dispose();

    private async Task PlayBackupAsync(int round, CancellationToken cancellationToken)
    {
        var before = _contents.Count;
        _share.Change();
        var moment = _backupLasts * (_random.NextDouble() * 1.2);
        var job = await KillAsync(() => _client.SendAsync(HttpMethod.Post, _lab.BackupUrl, ShareLab.BackupBody(), cancellationToken), moment, null, cancellationToken);
        await LearnAsync(cancellationToken);
        var added = _contents.Count - before;
        Assert.Equal(job is null ? 0 : 1, added);
        _say($"{round,3}: backup killed after {moment.TotalMilliseconds,5:F0} ms, {added} new, {_contents.Count} points");
    }

    private async Task PlayRestoreAsync(int round, CancellationToken cancellationToken)
    {
        var point = _contents.Keys.ElementAt(_random.Next(_contents.Count));
        var tree = _contents[point];
        var moment = _restoreLasts * (_random.NextDouble() * 1.2);
        var way = CopyOptions[_random.Next(CopyOptions.Length)];
        var isHome = way == "Overwrite" && _random.Next(2) == 0;
        var target = isHome ? Docs : Target;
        if (!isHome) Clear();
        // With FailOnConflict the owner's files would be the end of it.
        var own = !isHome && way != "FailOnConflict" && _random.Next(2) == 0 ? ChangingShare.PutBefore(target, tree, _random) : [];
        var before = ShareTruth.Of(target);
        var job = await KillAsync(
            () => _client.SendAsync(HttpMethod.Post, _lab.RestoreUrl(point), _lab.RestoreBody(isHome ? null : Spare, way), cancellationToken),
            moment,
            () => RequireWhole(target, tree, before),
            cancellationToken);
        _say($"{round,3}: restore ({way}{(isHome ? " at home" : "")}, {own.Count} files before) killed after {moment.TotalMilliseconds,5:F0} ms, {(job is null ? "not begun" : Jobs.Status(job))}");
        var after = ShareTruth.Of(target);
        if (job is null) Assert.Null(before.FindMissing(after, foldersToo: true));
        else RequireRestored(job, tree, before, after, own, way);
    }

    private static void RequireRestored(JsonNode job, ShareTruth tree, ShareTruth before, ShareTruth after, IReadOnlyList<string> own, string way)
    {
        var skipped = way == "Skip" ? own.Count : 0;
        Assert.Equal((tree.Files - skipped, skipped, 0), (Number(job, "Restored"), Number(job, "Skipped"), Number(job, "Failed")));
        if (way == "Overwrite")
        {
            Assert.Null(tree.FindMissing(after, foldersToo: true));
            Assert.Equal(tree.FilePaths.Union(before.FilePaths).Count(), after.Files);
            return;
        }

        Assert.Null(before.FindMissing(after, foldersToo: false));
        Assert.Equal(tree.Files + (way == "CreateCopy" ? own.Count : 0), after.Files);
        foreach (var path in tree.FilePaths)
        {
            if (!before.Has(path)) Assert.Equal(tree[path], after[path]);
            else if (way == "CreateCopy") Assert.Equal(tree[path], after[path + " (1)"]);
        }
    }

    private static int Number(JsonNode job, string what) =>
        int.Parse(job.Text("properties", "extendedInfo", "propertyBag", $"Number Of {what} Files")!, CultureInfo.InvariantCulture);

    /// <summary>Sends a request, kills the server, starts it again, and waits until its jobs have ended.</summary>
    /// <returns>The job of the request; null when the server had none of it.</returns>
    private async Task<JsonNode?> KillAsync(Func<Task<HttpResponseMessage>> send, TimeSpan moment, Action? look, CancellationToken cancellationToken)
    {
        var known = (await KillSteps.JobsAsync(_client, _lab.Lab, cancellationToken)).Select(job => job.Text("name")).ToHashSet();
        var request = KillSteps.SwallowAsync(send());
        using (var watching = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken))
        {
            var watch = WatchAsync(watching.Token);
            // Mostly after the job is there: a server that has just begun takes its time to the first one.
            if (_random.Next(5) > 0) await request;
            await Task.Delay(moment, cancellationToken);
            _server.Kill();
            await watching.CancelAsync();
            await watch;
        }

        await request;
        look?.Invoke();
        await _server.StartAsync(cancellationToken);
        _client.Dispose();
        _client = _client.Reconnect();
        await KillSteps.SettleAsync(_client, _lab.Lab, cancellationToken);
        var jobs = (await KillSteps.JobsAsync(_client, _lab.Lab, cancellationToken)).Where(job => !known.Contains(job.Text("name"))).ToList();
        if (jobs.Count == 0) return null;
        var job = await _client.GetAsync(_lab.Lab.VaultUrl($"backupJobs/{Assert.Single(jobs).Text("name")}"), cancellationToken);
        Assert.True(Jobs.Status(job) == "Completed", $"The job did not complete: {job.ToJsonString()}");
        if (_server.LinesWith($"Job {job.Text("name")} begins") == 2) Met++;
        return job;
    }

    /// <summary>At the moment of the kill: what has a name of the tree's is whole, or was there before.</summary>
    private static void RequireWhole(string target, ShareTruth tree, ShareTruth before)
    {
        var now = ShareTruth.Of(target);
        foreach (var path in now.FilePaths.Except(now.Leftovers()))
        {
            var plain = path.EndsWith(" (1)", StringComparison.Ordinal) ? path[..^4] : path;
            var isWhole = (tree.Has(plain) && now[path] == tree[plain]) || (before.Has(path) && now[path] == before[path]);
            Assert.True(isWhole, $"At the kill '{path}' was {now[path]}.");
        }
    }

    private async Task RestoreExactlyAsync(string point, CancellationToken cancellationToken)
    {
        Clear();
        var job = await _lab.RestoreAsync(_client, point, Spare, cancellationToken);
        var (tree, restored) = (_contents[point], ShareTruth.Of(Target));
        Assert.Null(tree.FindMissing(restored, foldersToo: true));
        Assert.Null(restored.FindMore(tree));
        Assert.Equal(tree.Files, Number(job, "Restored"));
    }

    private void Clear()
    {
        foreach (var entry in new DirectoryInfo(Target).EnumerateFileSystemInfos())
        {
            if (entry is DirectoryInfo { LinkTarget: null } folder) folder.Delete(recursive: true);
            else entry.Delete();
        }
    }

    /// <summary>Compares the list of recovery points with what was ever seen. A new one holds what the share holds now: it changes only while no job is live.</summary>
    private async Task LearnAsync(CancellationToken cancellationToken)
    {
        var listed = await _lab.PointsAsync(_client, cancellationToken);
        Assert.Empty(_contents.Keys.Except(listed));
        foreach (var point in listed.Except(_contents.Keys).ToList()) _contents[point] = ShareTruth.Of(Docs);
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
}
