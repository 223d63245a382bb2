using System.Diagnostics;
using System.Text.Json.Nodes;
using Strongroom.Clients.Az;
using Strongroom.Clients.Kill;
using Strongroom.Clients.Rest;
using Strongroom.Libvirt.Machines;

namespace Strongroom.Libvirt.Stories;

/// <summary>Disks restored into the pool of a group's host, through the API as its users have it.</summary>
public sealed class PoolStoryTests
{
    private const string Api = "api-version=2023-10-02";
    private const int KillRounds = 8, CancelRounds = 4, DataMebibytes = 256;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory(Timeout = 600_000)]
    [InlineData(AzEdition.Debian12)]
    [InlineData(AzEdition.Debian13)]
    public async Task Az_restores_disks_into_the_pool_and_finds_them(AzEdition edition)
    {
        using var program = await AzProgram.OfAsync(edition, Cancellation);
        await using var scene = await StartAsync();
        var before = PoolFiles(scene);
        var point = (string)(await scene.BackUpAsync(Cancellation)).Point["name"]!;
        var az = await AzCli.SignInAsync(program, scene.Server, Cancellation);

        var started = await az.RunAsync($"backup restore restore-disks -g lab -v vault1 -c web1 -i web1 -r {point} --storage-account restores1 --target-resource-group lab", Cancellation);
        var job = await scene.WaitForJobAsync((string)started!["name"]!, Cancellation);

        Assert.True(Jobs.Status(job) == "Completed", job.ToJsonString() + scene.Server.LogTail);
        var listed = await az.ListAsync("disk list -g lab", Cancellation);
        Assert.Equal(2, listed.Count);
        foreach (var disk in listed)
        {
            var shown = await az.RunAsync($"disk show -g lab -n {disk["name"]}", Cancellation);
            Assert.Equal(("Restore", "Unattached", "Succeeded"), ((string?)shown!["creationData"]!["createOption"], (string?)shown["diskState"], (string?)shown["provisioningState"]));
            // What is our own is told by the wire alone.
            var volume = (await az.RestAsync("get", $"{shown["id"]}?{Api}", null, Cancellation))!["properties"]!["hostVolume"]!;
            Assert.EndsWith("/hosts/rack1", (string)volume["hostId"]!, StringComparison.Ordinal);
            Assert.Equal((string)volume["path"]!, (await scene.Host.VirshAsync(["vol-path", "--pool", (string)volume["pool"]!, (string)volume["name"]!], Cancellation)).Succeeded().StandardOutput.Trim());
            Assert.Contains((string)volume["name"]!, job["properties"]!["extendedInfo"]!["tasksList"]![0]!["taskExecutionDetails"]!.ToString(), StringComparison.Ordinal);
        }

        // The description and the template are where az looks for them, with the disks' ids in them.
        var bag = job["properties"]!["extendedInfo"]!["propertyBag"]!;
        Assert.Equal("lab", (string)bag["Target resource group"]!);
        foreach (var name in (string[])["Config Blob Uri", "Template Blob Uri"])
        {
            using var answer = await scene.Client.SendAsync(HttpMethod.Get, new Uri((string)bag[name]!).PathAndQuery, null, Cancellation);
            var text = await answer.Content.ReadAsStringAsync(Cancellation);
            Assert.All(listed, disk => Assert.Contains((string)disk["id"]!, text, StringComparison.Ordinal));
        }

        await AssertAllWholeAsync(scene, before, 2);
        Assert.Empty(await az.ListAsync("disk list -g lab", Cancellation));
    }

    [Fact(Timeout = 1_800_000)]
    public async Task A_kill_or_a_cancellation_at_any_moment_leaves_whole_disks_or_nothing()
    {
        var output = TestContext.Current.TestOutputHelper!;
        var seed = KillSteps.Number("STRONGROOM_KILL_SEED") ?? Random.Shared.Next();
        output.WriteLine($"STRONGROOM_KILL_SEED={seed}");
        var random = new Random(seed);
        await using var scene = await StartAsync();
        try
        {
            var before = PoolFiles(scene);
            var point = (string)(await scene.BackUpAsync(Cancellation)).Point["name"]!;
            var watch = Stopwatch.StartNew();
            Assert.Equal("Completed", Jobs.Status(await scene.WaitForJobAsync(await BeginAsync(scene, point), Cancellation)));
            var lasts = watch.Elapsed;
            await AssertAllWholeAsync(scene, before, 2);
            for (var round = 0; round < KillRounds; round++)
            {
                // At its begin, and then at random.
                var moment = round == 0 ? null : (TimeSpan?)(lasts * random.NextDouble());
                var id = await BeginAsync(scene, point);
                await UntilAsync(scene, moment);
                scene.Server.Kill();
                var left = PoolFiles(scene).Except(before).Count();
                await scene.Server.StartAsync(Cancellation);
                scene.Reconnect();
                var job = await scene.WaitForJobAsync(id, Cancellation);
                output.WriteLine($"killed after {moment?.TotalMilliseconds,5:F0} of {lasts.TotalMilliseconds:F0} ms, with {left} of its files in the pool: {Jobs.Status(job)}");
                Assert.Equal("Completed", Jobs.Status(job));
                await AssertAllWholeAsync(scene, before, 2);
            }

            var cancelled = 0;
            for (var round = 0; round < CancelRounds; round++)
            {
                var moment = round == 0 ? null : (TimeSpan?)(lasts * random.NextDouble());
                var id = await BeginAsync(scene, point);
                await UntilAsync(scene, moment);
                // A job looks every second whether it is to be cancelled: its host stands still that long.
                await scene.Host.StandStillAsync();
                using (await scene.Client.SendAsync(HttpMethod.Post, scene.Lab.VaultUrl($"backupJobs/{id}/cancel"), null, Cancellation))
                {
                    await Task.Delay(TimeSpan.FromSeconds(2.5), Cancellation);
                }

                await scene.Host.GoOnAsync();
                var status = Jobs.Status(await scene.WaitForJobAsync(id, Cancellation));
                output.WriteLine($"cancelled after {moment?.TotalMilliseconds,5:F0} ms: {status}");
                Assert.Contains(status, (string[])["Completed", "Cancelled"]);
                if (status == "Cancelled") cancelled++;
                await AssertAllWholeAsync(scene, before, status == "Cancelled" ? 0 : 2);
            }

            Assert.NotEqual(0, cancelled);
        }
        catch
        {
            output.WriteLine(scene.Server.LogTail);
            output.WriteLine(scene.Host.Log);
            throw;
        }
    }

    /// <summary>A machine that is off, with a disk of each format, in a pool.</summary>
    private static async Task<LiveScene> StartAsync()
    {
        var scene = await LiveScene.StartAsync(new("web1") { DataDisks = [DiskKind.RawFile], DataDiskMebibytes = DataMebibytes }, Cancellation);
        try
        {
            await scene.Machine.ShutDownAsync(Cancellation);
            // So much that a restore takes a while.
            (await CommandResult.RunAsync("dd", ["if=/dev/urandom", $"of={scene.Machine.Disks[1].Path}", "bs=1M", $"count={DataMebibytes - 32}", "conv=notrunc", "status=none"], null, Cancellation)).Succeeded();
            foreach (var arguments in (string[][])[["pool-define-as", "restores", "dir", "--target", scene.Host.Folders.Disks], ["pool-start", "restores"]])
                (await scene.Host.VirshAsync(arguments, Cancellation)).Succeeded();
            return scene;
        }
        catch
        {
            await scene.DisposeAsync();
            throw;
        }
    }

    private static async Task<string> BeginAsync(LiveScene scene, string point)
    {
        var body = scene.Lab.RestoreBody(point, "restores1");
        body["properties"]!["targetResourceGroupId"] = scene.Lab.GroupPath;
        using var answer = await scene.Client.SendAsync(HttpMethod.Post, scene.Lab.ItemUrl($"recoveryPoints/{point}/restore"), body, Cancellation);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(Cancellation));
        // The job has the operation's id.
        return new Uri(answer.Headers.GetValues("Azure-AsyncOperation").Single()).Segments[^1];
    }

    /// <summary>Waits for a moment; null: until the pool is marked.</summary>
    private static async Task UntilAsync(LiveScene scene, TimeSpan? moment)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        limit.CancelAfter(TimeSpan.FromMinutes(5));
        if (moment is { } wait) await Task.Delay(wait, limit.Token);
        else while (Directory.GetFiles(scene.Host.Folders.Disks, "strongroom-restore-*").Length == 0) await Task.Delay(2, limit.Token);
    }

    private static Task<IReadOnlyList<JsonNode>> DisksAsync(LiveScene scene) => scene.Client.ListAsync($"{scene.Lab.GroupPath}/providers/Microsoft.Compute/disks?{Api}", Cancellation);

    private static string[] PoolFiles(LiveScene scene) => [.. Directory.GetFiles(scene.Host.Folders.Disks).Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal)];

    /// <summary>The pool has the volumes that resources have, and no others, each equal to the machine's own disk; the storage account has what goes with them. All of it is then removed.</summary>
    private static async Task AssertAllWholeAsync(LiveScene scene, string[] before, int count)
    {
        var disks = await DisksAsync(scene);
        Assert.Equal(count, disks.Count);
        Assert.Equal(disks.Select(disk => (string)disk["properties"]!["hostVolume"]!["name"]!).Order(StringComparer.Ordinal), PoolFiles(scene).Except(before));
        foreach (var disk in disks)
        {
            var volume = disk["properties"]!["hostVolume"]!;
            var source = (string?)disk["properties"]!["osType"] is null ? scene.Machine.Disks[1] : scene.Machine.Disks[0];
            Assert.Equal(source.Format, (string)volume["format"]!);
            (await CommandResult.RunAsync("qemu-img", ["compare", "-f", source.Format, "-F", source.Format, source.Path, (string)volume["path"]!], null, Cancellation)).Succeeded();
            await scene.Client.ChangeAsync(HttpMethod.Delete, $"{disk["id"]}?{Api}", null, Cancellation);
            // The volume is the host's, and stays.
            (await scene.Host.VirshAsync(["vol-delete", "--pool", (string)volume["pool"]!, (string)volume["name"]!], Cancellation)).Succeeded();
        }

        var containers = Directory.GetDirectories(Path.Combine(scene.Server.DataFolder, "storage", "restores1"));
        Assert.Equal(count / 2, containers.Length);
        foreach (var container in containers)
        {
            Assert.Equal([".json", ".json"], Directory.GetFiles(container).Select(Path.GetExtension));
            Directory.Delete(container, recursive: true);
        }
    }
}
