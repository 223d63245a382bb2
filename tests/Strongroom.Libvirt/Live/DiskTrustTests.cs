using Strongroom.Libvirt.Guests;
using Strongroom.Libvirt.Hosts;
using Strongroom.Libvirt.Machines;

namespace Strongroom.Libvirt.Live;

/// <summary>Disks that are not what they were at the last recovery point, though a bitmap of its name is on them. The machines are paused: nothing is booted.</summary>
public sealed class DiskTrustTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Two_disks_that_changed_places_are_read_and_compared(bool runs)
    {
        var guest = await LiveGuest.FindAsync(Cancellation);
        await using var host = await Libvirtd.StartAsync(Cancellation);
        using var lab = new LiveLab(host) { MayFreeze = false };
        var machine = await LiveMachine.DefineAsync(host, guest, new("web1") { DataDisks = [DiskKind.Qcow2, DiskKind.Qcow2] }, Cancellation);
        await WriteAsync(machine.Disks[1], "write -P 1 32M 1M");
        await WriteAsync(machine.Disks[2], "write -P 2 32M 1M");
        await StartPausedAsync(machine);
        var first = await lab.BackUpAsync("web1", null, Cancellation);
        await machine.DestroyAsync(Cancellation);

        var (b, c) = (machine.Disks[1].Path, machine.Disks[2].Path);
        var xml = (await host.VirshAsync(["dumpxml", "web1", "--inactive"], Cancellation)).Succeeded().StandardOutput;
        var file = Path.Combine(host.Folders.Root, "swapped.xml");
        await File.WriteAllTextAsync(file, xml.Replace(b, "?", StringComparison.Ordinal).Replace(c, b, StringComparison.Ordinal).Replace("?", c, StringComparison.Ordinal), Cancellation);
        (await host.VirshAsync(["define", file], Cancellation)).Succeeded();
        machine = await LiveMachine.FindAsync(host, "web1", Cancellation);
        Assert.Equal(c, machine.Disks[1].Path);
        if (runs) await StartPausedAsync(machine);

        var second = await lab.BackUpAsync("web1", first, Cancellation);
        await AssertHoldsAsync(second, machine);
        Assert.Equal(2, second.Notes.Count(note => note.Contains("not in the place", StringComparison.Ordinal)));
        Assert.True(second.ReadBytes["vda"] < first.ReadBytes["vda"] / 4);
    }

    [Fact]
    public async Task A_point_made_while_the_machine_was_off_is_not_gone_on_from_when_an_older_image_is_put_back()
    {
        var guest = await LiveGuest.FindAsync(Cancellation);
        await using var host = await Libvirtd.StartAsync(Cancellation);
        using var lab = new LiveLab(host) { MayFreeze = false };
        var machine = await LiveMachine.DefineAsync(host, guest, new("web1") { DataDisks = [DiskKind.Qcow2] }, Cancellation);
        await StartPausedAsync(machine);
        var running = await lab.BackUpAsync("web1", null, Cancellation);
        await machine.DestroyAsync(Cancellation);
        var (disk, copy) = (machine.Disks[1], Path.Combine(host.Folders.Root, "copy"));
        File.Copy(disk.Path, copy);
        await WriteAsync(disk, "write -P 7 32M 1M");
        var stopped = await lab.BackUpAsync("web1", running, Cancellation);
        await AssertHoldsAsync(stopped, machine);
        // In place, so that it is the same file.
        await File.WriteAllBytesAsync(disk.Path, await File.ReadAllBytesAsync(copy, Cancellation), Cancellation);

        var stoppedAgain = await lab.BackUpAsync("web1", stopped, Cancellation);
        await AssertHoldsAsync(stoppedAgain, machine);
        await StartPausedAsync(machine);
        var runningAgain = await lab.BackUpAsync("web1", stoppedAgain, Cancellation);
        await AssertHoldsAsync(runningAgain, machine);
        Assert.Empty(runningAgain.Notes);
        Assert.True(runningAgain.ReadBytes["vda"] < running.ReadBytes["vda"] / 4);
    }

    private static async Task StartPausedAsync(LiveMachine machine) => (await machine.Host.VirshAsync(["start", machine.Name, "--paused"], Cancellation)).Succeeded();

    private static Task WriteAsync(MachineDisk disk, string command) => RunAsync("qemu-io", "-f", disk.Format, "-c", command, disk.Path);

    /// <summary>The point has what is on the disks.</summary>
    private static async Task AssertHoldsAsync(TakenPoint point, LiveMachine machine)
    {
        foreach (var disk in machine.Disks)
            await RunAsync("qemu-img", "compare", "-U", "-f", "raw", "-F", disk.Format, point.Files[disk.Target], disk.Path);
    }

    private static async Task RunAsync(string program, params string[] arguments) =>
        (await CommandResult.RunAsync(Peer.RequireOrSkip(program, "qemu-utils"), arguments, null, Cancellation)).Succeeded();
}
