using System.Diagnostics;
using Strongroom.Clients.Kill;
using Strongroom.Clients.Rest;

namespace Strongroom.Libvirt.Stories;

/// <summary>
/// QEMU, libvirtd or the server killed by SIGKILL at random moments of a backup, while the machine writes. The next backup is right, and nothing is left on the host.
/// STRONGROOM_KILL_SEED repeats a run's choices; STRONGROOM_LIVE_KILL_ROUNDS changes the number of kills, STRONGROOM_LIVE_KILL_VICTIM kills one alone (0 QEMU, 1 libvirtd, 2 the server).
/// </summary>
public sealed class LiveKillTests
{
    private const int DefaultRounds = 30;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact(Timeout = 1_800_000)]
    public async Task The_backup_after_a_kill_is_right_and_the_host_is_clean()
    {
        var output = TestContext.Current.TestOutputHelper!;
        var seed = KillSteps.Number("STRONGROOM_KILL_SEED") ?? Random.Shared.Next();
        var rounds = KillSteps.Number("STRONGROOM_LIVE_KILL_ROUNDS") ?? DefaultRounds;
        output.WriteLine($"STRONGROOM_KILL_SEED={seed}, {rounds} rounds");
        var random = new Random(seed);
        await using var scene = await LiveScene.StartAsync(new("web1"), Cancellation);
        try
        {
            await scene.Machine.StartWriterAsync(Cancellation);
            await scene.BackUpAsync(Cancellation);
            var watch = Stopwatch.StartNew();
            await scene.BackUpAsync(Cancellation);
            var lasts = watch.Elapsed;
            for (var round = 1; round <= rounds; round++)
            {
                var victim = KillSteps.Number("STRONGROOM_LIVE_KILL_VICTIM") is { } only ? (Victim)only : (Victim)random.Next(3);
                var moment = lasts * random.NextDouble();
                var backup = KillSteps.SwallowAsync(scene.Client.SendAsync(HttpMethod.Post, scene.Lab.ItemUrl("backup"), Lab.BackupBody(TimeProvider.System), Cancellation));
                await Task.Delay(moment, Cancellation);
                await KillAsync(scene, victim);
                await backup;
                await ReviveAsync(scene, victim);
                var settled = await KillSteps.SettleAsync(scene.Client, scene.Lab, Cancellation);
                var broken = (string?)(await KillSteps.JobsAsync(scene.Client, scene.Lab, Cancellation))[0]["properties"]!["status"];

                if (await scene.HasLostBackupAsync(Cancellation))
                {
                    output.WriteLine($"{round,3}: {victim} killed after {moment.TotalMilliseconds,5:F0} ms; libvirt has lost the backup");
                    await AssertLossIsToldAsync(scene);
                    await KillAsync(scene, Victim.Qemu);
                    await scene.Host.StopAsync();
                    await scene.Host.StartAgainAsync(Cancellation);
                    await ReviveAsync(scene, Victim.Qemu);
                }

                var durable = scene.Machine.LastDurableRecord;
                var (point, job) = await scene.BackUpAsync(Cancellation);
                await scene.AssertHostIsCleanAsync(Cancellation);
                var check = Assert.Single(await scene.CheckAsync((string)point["name"]!, Cancellation));
                Assert.True(check is { NeededRecovery: false, IsClean: true, Records.Damage: null }, check.ToString());
                Assert.True(check.Records.Count >= durable, $"{check.Records.Count} records of {durable}");
                var why = job["properties"]!["extendedInfo"]!["tasksList"]![0]!["taskExecutionDetails"];
                output.WriteLine($"{round,3}: {victim} killed after {moment.TotalMilliseconds,5:F0} ms, {broken}, quiet after {settled.TotalMilliseconds,5:F0} ms; {why}");
            }
        }
        catch
        {
            output.WriteLine(scene.Server.LogTail);
            output.WriteLine(scene.Host.Log);
            throw;
        }
    }

    /// <summary>Nobody can back the machine up then; who owns it must learn what helps.</summary>
    private static async Task AssertLossIsToldAsync(LiveScene scene)
    {
        var job = await scene.WaitForJobAsync(await scene.BeginBackupAsync(Cancellation), Cancellation);
        Assert.Equal("Failed", Jobs.Status(job));
        Assert.Contains("restart libvirtd", job.ToJsonString(), StringComparison.Ordinal);
    }

    private enum Victim
    {
        Qemu, Libvirtd, Server,
    }

    private static async Task KillAsync(LiveScene scene, Victim victim)
    {
        switch (victim)
        {
            case Victim.Qemu:
                await scene.Machine.KillQemuAsync(Cancellation);
                break;
            case Victim.Libvirtd:
                await scene.Host.KillAsync();
                break;
            default:
                scene.Server.Kill();
                break;
        }
    }

    private static async Task ReviveAsync(LiveScene scene, Victim victim)
    {
        switch (victim)
        {
            case Victim.Qemu:
                scene.Machine.ForgetWriter();
                await scene.Machine.StartAsync(Cancellation);
                await scene.Machine.StartWriterAsync(Cancellation);
                break;
            case Victim.Libvirtd:
                await scene.Host.StartAgainAsync(Cancellation);
                break;
            default:
                await scene.Server.StartAsync(Cancellation);
                scene.Reconnect();
                break;
        }
    }
}
