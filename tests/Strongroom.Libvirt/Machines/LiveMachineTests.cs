using Strongroom.Libvirt.Checks;
using Strongroom.Libvirt.Guests;
using Strongroom.Libvirt.Hosts;

namespace Strongroom.Libvirt.Machines;

/// <summary>The machines that other tests build on: that they can do what those tests rely on.</summary>
public sealed class LiveMachineTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_machine_boots_writes_is_frozen_killed_and_boots_again()
    {
        var guest = await LiveGuest.FindAsync(Cancellation);
        await using var host = await Libvirtd.StartAsync(Cancellation);
        var machine = await LiveMachine.DefineAsync(host, guest, new("web1") { DataDisks = [DiskKind.RawFile], Mac = "52:54:00:12:34:56" }, Cancellation);
        Assert.Null(machine.QemuProcessId);
        await machine.StartAsync(Cancellation);
        Assert.Equal("52:54:00:12:34:56", (await machine.RunAsync("cat /sys/class/net/eth0/address", Cancellation)).StandardOutput.Trim());

        // While both file systems are frozen nothing is added, and the file systems are whole as they lie there.
        await machine.StartWriterAsync(Cancellation, "/data/records", "/mnt/vdb/records");
        Assert.Equal(2, await machine.Agent.FreezeAsync(Cancellation));
        Assert.True(await machine.Agent.IsFrozenAsync(Cancellation));
        var durable = machine.LastDurableRecord;
        foreach (var disk in machine.Disks)
        {
            var frozen = await DiskCheck.RunAsync(disk.Path, Cancellation, disk.Format);
            Assert.True(frozen is { NeededRecovery: false, IsClean: true, Records.Damage: null }, frozen.ToString());
            Assert.InRange(frozen.Records.Count, durable, durable + 1);
        }
        Assert.Equal(durable, machine.LastDurableRecord);
        Assert.Equal(2, await machine.Agent.ThawAsync(Cancellation));
        await machine.WaitForRecordAsync(durable + 5, Cancellation);

        // A killed machine has all that was durable, once its journals are replayed.
        await machine.KillQemuAsync(Cancellation);
        Assert.Null(machine.QemuProcessId);
        durable = machine.LastDurableRecord;
        foreach (var disk in machine.Disks)
        {
            var killed = await DiskCheck.RunAsync(disk.Path, Cancellation, disk.Format);
            Assert.True(killed is { NeededRecovery: true, IsClean: true, Records.Damage: null }, killed.ToString());
            Assert.InRange(killed.Records.Count, durable, durable + 1);
        }

        // It starts again and goes on where it was; one that is shut down is whole.
        machine.ForgetWriter();
        await machine.StartAsync(Cancellation);
        await machine.StartWriterAsync(Cancellation, "/data/records", "/mnt/vdb/records");
        var last = await machine.StopWriterAsync(Cancellation);
        Assert.True(last > durable);
        await machine.ShutDownAsync(Cancellation);
        foreach (var disk in machine.Disks)
        {
            var whole = await DiskCheck.RunAsync(disk.Path, Cancellation, disk.Format);
            Assert.True(whole is { NeededRecovery: false, IsClean: true } && whole.Records == new Records(last, null), whole.ToString());
        }
    }

    [Fact]
    public async Task The_screen_of_a_machine_shows_its_login_prompt()
    {
        var guest = await LiveGuest.FindAsync(Cancellation);
        await using var host = await Libvirtd.StartAsync(Cancellation);
        var machine = await LiveMachine.DefineAsync(host, guest, new("web1") { BootDisk = DiskKind.RawBlock, DataDisks = [DiskKind.Qcow2Block] }, Cancellation);
        Assert.Equal([DiskKind.RawBlock, DiskKind.Qcow2Block], machine.Disks.Select(disk => disk.Kind));
        await machine.StartAsync(Cancellation);
        var picture = await LoginPrompt.WaitAsync(machine, "live-machine-login", Cancellation);
        Assert.True(picture.DistinctColours > 1);
        Assert.Contains("guest login:", machine.Serial, StringComparison.Ordinal);
    }
}
