using Strongroom.Backup.Machines;
using Strongroom.Libvirt.Checks;
using Strongroom.Libvirt.Guests;
using Strongroom.Libvirt.Hosts;
using Strongroom.Libvirt.Machines;

namespace Strongroom.Libvirt.Live;

/// <summary>Snapshots of machines that run, and of those that do not.</summary>
public sealed class LiveBackupTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_writing_machine_is_backed_up_five_times_and_each_point_is_whole()
    {
        var guest = await LiveGuest.FindAsync(Cancellation);
        await using var host = await Libvirtd.StartAsync(Cancellation);
        using var lab = new LiveLab(host);
        var machine = await LiveMachine.DefineAsync(host, guest, new("web1") { DataDisks = [DiskKind.RawFile, DiskKind.Qcow2], Mac = "52:54:00:12:34:56" }, Cancellation);
        await machine.StartAsync(Cancellation);
        await machine.StartWriterAsync(Cancellation, "/data/records", "/mnt/vdb/records", "/mnt/vdc/records");
        TakenPoint? point = null;
        for (var round = 1; round <= 5; round++)
        {
            await machine.WaitForRecordAsync(machine.LastDurableRecord + 10, Cancellation);
            var durable = machine.LastDurableRecord;
            point = await lab.BackUpAsync("web1", point, Cancellation);
            Assert.Equal("FileSystemConsistent", point.Consistency);
            Assert.NotNull(point.Frozen);
            foreach (var (disk, file) in point.Files)
            {
                var found = await DiskCheck.RunAsync(file, Cancellation);
                Assert.True(found is { NeededRecovery: false, IsClean: true, Records.Damage: null }, $"{round}, {disk}: {found}");
                Assert.True(found.Records.Count >= durable, $"{round}, {disk}: {found.Records.Count} records of {durable}");
            }

            // A qcow2 is read only where it changed.
            Assert.Equal(round > 1, point.ReadBytes["vda"] < 4 << 20);
            await AssertCleanAsync(host, point, machine);
        }

        Assert.Equal("running", await machine.StateAsync(Cancellation));
        Assert.Equal("52:54:00:12:34:56", Assert.Single(point!.Machine.Networks).MacAddress);
        Assert.Contains("<name>web1</name>", point.Machine.Definition, StringComparison.Ordinal);
    }

    [Fact]
    public async Task After_a_kill_of_QEMU_all_is_compared_and_then_changes_are_known_again()
    {
        var guest = await LiveGuest.FindAsync(Cancellation);
        await using var host = await Libvirtd.StartAsync(Cancellation);
        using var lab = new LiveLab(host);
        var machine = await LiveMachine.DefineAsync(host, guest, new("web1"), Cancellation);
        await machine.StartAsync(Cancellation);
        var first = await lab.BackUpAsync("web1", null, Cancellation);

        // In order: the bitmap is in the image, and is marked as in use when the machine starts again.
        await machine.ShutDownAsync(Cancellation);
        await machine.StartAsync(Cancellation);
        var second = await lab.BackUpAsync("web1", first, Cancellation);
        Assert.Empty(second.Notes);

        await machine.KillQemuAsync(Cancellation);
        await machine.StartAsync(Cancellation);
        var third = await lab.BackUpAsync("web1", second, Cancellation);
        Assert.Contains("read and compared", Assert.Single(third.Notes), StringComparison.Ordinal);
        Assert.Equal("FileSystemConsistent", third.Consistency);
        Assert.True((await DiskCheck.RunAsync(third.Files["vda"], Cancellation)).IsClean);
        await AssertCleanAsync(host, third, machine);

        var fourth = await lab.BackUpAsync("web1", third, Cancellation);
        Assert.Empty(fourth.Notes);
        Assert.True(fourth.ReadBytes["vda"] < third.ReadBytes["vda"] / 4);
        await AssertCleanAsync(host, fourth, machine);
    }

    [Fact]
    public async Task A_machine_that_does_not_run_is_read_as_files_with_its_bitmaps()
    {
        var guest = await LiveGuest.FindAsync(Cancellation);
        await using var host = await Libvirtd.StartAsync(Cancellation);
        using var lab = new LiveLab(host);
        var machine = await LiveMachine.DefineAsync(host, guest, new("web1") { DataDisks = [DiskKind.RawFile] }, Cancellation);
        var off = await lab.BackUpAsync("web1", null, Cancellation);
        Assert.Null(off.Tracking);
        await machine.StartAsync(Cancellation);
        var running = await lab.BackUpAsync("web1", off, Cancellation);
        await machine.StartWriterAsync(Cancellation, "/data/records", "/mnt/vdb/records");
        var last = await machine.StopWriterAsync(Cancellation);
        await machine.ShutDownAsync(Cancellation);

        var stopped = await lab.BackUpAsync("web1", running, Cancellation);
        Assert.Equal(running.Tracking, stopped.Tracking);
        Assert.True(stopped.ReadBytes["vda"] < running.ReadBytes["vda"] / 4);
        foreach (var file in stopped.Files.Values)
            Assert.Equal(new(last, null), (await DiskCheck.RunAsync(file, Cancellation)).Records);

        await machine.StartAsync(Cancellation);
        var again = await lab.BackUpAsync("web1", stopped, Cancellation);
        Assert.DoesNotContain("All disks", string.Join(" ", again.Notes), StringComparison.Ordinal);
        Assert.Equal(new(last, null), (await DiskCheck.RunAsync(again.Files["vda"], Cancellation)).Records);
        await AssertCleanAsync(host, again, machine);
    }

    [Fact]
    public async Task A_machine_that_is_off_is_let_go()
    {
        var guest = await LiveGuest.FindAsync(Cancellation);
        await using var host = await Libvirtd.StartAsync(Cancellation);
        using var lab = new LiveLab(host);
        var machine = await LiveMachine.DefineAsync(host, guest, new("web1"), Cancellation);
        await machine.StartAsync(Cancellation);
        var point = await lab.BackUpAsync("web1", null, Cancellation);
        await machine.ShutDownAsync(Cancellation);
        var bitmap = point.Tracking!.Split(';')[2];
        Assert.Contains(bitmap, await InfoAsync(), StringComparison.Ordinal);

        await lab.Fabric.ForgetAsync(point.Machine, lab.ItemKey, Cancellation);

        Assert.Equal("", (await host.VirshAsync(["checkpoint-list", "web1", "--name"], Cancellation)).Succeeded().StandardOutput.Trim());
        Assert.DoesNotContain(bitmap, await InfoAsync(), StringComparison.Ordinal);
        (await host.VirshAsync(["undefine", "web1"], Cancellation)).Succeeded();

        async Task<string> InfoAsync() => (await CommandResult.RunAsync("qemu-img", ["info", machine.Disks[0].Path], null, Cancellation)).Succeeded().StandardOutput;
    }

    [Fact]
    public async Task A_machine_that_is_started_while_its_files_are_read_has_moved()
    {
        var guest = await LiveGuest.FindAsync(Cancellation);
        await using var host = await Libvirtd.StartAsync(Cancellation);
        using var lab = new LiveLab(host);
        var machine = await LiveMachine.DefineAsync(host, guest, new("web1"), Cancellation);
        await using var snapshot = await lab.SnapshotAsync("web1", null, Cancellation);
        Assert.Empty(await snapshot.FindChangesAsync(Cancellation));
        await machine.StartAsync(Cancellation);
        Assert.NotEmpty(await snapshot.FindChangesAsync(Cancellation));
    }

    [Fact]
    public async Task What_a_dead_run_left_is_removed_and_the_machine_let_go()
    {
        var guest = await LiveGuest.FindAsync(Cancellation);
        await using var host = await Libvirtd.StartAsync(Cancellation);
        using var lab = new LiveLab(host);
        var machine = await LiveMachine.DefineAsync(host, guest, new("web1"), Cancellation);
        await machine.StartAsync(Cancellation);
        var first = await lab.BackUpAsync("web1", null, Cancellation);
        // A run that dies here leaves its job, checkpoint, scratch and socket, and if it dies a little earlier a frozen machine.
        _ = await lab.SnapshotAsync("web1", first, Cancellation);
        Assert.NotEmpty(Directory.GetFiles(host.Folders.Scratch));
        await machine.Agent.FreezeAsync(Cancellation);
        lab.Restart();
        lab.Fence = 1;
        var second = await lab.BackUpAsync("web1", first, Cancellation);
        Assert.Empty(second.Notes);
        Assert.Equal("FileSystemConsistent", second.Consistency);
        Assert.False(await machine.Agent.IsFrozenAsync(Cancellation));
        await AssertCleanAsync(host, second, machine);

        // Nothing of ours was left: somebody else holds the machine still, and goes on doing so.
        await machine.Agent.FreezeAsync(Cancellation);
        var third = await lab.BackUpAsync("web1", second, Cancellation);
        Assert.Contains("found frozen", Assert.Single(third.Notes), StringComparison.Ordinal);
        Assert.Equal(("CrashConsistent", null), (third.Consistency, third.Frozen));
        Assert.True(await machine.Agent.IsFrozenAsync(Cancellation));
        // A run of the same job has died before it left a file.
        lab.Fence = 2;
        Assert.Empty((await lab.BackUpAsync("web1", third, Cancellation)).Notes);
        Assert.False(await machine.Agent.IsFrozenAsync(Cancellation));
    }

    [Fact]
    public async Task Where_the_servers_scratch_files_are_of_no_use_to_the_host_it_makes_its_own()
    {
        var guest = await LiveGuest.FindAsync(Cancellation);
        await using var host = await Libvirtd.StartAsync(Cancellation);
        using var folder = new TempFolder();
        var (guard, spoilt) = (folder.Combine("guard"), folder.Combine("spoilt"));
        // Starts between the making of the files and their use.
        await File.WriteAllTextAsync(guard,
            $"""
            #!/bin/sh
            for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
              for file in '{host.Folders.Scratch}'/*.scratch; do
                if [ -e "$file" ]; then rm -f "$file"; ln -s /nowhere/to/be/found "$file"; echo "$file" >>'{spoilt}'; break 2; fi
              done
              sleep 0.1
            done
            exec '{Repository.ServerExecutable}' "$@"

            """, Cancellation);
        File.SetUnixFileMode(guard, (UnixFileMode)0b111_101_101);
        using var lab = new LiveLab(host, guard: guard);
        var machine = await LiveMachine.DefineAsync(host, guest, new("web1"), Cancellation);
        await machine.StartAsync(Cancellation);
        var first = await lab.BackUpAsync("web1", null, Cancellation);
        await machine.StartWriterAsync(Cancellation);
        var last = await machine.StopWriterAsync(Cancellation);
        var second = await lab.BackUpAsync("web1", first, Cancellation);
        Assert.Equal(2, File.ReadLines(spoilt).Count());
        Assert.Empty(second.Notes);
        Assert.Equal("FileSystemConsistent", second.Consistency);
        Assert.True(second.ReadBytes["vda"] < first.ReadBytes["vda"] / 4);
        Assert.Equal(new(last, null), (await DiskCheck.RunAsync(second.Files["vda"], Cancellation)).Records);
        await AssertCleanAsync(host, second, machine);
    }

    [Fact]
    public async Task A_backup_of_another_program_is_left_alone()
    {
        var guest = await LiveGuest.FindAsync(Cancellation);
        await using var host = await Libvirtd.StartAsync(Cancellation);
        using var lab = new LiveLab(host);
        using var other = new LiveLab(host);
        var machine = await LiveMachine.DefineAsync(host, guest, new("web1"), Cancellation);
        await machine.StartAsync(Cancellation);
        await using var theirs = await other.SnapshotAsync("web1", null, Cancellation);
        var refused = await Assert.ThrowsAsync<MachineException>(() => lab.SnapshotAsync("web1", null, Cancellation));
        Assert.Contains("another program", refused.Message, StringComparison.Ordinal);
        await using var disk = await theirs.Disks[0].OpenAsync(false, Cancellation);
        await disk.ReadAsync(0, new byte[512], Cancellation);
    }

    [Fact]
    public async Task A_machine_without_an_agent_and_one_whose_policy_forbids_a_freeze_are_crash_consistent()
    {
        var guest = await LiveGuest.FindAsync(Cancellation);
        await using var host = await Libvirtd.StartAsync(Cancellation);
        using var lab = new LiveLab(host) { MayFreeze = false };
        var machine = await LiveMachine.DefineAsync(host, guest, new("web1"), Cancellation);
        await machine.StartAsync(Cancellation);
        var point = await lab.BackUpAsync("web1", null, Cancellation);
        Assert.Equal(("CrashConsistent", null), (point.Consistency, point.Frozen));
        Assert.Empty(point.Notes);
        var found = await DiskCheck.RunAsync(point.Files["vda"], Cancellation);
        Assert.True(found is { NeededRecovery: true, IsClean: true }, found.ToString());

        await LiveMachine.DefineAsync(host, guest, new("mute") { HasAgent = false }, Cancellation);
        (await host.VirshAsync(["start", "mute"], Cancellation)).Succeeded();
        lab.MayFreeze = true;
        var mute = await lab.BackUpAsync("mute", null, Cancellation);
        Assert.Equal("CrashConsistent", mute.Consistency);
        Assert.Contains("guest agent", Assert.Single(mute.Notes), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_scripts_of_a_machines_owner_make_a_point_application_consistent()
    {
        var guest = await LiveGuest.FindAsync(Cancellation);
        await using var host = await Libvirtd.StartAsync(Cancellation);
        using var lab = new LiveLab(host);
        var machine = await LiveMachine.DefineAsync(host, guest, new("web1"), Cancellation);
        await machine.StartAsync(Cancellation);
        (await machine.RunAsync("mkdir -p /etc/strongroom && printf '#!/bin/sh\\necho pre >>/data/scripts\\n' >/etc/strongroom/pre-backup && printf '#!/bin/sh\\necho post >>/data/scripts\\n' >/etc/strongroom/post-backup && chmod 755 /etc/strongroom/*", Cancellation)).Succeeded();
        var point = await lab.BackUpAsync("web1", null, Cancellation);
        Assert.Equal("AppConsistent", point.Consistency);
        Assert.Equal("pre\npost\n", (await machine.RunAsync("cat /data/scripts", Cancellation)).StandardOutput);

        // The first run of this job has died, maybe between the two.
        lab.Fence = 2;
        point = await lab.BackUpAsync("web1", point, Cancellation);
        Assert.Equal("pre\npost\npost\npre\npost\n", (await machine.RunAsync("cat /data/scripts", Cancellation)).StandardOutput);

        (await machine.RunAsync("printf '#!/bin/sh\\nexit 3\\n' >/etc/strongroom/pre-backup", Cancellation)).Succeeded();
        var failed = await lab.BackUpAsync("web1", point, Cancellation);
        Assert.Equal("FileSystemConsistent", failed.Consistency);
        Assert.Contains("pre-backup failed", Assert.Single(failed.Notes), StringComparison.Ordinal);
    }

    private static Task AssertCleanAsync(Libvirtd host, TakenPoint point, LiveMachine machine) => LiveLab.AssertCleanAsync(host, point, machine, Cancellation);
}
