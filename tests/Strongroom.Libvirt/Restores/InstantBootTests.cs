using Microsoft.Extensions.Logging.Abstractions;
using Strongroom.Backup.Machines;
using Strongroom.Blocks;
using Strongroom.Libvirt.Guests;
using Strongroom.Libvirt.Machines;
using Strongroom.Workloads.VirtualMachines.Libvirt.InstantBoot;

namespace Strongroom.Libvirt.Restores;

/// <summary>Machines that run from the vault, and come to have their own disks.</summary>
public sealed class InstantBootTests
{
    private static readonly HostRun Run = new(Guid.Parse("0f8fad5b-d9cb-469f-a165-70867728950e"), 1);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_machine_boots_from_the_vault_outlives_its_server_and_comes_to_have_its_data()
    {
        var guest = await LiveGuest.FindAsync(Token);
        await using var lab = await RestoreLab.StartAsync(Token);
        await LiveMachine.DefineAsync(lab.Libvirtd, guest, new("web1"), Token);
        var source = await lab.BackedUpAsync("web1", Token);
        var before = lab.Files();
        LiveMachine machine;
        await using (var vault = await VaultDisk.OpenAsync(guest.BootDisk, Token))
        await using (var boot = await BeginAsync(lab, source, Run))
        {
            Assert.False(boot.IsMade);
            await boot.ServeAsync([(source.Disks[0], vault)], Token);
            await boot.BootAsync(Token);
            Assert.True(boot.IsMade);
            machine = await LiveMachine.FindAsync(lab.Libvirtd, "web2", Token);
            await machine.Agent.WaitAsync(Token);
            await LoginPrompt.WaitAsync(machine, "instant-boot-login", Token);
            Assert.InRange(vault.BytesRead, 1, source.Disks[0].SizeBytes - 1);
            (await machine.RunAsync("echo written while it ran from the vault >/data/note; sync", Token)).Succeeded();
        }

        // The server is gone: what the guest asks for now stops it, and it does not fail.
        await lab.VirshAsync(Token, "qemu-agent-command", "web2", """{"execute":"guest-exec","arguments":{"path":"/bin/sh","arg":["-c","cat /dev/vda >/dev/null"]}}""");
        await machine.WaitForStateAsync("paused", Token);
        await lab.SweepAsync(Token);
        await using (var vault = await VaultDisk.OpenAsync(guest.BootDisk, Token))
        await using (var boot = await BeginAsync(lab, source, Run with { Fence = 2 }))
        {
            Assert.True(boot.IsMade);
            await boot.ServeAsync([(source.Disks[0], vault)], Token);
            Assert.Equal(BootTransferState.IsDone, await TransferAsync(boot));
            await boot.EndAsync(Token);
        }

        await machine.WaitForStateAsync("running", Token);
        Assert.Equal("written while it ran from the vault", (await machine.RunAsync("cat /data/note", Token)).Succeeded().StandardOutput.Trim());
        Assert.Equal(["web2-vda.0f8fad5b-1.qcow2"], lab.Files().Except(before));
        Assert.Empty(Directory.GetFiles(lab.Libvirtd.Folders.Scratch, "boot-*"));
        var definition = (await lab.DescribeAsync("web2", Token)).ToString();
        foreach (var trace in (string[])["served", "error_policy", "nbd"]) Assert.DoesNotContain(trace, definition, StringComparison.Ordinal);
        await machine.ShutDownAsync(Token);
        await machine.StartAsync(Token);
        await machine.ShutDownAsync(Token);

        // Its data are those of the point but where it has written: the boot partition is as it was.
        var image = (await CommandResult.RunAsync("qemu-img", ["info", machine.Disks[0].Path], null, Token)).Succeeded().StandardOutput;
        Assert.DoesNotContain("backing", image, StringComparison.Ordinal);
        var (now, then) = (await SampleDomain.ReadAsync(machine.Disks[0].Path, "qcow2", Token), await File.ReadAllBytesAsync(guest.BootDisk, Token));
        Assert.True(now.AsSpan(0, 20 << 20).SequenceEqual(then.AsSpan(0, 20 << 20)));
        await lab.SweepAsync(Token);
        Assert.Equal(["web2-vda.0f8fad5b-1.qcow2"], lab.Files().Except(before));
    }

