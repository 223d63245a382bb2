using System.Text.Json.Nodes;
using System.Xml.Linq;
using Strongroom.Backup.Machines;
using Strongroom.Libvirt.Guests;
using Strongroom.Libvirt.Hosts;
using Strongroom.Libvirt.Machines;

namespace Strongroom.Libvirt.Live;

/// <summary>What backups leave on a host, and how they find its disks: of machines that run and never boot.</summary>
public sealed class HostTraceTests
{
    private const string Name = "blank";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_backup_that_died_is_ended_on_the_host_and_the_newest_points_checkpoint_stays()
    {
        await using var host = await Libvirtd.StartAsync(Cancellation);
        using var lab = new LiveLab(host);
        await StartMachineAsync(host);
        var point = await lab.BackUpAsync(Name, null, Cancellation);
        // The server dies.
        _ = await lab.SnapshotAsync(Name, point, Cancellation);
        lab.Restart();

        await lab.Fabric.EndBackupAsync(await lab.FindAsync(Name, Cancellation), lab.ItemKey, point.Tracking, mayBeFrozen: false, Cancellation);

        await AssertCleanAsync(host, point);
    }

    [Fact]
    public async Task A_machine_that_a_backup_died_over_while_it_held_still_is_let_go()
    {
        var guest = await LiveGuest.FindAsync(Cancellation);
        await using var host = await Libvirtd.StartAsync(Cancellation);
        using var lab = new LiveLab(host);
        var machine = await LiveMachine.DefineAsync(host, guest, new("web1"), Cancellation);
        await machine.StartAsync(Cancellation);
        await machine.Agent.FreezeAsync(Cancellation);

        await lab.Fabric.EndBackupAsync(await lab.FindAsync("web1", Cancellation), lab.ItemKey, null, mayBeFrozen: false, Cancellation);
        Assert.True(await machine.Agent.IsFrozenAsync(Cancellation));
        await lab.Fabric.EndBackupAsync(await lab.FindAsync("web1", Cancellation), lab.ItemKey, null, mayBeFrozen: true, Cancellation);
        Assert.False(await machine.Agent.IsFrozenAsync(Cancellation));
    }

    [Fact]
    public async Task A_backup_that_died_is_ended_when_its_host_answers_again()
    {
        await using var host = await Libvirtd.StartAsync(Cancellation);
        using var lab = new LiveLab(host);
        await StartMachineAsync(host);
        var point = await lab.BackUpAsync(Name, null, Cancellation);
        _ = await lab.SnapshotAsync(Name, point, Cancellation);
        var machine = await lab.FindAsync(Name, Cancellation);
        lab.Restart();
        await host.KillAsync();

        await lab.Fabric.EndBackupAsync(machine, lab.ItemKey, point.Tracking, mayBeFrozen: true, Cancellation);

        await host.StartAgainAsync(Cancellation);
        while (Directory.GetFileSystemEntries(host.Folders.Scratch).Length > 0 || (await CheckpointsAsync(host)).Length > 1) await Task.Delay(100, Cancellation);
        await AssertCleanAsync(host, point);
    }

    /// <param name="isShutDown">How libvirt is made to forget it; both ways are in docs/libvirt-hosts.md.</param>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_backup_that_libvirt_has_lost_is_told_until_libvirt_has_forgotten_it(bool isShutDown)
    {
        await using var host = await Libvirtd.StartAsync(Cancellation);
        using var lab = new LiveLab(host);
        await StartMachineAsync(host);
        var point = await lab.BackUpAsync(Name, null, Cancellation);
        await host.KillAsync();
        // As libvirtd leaves it when it is killed after it has noted that a backup begins, and before it has noted which.
        var state = host.Folders.StateFile(Name);
        var status = XDocument.Load(state);
        Assert.Null(status.Root!.Element("job"));
        status.Root.AddFirst(new XElement("job", new XAttribute("type", "none"), new XAttribute("async", "backup"), new XAttribute("phase", "none")));
        status.Save(state);
        await host.StartAgainAsync(Cancellation);

        var failure = await Assert.ThrowsAsync<MachineException>(() => lab.BackUpAsync(Name, point, Cancellation));

        Assert.Contains("shut the machine down, restart libvirtd and start the machine", failure.Message, StringComparison.Ordinal);
        if (isShutDown) (await host.VirshAsync(["destroy", Name], Cancellation)).Succeeded();
        await host.KillAsync();
        if (!isShutDown)
        {
            status = XDocument.Load(state);
            status.Root!.Element("job")!.Remove();
            status.Save(state);
        }

        await host.StartAgainAsync(Cancellation);
        if (isShutDown) (await host.VirshAsync(["start", Name], Cancellation)).Succeeded();
        await AssertCleanAsync(host, await lab.BackUpAsync(Name, point, Cancellation));
    }

