using System.Globalization;
using Strongroom.Clients.Rest;
using Strongroom.Libvirt.Machines;

namespace Strongroom.Libvirt.Stories;

/// <summary>Machines that run, through the API as its users have it.</summary>
public sealed class LiveStoryTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_machine_that_writes_is_backed_up_five_times_and_every_point_restores()
    {
        await using var scene = await LiveScene.StartAsync(new("web1") { DataDisks = [DiskKind.RawFile, DiskKind.Qcow2] }, Cancellation);
        await scene.Machine.StartWriterAsync(Cancellation, "/data/records", "/mnt/vdb/records", "/mnt/vdc/records");
        var points = new List<(string Name, long Durable)>();
        for (var round = 1; round <= 5; round++)
        {
            await scene.Machine.WaitForRecordAsync(scene.Machine.LastDurableRecord + 10, Cancellation);
            var durable = scene.Machine.LastDurableRecord;
            var (point, job) = await scene.BackUpAsync(Cancellation);
            Assert.Equal("FileSystemConsistent", (string?)point["properties"]!["recoveryPointType"]);
            points.Add(((string)point["name"]!, durable));
            await scene.AssertHostIsCleanAsync(Cancellation);
            TestContext.Current.TestOutputHelper!.WriteLine($"{round}: {job["properties"]!["extendedInfo"]!["internalPropertyBag"]!.ToJsonString()}");
        }

        foreach (var (name, durable) in points)
        {
            foreach (var check in await scene.CheckAsync(name, Cancellation))
            {
                Assert.True(check is { NeededRecovery: false, IsClean: true, Records.Damage: null }, check.ToString());
                Assert.True(check.Records.Count >= durable, $"{check.Records.Count} records of {durable}");
            }
        }
    }

    [Fact]
    public async Task What_becomes_of_a_machine_that_is_renamed_gets_a_disk_loses_it_or_is_deleted()
    {
        await using var scene = await LiveScene.StartAsync(new("web1") { DataDisks = [DiskKind.Qcow2] }, Cancellation);
        await scene.BackUpAsync(Cancellation);

        // A disk is removed, and another one added: the point has the disks that the machine had then.
        (await scene.Host.VirshAsync(["detach-disk", "web1", "vdb", "--live", "--config"], Cancellation)).Succeeded();
        Assert.Equal(["-1"], await LunsAsync(scene));
        var added = Path.Combine(scene.Host.Folders.Disks, "added.qcow2");
        (await CommandResult.RunAsync("qemu-img", ["create", "-q", "-f", "qcow2", added, "32M"], null, Cancellation)).Succeeded();
        File.SetUnixFileMode(added, (UnixFileMode)0b110_110_110);
        (await scene.Host.VirshAsync(["attach-disk", "web1", added, "vdc", "--driver", "qemu", "--subdriver", "qcow2", "--live", "--config"], Cancellation)).Succeeded();
        Assert.Equal(["-1", "1"], await LunsAsync(scene));
        await scene.AssertHostIsCleanAsync(Cancellation);

        // It grows: what was known of its changes is not used.
        (await scene.Host.VirshAsync(["blockresize", "web1", "vdc", "48M"], Cancellation)).Succeeded();
        Assert.Equal(["-1", "1"], await LunsAsync(scene));

        await scene.Machine.DestroyAsync(Cancellation);
        foreach (var checkpoint in (await scene.Host.VirshAsync(["checkpoint-list", "web1", "--name"], Cancellation)).Succeeded().StandardOutput.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            (await scene.Host.VirshAsync(["checkpoint-delete", "web1", checkpoint, "--metadata"], Cancellation)).Succeeded();
        (await scene.Host.VirshAsync(["domrename", "web1", "web2"], Cancellation)).Succeeded();
        Assert.Contains("is now 'web2'", await FailureAsync(scene), StringComparison.Ordinal);
        (await scene.Host.VirshAsync(["domrename", "web2", "web1"], Cancellation)).Succeeded();
        await scene.BackUpAsync(Cancellation);
        (await scene.Host.VirshAsync(["undefine", "web1", "--checkpoints-metadata"], Cancellation)).Succeeded();
        Assert.Contains("does not exist any more", await FailureAsync(scene), StringComparison.Ordinal);

        await scene.Host.StopAsync();
        Assert.Contains("Host 'rack1'", await FailureAsync(scene), StringComparison.Ordinal);
    }

    private static async Task<IEnumerable<string>> LunsAsync(LiveScene scene)
    {
        var (point, _) = await scene.BackUpAsync(Cancellation);
        return point["properties"]!["recoveryPointDiskConfiguration"]!["includedDiskList"]!.AsArray().Select(disk => ((int)disk!["lun"]!).ToString(CultureInfo.InvariantCulture));
    }

    private static async Task<string> FailureAsync(LiveScene scene)
    {
        var job = await scene.WaitForJobAsync(await scene.BeginBackupAsync(Cancellation), Cancellation);
        Assert.Equal("Failed", Jobs.Status(job));
        return (string)job["properties"]!["errorDetails"]!.AsArray().Single()!["errorString"]!;
    }
}
