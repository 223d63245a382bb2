using Strongroom.Backup.Machines;

namespace Strongroom.Libvirt.Restores;

/// <summary>New machines on a libvirt host.</summary>
public sealed class CreationTests
{
    private static readonly HostRun Run = new(Guid.Parse("0f8fad5b-d9cb-469f-a165-70867728950e"), 3);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_new_machine_appears_whole_and_shares_nothing_with_the_old_one()
    {
        await using var lab = await RestoreLab.StartAsync(Token);
        var source = await SampleDomain.DefineAsync(lab, "web1", Token);
        var before = lab.Files();
        var restorer = lab.NewRestorer();
        await using (var restore = await restorer.CreateAsync(RestoreLab.Wanted(source, "web2", Run), Run, Token))
        {
            foreach (var (disk, index) in source.Disks.Select((disk, index) => (disk, index))) await SampleDomain.WriteAsync(restore, disk, SampleDomain.Content(index), Token);
            Assert.Equal("web1", await lab.VirshAsync(Token, "list", "--all", "--name"));
            await restore.CommitAsync(Token);
            Assert.Empty(restore.Notes);
        }

        var made = await lab.BackedUpAsync("web2", Token);
        Assert.Equal((Run.JobId, "deallocated", null), (made.VmId, made.PowerState, made.Problem));
        Assert.Equal(source.Disks, made.Disks);
        Assert.Equal(["web2-vda.0f8fad5b-3.qcow2", "web2-vdb.0f8fad5b-3.raw"], lab.Files().Except(before));
        Assert.Equal(SampleDomain.Content(0), await SampleDomain.ReadAsync(Path.Combine(lab.Disks, "web2-vda.0f8fad5b-3.qcow2"), "qcow2", Token));
        Assert.Equal(SampleDomain.Content(1), await File.ReadAllBytesAsync(Path.Combine(lab.Disks, "web2-vdb.0f8fad5b-3.raw"), Token));
        Assert.NotEqual(source.Networks[0].MacAddress, made.Networks[0].MacAddress);
        foreach (var old in (string[])["cd.iso", "web1", "5999", "secret"]) Assert.DoesNotContain(old, made.Definition, StringComparison.Ordinal);
        Assert.Contains("<serial>system</serial>", made.Definition, StringComparison.Ordinal);

        // The job may run again, when the server ended before it was written down.
        await using (var again = await restorer.CreateAsync(RestoreLab.Wanted(source, "web2", Run), Run with { Fence = 4 }, Token)) Assert.True(again.IsCommitted);
        var taken = await Assert.ThrowsAsync<MachineException>(() => restorer.CreateAsync(RestoreLab.Wanted(source, "WEB2", new(Guid.NewGuid(), 1)), new(Guid.NewGuid(), 1), Token));
        Assert.Equal(MachineProblem.NameTaken, taken.Problem);
    }

    [Fact]
    public async Task A_run_that_was_cut_off_leaves_nothing_when_the_server_starts_again_or_the_job_does()
    {
        await using var lab = await RestoreLab.StartAsync(Token);
        var source = await SampleDomain.DefineAsync(lab, "web1", Token);
        var before = lab.Files();
        await CutOffAsync(Run);
        Assert.NotEqual(before, lab.Files());
        await lab.SweepAsync(Token);
        Assert.Equal(before, lab.Files());

        var late = await CutOffAsync(Run);
        await using (var restore = await lab.NewRestorer().CreateAsync(RestoreLab.Wanted(source, "web2", Run), Run with { Fence = 4 }, Token))
        {
            await SampleDomain.WriteAsync(restore, source.Disks[0], SampleDomain.Content(1), Token);
            // The earlier run is not dead but slow, and comes to its end now.
            await Assert.ThrowsAsync<MachineException>(() => late.CommitAsync(Token));
            await restore.CommitAsync(Token);
        }

        await late.DisposeAsync();
        await lab.SweepAsync(Token);
        Assert.Equal(["web2-vda.0f8fad5b-4.qcow2"], lab.Files().Except(before));
        Assert.Equal(SampleDomain.Content(1), await SampleDomain.ReadAsync(Path.Combine(lab.Disks, "web2-vda.0f8fad5b-4.qcow2"), "qcow2", Token));

        async Task<IMachineRestore> CutOffAsync(HostRun run)
        {
            var restore = await lab.NewRestorer().CreateAsync(RestoreLab.Wanted(source, "web2", run), run, Token);
            await SampleDomain.WriteAsync(restore, source.Disks[0], SampleDomain.Content(0), Token);
            return restore;
        }
    }