    [Fact]
    public async Task Of_a_machine_that_ends_while_it_is_backed_up_no_files_stay()
    {
        await using var host = await Libvirtd.StartAsync(Cancellation);
        using var lab = new LiveLab(host);
        await StartMachineAsync(host);
        await using (await lab.SnapshotAsync(Name, null, Cancellation))
        {
            Assert.NotEmpty(Directory.GetFileSystemEntries(host.Folders.Scratch));
            (await host.VirshAsync(["destroy", Name], Cancellation)).Succeeded();
        }

        Assert.Empty(Directory.GetFileSystemEntries(host.Folders.Scratch));
    }

    [Fact]
    public async Task A_backup_that_is_given_up_between_its_last_read_and_its_commit_is_a_point_as_any_other()
    {
        using var folder = new TempFolder();
        var mounted = await CommandResult.RunAsync("mount", ["-t", "tmpfs", "-o", "size=32m,mode=1777", "strongroom-test", folder.Path], null, Cancellation);
        Assert.SkipWhen(mounted.ExitCode != 0, $"This machine mounts nothing: {mounted.StandardError}");
        try
        {
            await using var host = await Libvirtd.StartAsync(Cancellation);
            using var lab = new LiveLab(host) { ScratchPath = folder.Path };
            await StartMachineAsync(host);
            var first = await lab.BackUpAsync(Name, null, Cancellation);
            string? tracking;
            await using (var snapshot = await lab.SnapshotAsync(Name, first, Cancellation))
            {
                var filler = Path.Combine(folder.Path, "other");
                await File.WriteAllBytesAsync(filler, new byte[30 << 20], Cancellation);
                while ((await host.VirshAsync(["backup-dumpxml", Name], Cancellation)).ExitCode == 0) await Task.Delay(20, Cancellation);
                File.Delete(filler);
                Assert.Empty(await snapshot.FindChangesAsync(Cancellation));
                tracking = snapshot.ChangeTracking;
                await snapshot.CommittedAsync();
            }

            Assert.Empty(Directory.GetFileSystemEntries(folder.Path));
            Assert.Equal([tracking!.Split(';')[2]], await CheckpointsAsync(host));
            await using var next = await lab.SnapshotAsync(Name, first with { Tracking = tracking }, Cancellation);
            Assert.True(Assert.Single(next.Disks).KnowsChanges);
        }
        finally
        {
            (await CommandResult.RunAsync("umount", ["--lazy", folder.Path], null, CancellationToken.None)).Succeeded();
        }
    }

    [Fact]
    public async Task A_checkpoint_whose_bitmap_is_in_use_stays_until_it_can_be_deleted_and_one_that_has_lost_it_is_forgotten()
    {
        await using var host = await Libvirtd.StartAsync(Cancellation);
        using var lab = new LiveLab(host);
        await StartMachineAsync(host);
        var machine = await lab.FindAsync(Name, Cancellation);
        var first = (await lab.BackUpAsync(Name, null, Cancellation)).Tracking!.Split(';')[2];
        var node = (await QemuAsync(host, "query-block", [])).AsArray().Select(disk => (string?)disk!["inserted"]?["node-name"]).OfType<string>().First();
        // A job that waits for its end has the bitmap.
        await QemuAsync(host, "blockdev-add", new() { ["driver"] = "null-co", ["node-name"] = "nowhere", ["size"] = 8 << 20 });
        await QemuAsync(host, "blockdev-backup", new() { ["job-id"] = "mine", ["device"] = node, ["target"] = "nowhere", ["sync"] = "incremental", ["bitmap"] = first, ["auto-finalize"] = false });
        while ((string?)(await QemuAsync(host, "query-jobs", [])).AsArray().Single()!["status"] != "pending") await Task.Delay(20, Cancellation);

        await lab.Fabric.EndBackupAsync(machine, lab.ItemKey, null, mayBeFrozen: false, Cancellation);
        Assert.Equal([first], await CheckpointsAsync(host));

        await QemuAsync(host, "job-cancel", new() { ["id"] = "mine" });
        while ((await QemuAsync(host, "query-jobs", [])).AsArray().Count > 0) await Task.Delay(20, Cancellation);
        await lab.Fabric.EndBackupAsync(machine, lab.ItemKey, null, mayBeFrozen: false, Cancellation);
        Assert.Empty(await CheckpointsAsync(host));
        Assert.DoesNotContain(first, (await QemuAsync(host, "query-block", [])).ToJsonString(), StringComparison.Ordinal);

        var second = (await lab.BackUpAsync(Name, null, Cancellation)).Tracking!.Split(';')[2];
        await QemuAsync(host, "block-dirty-bitmap-remove", new() { ["node"] = node, ["name"] = second });
        await lab.Fabric.EndBackupAsync(machine, lab.ItemKey, null, mayBeFrozen: false, Cancellation);
        Assert.Empty(await CheckpointsAsync(host));
    }

