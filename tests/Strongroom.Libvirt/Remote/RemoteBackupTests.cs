using System.Net;
using System.Net.Sockets;
using Strongroom.Backup.Machines;
using Strongroom.Libvirt.Checks;
using Strongroom.Libvirt.Guests;
using Strongroom.Libvirt.Hosts;
using Strongroom.Libvirt.Live;
using Strongroom.Libvirt.Machines;

namespace Strongroom.Libvirt.Remote;

/// <summary>Backups of machines of hosts that are other machines: all goes over TCP.</summary>
public sealed class RemoteBackupTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_writing_machine_is_read_over_tls_and_then_only_where_it_changed()
    {
        var guest = await LiveGuest.FindAsync(Cancellation);
        await using var host = await Libvirtd.StartAsync(Cancellation, listensForTls: true);
        using var lab = new LiveLab(host) { Uri = host.TlsUri };
        await AssertBackUpsAsync(host, lab, guest);
    }

    [Fact]
    public async Task A_host_that_is_reached_by_ssh_serves_its_disks_over_tls()
    {
        var guest = await LiveGuest.FindAsync(Cancellation);
        await using var host = await Libvirtd.StartAsync(Cancellation);
        using var ssh = await SshServer.StartAsync(host, Cancellation);
        using var lab = new LiveLab(host) { Uri = ssh.Uri };
        await AssertBackUpsAsync(host, lab, guest);
    }

    [Fact]
    public async Task A_port_that_is_taken_costs_nothing_but_another_try()
    {
        var guest = await LiveGuest.FindAsync(Cancellation);
        await using var host = await Libvirtd.StartAsync(Cancellation, listensForTls: true);
        using var strangers = new TcpListener(IPAddress.Loopback, 0);
        strangers.Start();
        int[] ports = [((IPEndPoint)strangers.LocalEndpoint).Port, FreePorts.Take(), FreePorts.Take()];
        // Two servers, which do not know of each other.
        using var lab = new LiveLab(host, ports: ports) { Uri = host.TlsUri };
        using var other = new LiveLab(host, ports: ports) { Uri = host.TlsUri };
        var machine = await LiveMachine.DefineAsync(host, guest, new("web1"), Cancellation);
        var neighbour = await LiveMachine.DefineAsync(host, guest, new("web2"), Cancellation);
        await machine.StartAsync(Cancellation);
        await neighbour.StartAsync(Cancellation);
        var first = await lab.BackUpAsync("web1", null, Cancellation);
        TakenPoint second;
        await using (var theirs = await other.SnapshotAsync("web2", null, Cancellation))
        {
            second = await lab.BackUpAsync("web1", first, Cancellation);
            await using var disk = await theirs.Disks[0].OpenAsync(false, Cancellation);
            await disk.ReadAsync(0, new byte[512], Cancellation);
        }

        Assert.Equal("FileSystemConsistent", second.Consistency);
        Assert.True(second.ReadBytes["vda"] < first.ReadBytes["vda"] / 4, "The bitmaps were not used.");
        Assert.True((await DiskCheck.RunAsync(second.Files["vda"], Cancellation)).IsClean);
        await LiveLab.AssertCleanAsync(host, second, machine, Cancellation);

        using var full = new LiveLab(host, ports: ports[..1]) { Uri = host.TlsUri };
        var refused = await Assert.ThrowsAsync<MachineException>(() => full.SnapshotAsync("web2", null, Cancellation));
        Assert.Contains("none of the 1 TCP ports", refused.Message, StringComparison.Ordinal);
        Assert.False(await neighbour.Agent.IsFrozenAsync(Cancellation));
        Assert.Empty(Directory.GetFileSystemEntries(host.Folders.Scratch));
    }

    [Fact]
    public async Task A_host_that_shows_a_strangers_certificate_is_not_read()
    {
        var guest = await LiveGuest.FindAsync(Cancellation);
        await using var host = await Libvirtd.StartAsync(Cancellation, listensForTls: true);
        using var lab = new LiveLab(host) { Uri = host.TlsUri };
        var machine = await LiveMachine.DefineAsync(host, guest, new("web1"), Cancellation);
        await machine.StartAsync(Cancellation);
        var first = await lab.BackUpAsync("web1", null, Cancellation);
        using var folder = new TempFolder();
        var strangers = new HostCertificates(folder.Path);
        strangers.Create();
        foreach (var file in Directory.GetFiles(strangers.OfQemu)) File.Copy(file, Path.Combine(host.Folders.Certificates.OfQemu, Path.GetFileName(file)), overwrite: true);

        var refused = await Assert.ThrowsAsync<MachineException>(() => lab.BackUpAsync("web1", first, Cancellation));
        Assert.Contains("TLS", refused.Message, StringComparison.Ordinal);
        await LiveLab.AssertCleanAsync(host, first, machine, Cancellation);
    }

    [Fact]
    public async Task A_host_whose_QEMU_has_no_certificate_loses_no_checkpoint()
    {
        var guest = await LiveGuest.FindAsync(Cancellation);
        await using var host = await Libvirtd.StartAsync(Cancellation, listensForTls: true);
        using var lab = new LiveLab(host) { Uri = host.TlsUri };
        var machine = await LiveMachine.DefineAsync(host, guest, new("web1"), Cancellation);
        await machine.StartAsync(Cancellation);
        var first = await lab.BackUpAsync("web1", null, Cancellation);
        var key = Path.Combine(host.Folders.Certificates.OfQemu, "server-key.pem");
        File.Move(key, key + ".away");
        var refused = await Assert.ThrowsAsync<MachineException>(() => lab.BackUpAsync("web1", first, Cancellation));
        Assert.Contains("QEMU does not serve the disks", refused.Message, StringComparison.Ordinal);
        await LiveLab.AssertCleanAsync(host, first, machine, Cancellation);

        File.Move(key + ".away", key);
        var second = await lab.BackUpAsync("web1", first, Cancellation);
        Assert.True(second.ReadBytes["vda"] < first.ReadBytes["vda"] / 4, "The bitmaps were not used.");
    }

    [Fact]
    public async Task What_a_dead_run_left_on_another_host_is_removed()
    {
        var guest = await LiveGuest.FindAsync(Cancellation);
        await using var host = await Libvirtd.StartAsync(Cancellation, listensForTls: true);
        await MakeScratchPoolAsync(host);
        int[] ports = [FreePorts.Take(), FreePorts.Take()];
        using var lab = new LiveLab(host, ports: ports) { Uri = host.TlsUri };
        var machine = await LiveMachine.DefineAsync(host, guest, new("web1"), Cancellation);
        await machine.StartAsync(Cancellation);
        var first = await lab.BackUpAsync("web1", null, Cancellation);
        _ = await lab.SnapshotAsync("web1", first, Cancellation);
        // As libvirtd's end by SIGKILL leaves it.
        var scratch = Assert.Single(Directory.GetFiles(host.Folders.Scratch));
        File.Copy(scratch, scratch.Replace("vda", "vdb", StringComparison.Ordinal));
        lab.Restart();
        var second = await lab.BackUpAsync("web1", first, Cancellation);
        Assert.Empty(second.Notes);
        await LiveLab.AssertCleanAsync(host, second, machine, Cancellation);
    }

    [Fact(Timeout = 1_800_000)]
    public async Task A_server_that_goes_in_the_middle_fails_the_backup_and_the_next_one_is_right()
    {
        var guest = await LiveGuest.FindAsync(Cancellation);
        await using var host = await Libvirtd.StartAsync(Cancellation, listensForTls: true);
        using var lab = new LiveLab(host) { Uri = host.TlsUri };
        var machine = await LiveMachine.DefineAsync(host, guest, new("web1"), Cancellation);
        await machine.StartAsync(Cancellation);
        var first = await lab.BackUpAsync("web1", null, Cancellation);
        await using (var snapshot = await lab.SnapshotAsync("web1", first, Cancellation))
        {
            await using var disk = await snapshot.Disks[0].OpenAsync(false, Cancellation);
            await disk.ReadAsync(0, new byte[512], Cancellation);
            (await host.VirshAsync(["domjobabort", "web1"], Cancellation)).Succeeded();
            // The job ends after the command.
            var broken = await Assert.ThrowsAsync<MachineException>(async () =>
            {
                while (true) await disk.ReadAsync(1 << 20, new byte[512], Cancellation);
            });
            Assert.Equal(MachineProblem.HostFailed, broken.Problem);
        }

        var second = await lab.BackUpAsync("web1", first, Cancellation);
        Assert.True((await DiskCheck.RunAsync(second.Files["vda"], Cancellation)).IsClean);
        await LiveLab.AssertCleanAsync(host, second, machine, Cancellation);
    }

    [Fact]
    public async Task A_machine_of_another_host_that_does_not_run_is_left_as_it_is()
    {
        var guest = await LiveGuest.FindAsync(Cancellation);
        await using var host = await Libvirtd.StartAsync(Cancellation, listensForTls: true);
        using var lab = new LiveLab(host) { Uri = host.TlsUri };
        var machine = await LiveMachine.DefineAsync(host, guest, new("web1"), Cancellation);
        var refused = await Assert.ThrowsAsync<MachineException>(() => lab.SnapshotAsync("web1", null, Cancellation));
        Assert.Contains("does not run", refused.Message, StringComparison.Ordinal);
        Assert.Equal("shut off", await machine.StateAsync(Cancellation));
    }

    /// <summary>Three backups of a machine that writes; before the third the host gets a pool for its scratch folder.</summary>
    private static async Task AssertBackUpsAsync(Libvirtd host, LiveLab lab, LiveGuest guest)
    {
        var machine = await LiveMachine.DefineAsync(host, guest, new("web1") { DataDisks = [DiskKind.RawFile] }, Cancellation);
        await machine.StartAsync(Cancellation);
        await machine.StartWriterAsync(Cancellation, "/data/records", "/mnt/vdb/records");
        TakenPoint? point = null;
        for (var round = 1; round <= 3; round++)
        {
            if (round == 3) await MakeScratchPoolAsync(host);
            await machine.WaitForRecordAsync(machine.LastDurableRecord + 10, Cancellation);
            var durable = machine.LastDurableRecord;
            point = await lab.BackUpAsync("web1", point, Cancellation);
            Assert.Equal("FileSystemConsistent", point.Consistency);
            foreach (var file in point.Files.Values)
            {
                var found = await DiskCheck.RunAsync(file, Cancellation);
                Assert.True(found is { NeededRecovery: false, IsClean: true, Records.Damage: null }, $"{round}: {found}");
                Assert.True(found.Records.Count >= durable, $"{round}: {found.Records.Count} records of {durable}");
            }

            Assert.Equal(round > 1, point.ReadBytes["vda"] < 4 << 20);
            Assert.Equal(round < 3, point.Notes.Any(note => note.Contains("is not watched", StringComparison.Ordinal)));
            await LiveLab.AssertCleanAsync(host, point, machine, Cancellation);
        }
    }

    private static async Task MakeScratchPoolAsync(Libvirtd host)
    {
        (await host.VirshAsync(["pool-define-as", "scratch", "dir", "--target", host.Folders.Scratch], Cancellation)).Succeeded();
        (await host.VirshAsync(["pool-start", "scratch"], Cancellation)).Succeeded();
    }
}
