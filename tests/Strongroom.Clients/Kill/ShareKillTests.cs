using System.Diagnostics;
using System.Globalization;
using Strongroom.Clients.Rest;
using Strongroom.Clients.Servers;

namespace Strongroom.Clients.Kill;

/// <summary>
/// The server killed by SIGKILL in backups and restores of a share, at random moments and while it reads a snapshot on Btrfs.
/// STRONGROOM_KILL_SEED repeats a run's choices; STRONGROOM_KILL_ROUNDS changes the number of kills at random moments.
/// </summary>
public sealed class ShareKillTests : IDisposable
{
    private const string Hidden = ".strongroom-snapshots";
    private const int DefaultRounds = 20;
    private const int SnapshotKills = 3;
    private const int MostBackups = 20;
    private const int FileCount = 400;
    private const int FileLengthBytes = 256 << 10;

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact(Timeout = 1_500_000)]
    public async Task No_point_is_lost_and_no_restore_is_half_made_when_the_server_is_killed_at_random_moments()
    {
        var output = TestContext.Current.TestOutputHelper!;
        var seed = KillSteps.Number("STRONGROOM_KILL_SEED") ?? Random.Shared.Next();
        var rounds = KillSteps.Number("STRONGROOM_KILL_ROUNDS") ?? DefaultRounds;
        output.WriteLine($"STRONGROOM_KILL_SEED={seed}, {rounds} rounds");
        var elapsed = Stopwatch.StartNew();
        await using var folders = await ShareFolders.MountAsync(_folder, isRequired: false, Token);
        await using var server = await ServerProcess.StartAsync(_folder.Combine("data"), folders.Path, Token);
        try
        {
            using var scene = await ShareKillScene.PrepareAsync(server, folders, seed, output.WriteLine, Token);
            for (var round = 1; round <= rounds; round++) await scene.PlayRoundAsync(round, Token);
            await scene.EndAsync(Token);
            output.WriteLine($"{rounds} kills, {scene.Met} of a job that ran, {scene.RecoveryPoints} recovery points, {elapsed.Elapsed.TotalSeconds:F0} s");
            Assert.True(scene.Met >= rounds / 4, $"Only {scene.Met} of {rounds} kills met a job that ran.");
        }
        catch
        {
            output.WriteLine(server.LogTail);
            throw;
        }
    }

    [Fact(Timeout = 600_000)]
    public async Task A_killed_backup_leaves_no_snapshot_and_the_share_restores_as_it_was()
    {
        await using var folders = await ShareFolders.MountAsync(_folder, isRequired: true, Token);
        await folders.MakeAsync(ShareLab.Share);
        await folders.MakeAsync(ShareLab.Share, "within");
        Directory.CreateDirectory(Path.Combine(folders.Path, "spare"));
        await using var server = await ServerProcess.StartAsync(_folder.Combine("data"), folders.Path, Token);
        try
        {
            await PlayAsync(server, folders.Path);
        }
        catch
        {
            TestContext.Current.TestOutputHelper!.WriteLine(server.LogTail);
            throw;
        }
    }

    private static async Task PlayAsync(ServerProcess server, string shares)
    {
        var docs = Path.Combine(shares, ShareLab.Share);
        var client = await ArmClient.SignInAsync(server, Token);
        Write(docs, 0);
        var lab = await ShareLab.ProtectAsync(client, Lab.Of(server), shares, Token);
        var (kills, backups) = (0, 0);
        while (kills < SnapshotKills)
        {
            Assert.True(++backups <= MostBackups, $"{kills} of {backups - 1} backups were met at their snapshot.");
            // Other files altogether, so that nothing of them is in the vault.
            Write(docs, backups);
            await client.ChangeAsync(HttpMethod.Post, lab.BackupUrl, ShareLab.BackupBody(), Token);
            if (!await MeetAsync(client, lab.Lab, Path.Combine(docs, Hidden))) continue;
            server.Kill();
            kills++;
            Assert.NotEmpty(Directory.EnumerateDirectories(Path.Combine(docs, Hidden)));
            await server.StartAsync(Token);
            client.Dispose();
            client = client.Reconnect();
            await KillSteps.SettleAsync(client, lab.Lab, Token);
            Assert.All(await KillSteps.JobsAsync(client, lab.Lab, Token), job => Assert.Equal("Completed", Jobs.Status(job)));
            Assert.False(Path.Exists(Path.Combine(docs, Hidden)), "The snapshot of the killed server is still there.");
            Assert.Equal(backups, (await lab.PointsAsync(client, Token)).Count);
        }

        await lab.RestoreAsync(client, (await lab.PointsAsync(client, Token))[0], "spare", Token);
        var (was, restored) = (ShareTruth.Of(docs), ShareTruth.Of(Path.Combine(shares, "spare")));
        Assert.Null(was.FindMissing(restored, foldersToo: true));
        Assert.Null(restored.FindMore(was));
        client.Dispose();
    }

    /// <summary>Waits for the snapshot of the backup that was begun.</summary>
    /// <returns>False when it came and went unseen.</returns>
    private static async Task<bool> MeetAsync(ArmClient client, Lab lab, string hidden)
    {
        while ((await KillSteps.JobsAsync(client, lab, Token)).Any(Jobs.IsLive))
        {
            for (var look = 0; look < 50; look++)
            {
                // With the snapshot of the subvolume within: the whole of it is made.
                if (Directory.Exists(hidden) && Directory.EnumerateDirectories(hidden).Any(snapshot => File.Exists(Path.Combine(snapshot, "within", "0")))) return true;
                await Task.Delay(2, Token);
            }
        }

        return false;
    }

    private static void Write(string docs, int seed)
    {
        var random = new Random(seed);
        var bytes = new byte[FileLengthBytes];
        for (var i = 0; i < FileCount; i++)
        {
            random.NextBytes(bytes);
            File.WriteAllBytes(Path.Combine(docs, i % 2 == 0 ? "within" : "", i.ToString(CultureInfo.InvariantCulture)), bytes);
        }
    }
}