    [Fact]
    public async Task A_transfer_whose_server_stops_goes_on_with_the_next()
    {
        var guest = await LiveGuest.FindAsync(Token);
        await using var lab = await RestoreLab.StartAsync(Token);
        await LiveMachine.DefineAsync(lab.Libvirtd, guest, new("web1"), Token);
        var source = await lab.BackedUpAsync("web1", Token);
        await using (var vault = await VaultDisk.OpenAsync(guest.BootDisk, Token, slows: true))
        await using (var boot = await BeginAsync(lab, source, Run))
        {
            await boot.ServeAsync([(source.Disks[0], vault)], Token);
            await boot.BootAsync(Token);
            for (var look = 0; look < 4; look++)
            {
                Assert.Equal(BootTransferState.Moves, (await boot.TransferAsync(Token)).State);
                await Task.Delay(200, Token);
            }
        }

        var machine = await LiveMachine.FindAsync(lab.Libvirtd, "web2", Token);
        await using (var vault = await VaultDisk.OpenAsync(guest.BootDisk, Token))
        await using (var boot = await BeginAsync(lab, source, Run with { Fence = 2 }))
        {
            await boot.ServeAsync([(source.Disks[0], vault)], Token);
            Assert.Equal(BootTransferState.IsDone, await TransferAsync(boot));
            await boot.EndAsync(Token);
        }

        await machine.Agent.WaitAsync(Token);
    }

    [Fact]
    public async Task The_transfer_waits_for_a_machine_that_is_off_and_ends_with_one_that_is_deleted()
    {
        var guest = await LiveGuest.FindAsync(Token);
        await using var lab = await RestoreLab.StartAsync(Token);
        await LiveMachine.DefineAsync(lab.Libvirtd, guest, new("web1"), Token);
        var source = await lab.BackedUpAsync("web1", Token);
        var before = lab.Files();
        await using var vault = await VaultDisk.OpenAsync(guest.BootDisk, Token);
        await using var boot = await BeginAsync(lab, source, Run);
        await boot.ServeAsync([(source.Disks[0], vault)], Token);
        await boot.BootAsync(Token);
        await lab.VirshAsync(Token, "destroy", "web2");
        Assert.Equal(BootTransferState.IsOff, (await boot.TransferAsync(Token)).State);
        await lab.VirshAsync(Token, "start", "web2");
        Assert.Equal(BootTransferState.Moves, (await boot.TransferAsync(Token)).State);
        await lab.VirshAsync(Token, "destroy", "web2");
        await lab.VirshAsync(Token, "undefine", "web2");
        Assert.Equal(BootTransferState.IsGone, (await boot.TransferAsync(Token)).State);
        await boot.EndAsync(Token);
        Assert.Equal(before, lab.Files());
    }

