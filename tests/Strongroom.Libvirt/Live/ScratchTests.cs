using Strongroom.Backup.Machines;
using Strongroom.Libvirt.Guests;
using Strongroom.Libvirt.Hosts;
using Strongroom.Libvirt.Machines;

namespace Strongroom.Libvirt.Live;

/// <summary>The room for what a machine overwrites while it is read: before it is full the backup is given up, and the machine runs on.</summary>
public sealed class ScratchTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_backup_whose_scratch_space_fills_up_is_given_up_and_the_machine_runs_on()
    {
        using var folder = new TempFolder();
        var mounted = await CommandResult.RunAsync("mount", ["-t", "tmpfs", "-o", "size=32m,mode=1777", "strongroom-test", folder.Path], null, Cancellation);
        Assert.SkipWhen(mounted.ExitCode != 0, $"This machine mounts nothing: {mounted.StandardError}");
        try
        {
            var guest = await LiveGuest.FindAsync(Cancellation);
            // libvirtd takes over the mounts that are there at its start.
            await using var host = await Libvirtd.StartAsync(Cancellation);
            using var lab = new LiveLab(host) { ScratchPath = folder.Path };
            var machine = await LiveMachine.DefineAsync(host, guest, new("web1") { DataDisks = [DiskKind.Qcow2] }, Cancellation);
            await machine.StartAsync(Cancellation);
            // Written once, so that it is there to be kept when it is written again.
            (await machine.RunAsync("dd if=/dev/urandom of=/mnt/vdb/file bs=1M count=40 conv=fsync", Cancellation)).Succeeded();
            var refused = await Assert.ThrowsAsync<MachineException>(() => lab.BackUpAsync("web1", null, Cancellation, async snapshot =>
            {
                // Slower than a machine can: four megabytes in each quarter of a second.
                (await machine.RunAsync("for i in $(seq 0 4 36); do dd if=/dev/zero of=/mnt/vdb/file bs=1M count=4 seek=$i conv=notrunc,fsync 2>/dev/null; sleep 0.3; done", Cancellation)).Succeeded();
            }));
            Assert.Equal(MachineProblem.ScratchFull, refused.Problem);
            Assert.Contains("has only", refused.Message, StringComparison.Ordinal);
            Assert.Equal("running", await machine.StateAsync(Cancellation));
            Assert.Empty(Directory.GetFileSystemEntries(folder.Path));
            Assert.Empty((await host.VirshAsync(["checkpoint-list", "web1", "--name"], Cancellation)).Succeeded().StandardOutput.Trim());
            Assert.Empty((await lab.BackUpAsync("web1", null, Cancellation)).Notes);

            await File.WriteAllBytesAsync(Path.Combine(folder.Path, "other"), new byte[30 << 20], Cancellation);
            Assert.Equal(MachineProblem.ScratchFull, (await Assert.ThrowsAsync<MachineException>(() => lab.BackUpAsync("web1", null, Cancellation))).Problem);
        }
        finally
        {
            (await CommandResult.RunAsync("umount", ["--lazy", folder.Path], null, CancellationToken.None)).Succeeded();
        }
    }
}
