using Strongroom.Libvirt.Checks;
using Strongroom.Libvirt.Guests;
using Strongroom.Libvirt.Hosts;
using Strongroom.Libvirt.Machines;

namespace Strongroom.Libvirt.Peers;

/// <summary>That the peer works on a live machine of ours, before anything is compared with it.</summary>
public sealed class VirtNbdBackupTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_full_and_an_incremental_backup_of_a_writing_machine_restore_clean()
    {
        var guest = await LiveGuest.FindAsync(Cancellation);
        await using var host = await Libvirtd.StartAsync(Cancellation);
        var machine = await LiveMachine.DefineAsync(host, guest, new("web1") { DataDisks = [DiskKind.Qcow2] }, Cancellation);
        await machine.StartAsync(Cancellation);
        await machine.StartWriterAsync(Cancellation, "/data/records", "/mnt/vdb/records");
        var peer = new VirtNbdBackup(machine, Path.Combine(host.Folders.Root, "peer"));
        long least = 0;
        foreach (var level in (string[])["full", "inc"])
        {
            least = machine.LastDurableRecord;
            await peer.BackupAsync(level, Cancellation);
            await machine.WaitForRecordAsync(machine.LastDurableRecord + 3, Cancellation);
        }
        Assert.False(await machine.Agent.IsFrozenAsync(Cancellation));
        var most = await machine.StopWriterAsync(Cancellation);

        var restored = await peer.RestoreAsync(Path.Combine(host.Folders.Root, "restored"), Cancellation);
        var counts = new List<long>();
        foreach (var (_, path) in restored)
        {
            var check = await DiskCheck.RunAsync(path, Cancellation, "qcow2");
            Assert.True(check is { NeededRecovery: false, IsClean: true, Records.Damage: null }, check.ToString());
            Assert.InRange(check.Records.Count, least, most - 1);
            counts.Add(check.Records.Count);
        }
        // All disks are of one moment: a record is on vda before it is on vdb.
        Assert.InRange(counts[0] - counts[1], 0, 1);
    }
}