    [Fact]
    public async Task A_machine_that_was_made_and_not_started_is_started_by_the_next_try()
    {
        await using var lab = await RestoreLab.StartAsync(Token);
        var source = await SampleDomain.DefineAsync(lab, "web1", Token);
        source = source with { Disks = [source.Disks[0]] };
        var before = lab.Files();
        using var folder = new TempFolder();
        await File.WriteAllBytesAsync(folder.Combine("vda"), SampleDomain.Content(1), Token);
        await using var vault = await VaultDisk.OpenAsync(folder.Combine("vda"), Token);
        await using (var boot = await BeginAsync(lab, source, Run))
        {
            await boot.ServeAsync([(source.Disks[0], vault)], Token);
            await boot.BootAsync(Token);
            // As if the host had been lost in between.
            await lab.VirshAsync(Token, "destroy", "web2");
        }

        await using (var boot = await BeginAsync(lab, source, Run with { Fence = 2 }))
        {
            await boot.ServeAsync([(source.Disks[0], vault)], Token);
            await boot.BootAsync(Token);
            Assert.Equal("running", await lab.VirshAsync(Token, "domstate", "web2"));
            await boot.BootAsync(Token);
            await lab.VirshAsync(Token, "destroy", "web2");
            File.Delete(Path.Combine(lab.Disks, "web2-vda.0f8fad5b-1.qcow2"));
            // It may have run, so that it is not removed.
            Assert.Equal(MachineProblem.HostFailed, (await Assert.ThrowsAsync<MachineException>(() => boot.BootAsync(Token))).Problem);
            Assert.True(boot.IsMade);
            await boot.AbandonAsync();
        }

        Assert.Equal("web1", await lab.VirshAsync(Token, "list", "--all", "--name"));
        Assert.Equal(before, lab.Files());
    }

    [Theory]
    [InlineData("snapshot")]
    [InlineData("definition")]
    public async Task A_machine_whose_owner_changed_it_is_not_taken_to_have_its_data_before_it_has_them(string change)
    {
        await using var lab = await RestoreLab.StartAsync(Token);
        var source = await SampleDomain.DefineAsync(lab, "web1", Token);
        using var folder = new TempFolder();
        foreach (var disk in source.Disks) await File.WriteAllBytesAsync(folder.Combine(disk.Name), SampleDomain.Content(disk.Lun + 1), Token);
        await using (var boot = await BeginAsync(lab, source, Run))
        {
            await using var first = await VaultDisk.OpenAsync(folder.Combine("vda"), Token);
            await using var second = await VaultDisk.OpenAsync(folder.Combine("vdb"), Token);
            await boot.ServeAsync([(source.Disks[0], first), (source.Disks[1], second)], Token);
            await boot.BootAsync(Token);
            if (change == "snapshot") await lab.VirshAsync(Token, "snapshot-create-as", "web2", "snap1", "--disk-only", "--no-metadata");
            await lab.VirshAsync(Token, "destroy", "web2");
            if (change == "definition")
            {
                var description = await lab.DescribeAsync("web2", Token);
                description.Element("metadata")!.Remove();
                await lab.UseAsync(connection =>
                {
                    using var defined = connection.DefineDomain(description.ToString());
                    return 0;
                }, Token);
            }

            Assert.Equal(BootTransferState.IsOff, (await boot.TransferAsync(Token)).State);
        }

        await lab.SweepAsync(Token);
        await using (var boot = await BeginAsync(lab, source, Run with { Fence = 2 }))
        {
            await using var first = await VaultDisk.OpenAsync(folder.Combine("vda"), Token);
            await using var second = await VaultDisk.OpenAsync(folder.Combine("vdb"), Token);
            Assert.True(boot.IsMade);
            await boot.ServeAsync([(source.Disks[0], first), (source.Disks[1], second)], Token);
            Assert.Equal(BootTransferState.IsOff, (await boot.TransferAsync(Token)).State);
            await lab.VirshAsync(Token, "start", "web2");
            Assert.Equal(BootTransferState.IsDone, await TransferAsync(boot));
            await boot.EndAsync(Token);
        }

        await lab.VirshAsync(Token, "destroy", "web2");
        await lab.VirshAsync(Token, "start", "web2");
        await lab.VirshAsync(Token, "destroy", "web2");
        Assert.True(File.Exists(Path.Combine(lab.Disks, "web2-vda.0f8fad5b-1.qcow2")));
        var image = (string)(await lab.DescribeAsync("web2", Token)).Element("devices")!.Elements("disk").First().Element("source")!.Attribute("file")!;
        Assert.Equal(SampleDomain.Content(source.Disks[0].Lun + 1), await SampleDomain.ReadAsync(image, "qcow2", Token));
    }