    [Fact]
    public async Task What_another_host_of_the_pool_or_another_server_of_the_host_works_on_stays()
    {
        await using var lab = await RestoreLab.StartAsync(Token);
        await using var neighbour = await RestoreLab.StartAsync(Token);
        // Folders of one network file system, as both hosts see them.
        await neighbour.AddPoolAsync("shared", lab.Disks, Token);
        var source = await SampleDomain.DefineAsync(lab, "web1", Token);
        await using var restore = await lab.NewRestorer().CreateAsync(RestoreLab.Wanted(source, "web2", Run), Run, Token);
        await SampleDomain.WriteAsync(restore, source.Disks[0], SampleDomain.Content(0), Token);
        var files = lab.Files();
        await neighbour.SweepAsync(Token);
        Assert.Equal(files, lab.Files());

        lab.ServerId = Guid.NewGuid();
        await lab.SweepAsync(Token);
        Assert.Equal(files, lab.Files());
        await restore.CommitAsync(Token);
    }

    [Fact]
    public async Task A_restored_machine_whose_disks_are_taken_off_keeps_them_through_a_start_of_the_server()
    {
        await using var lab = await RestoreLab.StartAsync(Token);
        var source = await SampleDomain.DefineAsync(lab, "web1", Token);
        await using (var restore = await lab.NewRestorer().CreateAsync(RestoreLab.Wanted(source, "web2", Run), Run, Token))
        {
            await SampleDomain.WriteAsync(restore, source.Disks[0], SampleDomain.Content(0), Token);
            await restore.CommitAsync(Token);
        }

        var files = lab.Files();
        await lab.VirshAsync(Token, "undefine", "web2");
        await lab.SweepAsync(Token);
        Assert.Equal(files, lab.Files());
    }