    [Fact]
    public async Task A_disk_that_is_added_takes_no_number_of_those_that_the_newest_point_knows()
    {
        await using var host = await Libvirtd.StartAsync(Cancellation);
        using var lab = new LiveLab(host);
        await StartMachineAsync(host);
        var point = await lab.BackUpAsync(Name, null, Cancellation);
        (await host.VirshAsync(["destroy", Name], Cancellation)).Succeeded();
        var added = Path.Combine(host.Folders.Disks, "added.img");
        await File.WriteAllBytesAsync(added, new byte[1 << 20], Cancellation);
        (await host.VirshAsync(["attach-disk", Name, added, "hda", "--targetbus", "ide", "--config"], Cancellation)).Succeeded();
        (await host.VirshAsync(["start", Name], Cancellation)).Succeeded();
        var machine = await lab.FindAsync(Name, Cancellation);
        Assert.Equal(["hda", "vda"], machine.Disks.Select(disk => disk.Name));

        // All data disks are excluded.
        await using var snapshot = await lab.Fabric.SnapshotAsync(machine, new(lab.ItemKey, new(Guid.NewGuid(), 9)) { Selects = lun => lun < 0, Previous = point.Machine, ParentTracking = point.Tracking }, Cancellation);

        Assert.Equal([(-1, "vda"), (0, "hda")], snapshot.Machine.Disks.Select(disk => (disk.Lun, disk.Name)));
        Assert.Equal("vda", Assert.Single(snapshot.Disks).Disk.Name);
    }

    private static async Task<JsonNode> QemuAsync(Libvirtd host, string command, JsonObject arguments)
    {
        var asked = new JsonObject { ["execute"] = command };
        if (arguments.Count > 0) asked["arguments"] = arguments;
        var answer = JsonNode.Parse((await host.VirshAsync(["qemu-monitor-command", Name, asked.ToJsonString()], Cancellation)).Succeeded().StandardOutput)!;
        return answer["return"] ?? throw new InvalidOperationException(answer.ToJsonString());
    }

    private static async Task StartMachineAsync(Libvirtd host)
    {
        var disk = Path.Combine(host.Folders.Disks, $"{Name}.qcow2");
        (await CommandResult.RunAsync(Peer.RequireOrSkip("qemu-img", "qemu-utils"), ["create", "-q", "-f", "qcow2", disk, "8M"], null, Cancellation)).Succeeded();
        var file = Path.Combine(host.Folders.Root, $"{Name}.xml");
        await File.WriteAllTextAsync(file, new XElement("domain", new XAttribute("type", "qemu"),
            new XElement("name", Name),
            new XElement("memory", new XAttribute("unit", "MiB"), 64),
            new XElement("os", new XElement("type", new XAttribute("arch", "x86_64"), new XAttribute("machine", "pc"), "hvm")),
            new XElement("devices", new XElement("disk", new XAttribute("type", "file"), new XAttribute("device", "disk"),
                new XElement("driver", new XAttribute("name", "qemu"), new XAttribute("type", "qcow2")),
                new XElement("source", new XAttribute("file", disk)),
                new XElement("target", new XAttribute("dev", "vda"), new XAttribute("bus", "virtio"))))).ToString(), Cancellation);
        (await host.VirshAsync(["define", file], Cancellation)).Succeeded();
        (await host.VirshAsync(["start", Name], Cancellation)).Succeeded();
    }

    private static async Task<string[]> CheckpointsAsync(Libvirtd host) =>
        (await host.VirshAsync(["checkpoint-list", Name, "--name"], Cancellation)).Succeeded().StandardOutput.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private static async Task AssertCleanAsync(Libvirtd host, TakenPoint point)
    {
        Assert.Empty(Directory.GetFileSystemEntries(host.Folders.Scratch));
        Assert.Equal(point.Tracking!.Split(';')[2], Assert.Single(await CheckpointsAsync(host)));
        Assert.NotEqual(0, (await host.VirshAsync(["backup-dumpxml", Name], Cancellation)).ExitCode);
    }
}