    [Fact]
    public async Task What_is_given_up_or_cannot_start_leaves_nothing()
    {
        var guest = await LiveGuest.FindAsync(Token);
        await using var lab = await RestoreLab.StartAsync(Token);
        await LiveMachine.DefineAsync(lab.Libvirtd, guest, new("web1"), Token);
        var source = await lab.BackedUpAsync("web1", Token);
        var before = lab.Files();
        await using var vault = await VaultDisk.OpenAsync(guest.BootDisk, Token);
        await using (var boot = await BeginAsync(lab, source, Run))
        {
            await boot.ServeAsync([(source.Disks[0], vault)], Token);
            await boot.BootAsync(Token);
            await boot.AbandonAsync();
        }

        await using (var boot = await BeginAsync(lab, source with { Definition = source.Definition!.Replace("</devices>", "<interface type='network'><source network='none'/></interface></devices>", StringComparison.Ordinal) }, Run))
        {
            await boot.ServeAsync([(source.Disks[0], vault)], Token);
            var failed = await Assert.ThrowsAsync<MachineException>(() => boot.BootAsync(Token));
            Assert.StartsWith("Host 'one' cannot start the machine: ", failed.Message, StringComparison.Ordinal);
        }

        Assert.Equal("web1", await lab.VirshAsync(Token, "list", "--all", "--name"));
        Assert.Equal(before, lab.Files());
        Assert.Empty(Directory.GetFiles(lab.Libvirtd.Folders.Scratch, "boot-*"));
    }

    private static Task<IInstantBoot> BeginAsync(RestoreLab lab, VirtualMachine source, HostRun run) =>
        new LibvirtBooter(lab, lab.Fabric, "/nowhere", lab.ServerId, TimeProvider.System, NullLogger<LibvirtBooter>.Instance).BeginAsync(RestoreLab.Wanted(source, "web2", run), run, Token);

    private static async Task<BootTransferState> TransferAsync(IInstantBoot boot)
    {
        while (true)
        {
            if (await boot.TransferAsync(Token) is { State: not BootTransferState.Moves } moved) return moved.State;
            await Task.Delay(100, Token);
        }
    }

    /// <summary>A disk of a recovery point, which counts what is read of it.</summary>
    private sealed class VaultDisk(ReadOnlyDevice inner, bool slows) : IBlockDevice, IAsyncDisposable
    {
        private long _bytesRead;

        public long BytesRead => Volatile.Read(ref _bytesRead);

        public long LengthBytes => inner.LengthBytes;

        public bool IsReadOnly => true;

        public static async Task<VaultDisk> OpenAsync(string file, CancellationToken cancellationToken, bool slows = false) =>
            new(new(await DiskImage.OpenAsync(DiskFile.OpenRegular(file), new() { Format = DiskFormat.Raw }, cancellationToken)), slows);

        public async ValueTask ReadAsync(long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken)
        {
            Interlocked.Add(ref _bytesRead, buffer.Length);
            if (slows) await Task.Delay(50, cancellationToken);
            await inner.ReadAsync(offsetBytes, buffer, cancellationToken);
        }

        public ValueTask WriteAsync(long offsetBytes, ReadOnlyMemory<byte> data, CancellationToken cancellationToken) => inner.WriteAsync(offsetBytes, data, cancellationToken);

        public ValueTask ZeroAsync(long offsetBytes, long lengthBytes, CancellationToken cancellationToken) => inner.ZeroAsync(offsetBytes, lengthBytes, cancellationToken);

        public ValueTask FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

        public ValueTask<IReadOnlyList<BlockExtent>> DescribeAsync(long offsetBytes, long lengthBytes, int maximumExtents, CancellationToken cancellationToken) =>
            inner.DescribeAsync(offsetBytes, lengthBytes, maximumExtents, cancellationToken);

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