    [Fact]
    public async Task Where_the_server_does_not_see_the_pool_disks_are_sent()
    {
        await using var lab = await RestoreLab.StartAsync(Token);
        var source = await SampleDomain.DefineAsync(lab, "web1", Token);
        // libvirtd has another /var/lib/libvirt than the server, as another machine would.
        var there = Directory.CreateDirectory(Path.Combine(lab.Libvirtd.Folders.Root, "lib", "images-of-test")).FullName;
        await lab.AddPoolAsync("far", "/var/lib/libvirt/images-of-test", Token);
        lab.Host = lab.Host with { DiskPool = "far" };
        await using (var restore = await lab.NewRestorer().CreateAsync(RestoreLab.Wanted(source, "web2", Run), Run, Token))
        {
            foreach (var (disk, index) in source.Disks.Select((disk, index) => (disk, index))) await SampleDomain.WriteAsync(restore, disk, SampleDomain.Content(index), Token);
            await restore.CommitAsync(Token);
        }

        Assert.Empty(lab.Staged);
        Assert.Equal(["web2-vda.0f8fad5b-3.qcow2", "web2-vdb.0f8fad5b-3.raw"], Directory.GetFiles(there).Select(Path.GetFileName).Order());
        Assert.Equal(SampleDomain.Content(0), await SampleDomain.ReadAsync(Path.Combine(there, "web2-vda.0f8fad5b-3.qcow2"), "qcow2", Token));
        Assert.Equal(SampleDomain.Content(1), await File.ReadAllBytesAsync(Path.Combine(there, "web2-vdb.0f8fad5b-3.raw"), Token));
        var machine = await lab.BackedUpAsync("web2", Token);
        Assert.Equal(source.Disks, machine.Disks);
        Assert.Contains("/var/lib/libvirt/images-of-test/web2-vda.0f8fad5b-3.qcow2", machine.Definition, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_full_pool_is_told_and_nothing_stays_in_it()
    {
        using var folder = new TempFolder();
        var mounted = await CommandResult.RunAsync("mount", ["-t", "tmpfs", "-o", "size=6m", "strongroom-test", folder.Path], null, Token);
        Assert.SkipWhen(mounted.ExitCode != 0, $"This machine mounts nothing: {mounted.StandardError}");
        try
        {
            // libvirtd takes over the mounts that are there at its start.
            await using var lab = await RestoreLab.StartAsync(Token);
            await lab.AddPoolAsync("small", folder.Path, Token);
            var source = await SampleDomain.DefineAsync(lab, "web1", Token);
            lab.Host = lab.Host with { DiskPool = "small" };
            await using (var restore = await lab.NewRestorer().CreateAsync(RestoreLab.Wanted(source, "web2", Run), Run, Token))
            {
                await SampleDomain.WriteAsync(restore, source.Disks[0], SampleDomain.Content(0), Token);
                var full = await Assert.ThrowsAsync<MachineException>(() => SampleDomain.WriteAsync(restore, source.Disks[1], SampleDomain.Content(1), Token));
                Assert.Equal(MachineProblem.NotWritable, full.Problem);
                Assert.StartsWith("Disk 'vdb' cannot be written into storage pool 'small' of host 'one': ", full.Message, StringComparison.Ordinal);
            }

            Assert.Empty(Directory.GetFiles(folder.Path));
            Assert.Equal("web1", await lab.VirshAsync(Token, "list", "--all", "--name"));
        }
        finally
        {
            (await CommandResult.RunAsync("umount", ["--lazy", folder.Path], null, CancellationToken.None)).Succeeded();
        }
    }

    [Fact]
    public async Task A_pool_that_is_missing_or_at_rest_is_told()
    {
        await using var lab = await RestoreLab.StartAsync(Token);
        var source = await SampleDomain.DefineAsync(lab, "web1", Token);
        await lab.VirshAsync(Token, "pool-destroy", RestoreLab.Pool);
        Assert.Equal("Storage pool 'vms' of host 'one' is not active.", await RefusedAsync());
        lab.Host = lab.Host with { DiskPool = "none" };
        Assert.Equal("Host 'one' has no storage pool 'none'.", await RefusedAsync());
        await lab.Libvirtd.StopAsync();
        Assert.Equal(MachineProblem.HostUnreachable, (await Assert.ThrowsAsync<MachineException>(CreateAsync)).Problem);

        Task<IMachineRestore> CreateAsync() => lab.NewRestorer().CreateAsync(RestoreLab.Wanted(source, "web2", Run), Run, Token);

        async Task<string> RefusedAsync()
        {
            var refused = await Assert.ThrowsAsync<MachineException>(CreateAsync);
            Assert.Equal(MachineProblem.NotWritable, refused.Problem);
            return refused.Message;
        }
    }

    [Theory]
    [InlineData("Linux", "vda", "vdb")]
    [InlineData("Windows", "sda", "sdb")]
    public async Task A_machine_of_another_kind_of_host_gets_hardware_that_libvirt_takes(string osType, string system, string data)
    {
        await using var lab = await RestoreLab.StartAsync(Token);
        var source = await SampleDomain.DefineAsync(lab, "web1", Token) with { HostKind = "Folder", HostId = "", Definition = null, OsType = osType };
        source = source with { Disks = [new(-1, "os", SampleDomain.DiskBytes, "qcow2"), new(0, "data", SampleDomain.DiskBytes, "vhd")] };
        await using (var restore = await lab.NewRestorer().CreateAsync(RestoreLab.Wanted(source, "web2", Run), Run, Token))
        {
            foreach (var disk in source.Disks) await SampleDomain.WriteAsync(restore, disk, SampleDomain.Content(0), Token);
            await restore.CommitAsync(Token);
        }

        var made = await lab.BackedUpAsync("web2", Token);
        Assert.Equal([new MachineDisk(-1, system, SampleDomain.DiskBytes, "qcow2"), new MachineDisk(0, data, SampleDomain.DiskBytes, "qcow2")], made.Disks);
        Assert.Equal(("Libvirt_2_2048", Run.JobId), (made.Size, made.VmId));
    }
}
