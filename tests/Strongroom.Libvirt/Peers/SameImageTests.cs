using Strongroom.Libvirt.Guests;
using Strongroom.Libvirt.Hosts;
using Strongroom.Libvirt.Live;
using Strongroom.Libvirt.Machines;

namespace Strongroom.Libvirt.Peers;

/// <summary>Ours beside virtnbdbackup on the same machine. The peer copies each time: beside checkpoints that are not its own it makes none.</summary>
public sealed class SameImageTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_ours_and_the_peer_back_up_is_the_same_byte_for_byte()
    {
        var guest = await LiveGuest.FindAsync(Cancellation);
        await using var host = await Libvirtd.StartAsync(Cancellation);
        using var lab = new LiveLab(host);
        var machine = await LiveMachine.DefineAsync(host, guest, new("web1") { DataDisks = [DiskKind.Qcow2] }, Cancellation);
        await machine.StartAsync(Cancellation);
        TakenPoint? point = null;
        for (var round = 1; round <= 3; round++)
        {
            await machine.StartWriterAsync(Cancellation, "/data/records", "/mnt/vdb/records");
            await machine.WaitForRecordAsync(machine.LastDurableRecord + 10, Cancellation);
            await machine.StopWriterAsync(Cancellation);
            // A machine that stands still is the same for both; a freeze would write a little each time.
            (await host.VirshAsync(["suspend", "web1"], Cancellation)).Succeeded();
            point = await lab.BackUpAsync("web1", point, Cancellation);
            var peer = new VirtNbdBackup(machine, Path.Combine(host.Folders.Root, $"peer{round}"));
            await peer.BackupAsync("copy", Cancellation);
            (await host.VirshAsync(["resume", "web1"], Cancellation)).Succeeded();
            Assert.DoesNotContain("read and compared", string.Join(" ", point.Notes), StringComparison.Ordinal);
            await AssertSameAsync(await peer.RestoreAsync(Path.Combine(host.Folders.Root, $"restored{round}"), Cancellation), point);
        }
    }

    private static async Task AssertSameAsync(IReadOnlyDictionary<string, string> theirs, TakenPoint ours)
    {
        Assert.Equal(theirs.Keys.Order(), ours.Files.Keys.Order());
        foreach (var (disk, path) in theirs)
        {
            var compared = await CommandResult.RunAsync(Peer.RequireOrSkip("qemu-img", "qemu-utils"), ["compare", "-f", "raw", "-F", "qcow2", ours.Files[disk], path], null, Cancellation);
            Assert.True(compared.ExitCode == 0, $"{disk}: {compared.StandardOutput}{compared.StandardError}");
        }
    }
}
