using Strongroom.Backup.Machines;

namespace Strongroom.Libvirt.Restores;

/// <summary>Restored disks in the pool of a libvirt host, which no machine has yet.</summary>
public sealed class PoolTests
{
    private static readonly HostRun Run = new(Guid.Parse("0f8fad5b-d9cb-469f-a165-70867728950e"), 3);
    private static readonly string[] Names = ["web1-vda.0f8fad5b-3.qcow2", "web1-vdb.0f8fad5b-3.raw"];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Disks_are_volumes_and_stay_once_they_are_known(bool isRemote)
    {
        await using var lab = await RestoreLab.StartAsync(Token, isRemote);
        var source = await SampleDomain.DefineAsync(lab, "web1", Token);
        var before = lab.Files();
        await using (var restore = await BeginAsync(lab, source, Run))
        {
            await WriteAsync(restore, source);
            var volumes = await restore.FinishAsync(Token);
            Assert.Equal([-1, 0], volumes.Keys.Order());
            Assert.Equal(new HostVolume(lab.Host.Id, RestoreLab.Pool, Names[0], Path.Combine(lab.Disks, Names[0]), "qcow2"), volumes[-1]);
            Assert.Equal(new HostVolume(lab.Host.Id, RestoreLab.Pool, Names[1], Path.Combine(lab.Disks, Names[1]), "raw"), volumes[0]);
            lab.Known.UnionWith(volumes.Values.Select(volume => volume.Name));
        }

        await lab.SweepAsync(Token);
        Assert.Empty(lab.Staged);
        Assert.Equal(Names, lab.Files().Except(before));
        Assert.Equal(SampleDomain.Content(0), await SampleDomain.ReadAsync(Path.Combine(lab.Disks, Names[0]), "qcow2", Token));
        Assert.Equal(SampleDomain.Content(1), await File.ReadAllBytesAsync(Path.Combine(lab.Disks, Names[1]), Token));
        Assert.Equal("web1", await lab.VirshAsync(Token, "list", "--all", "--name"));

        // They are their owner's: whether they are known has no say any more.
        lab.Known.Clear();
        await lab.SweepAsync(Token);
        Assert.Equal(Names, lab.Files().Except(before));
    }

    [Fact]
    public async Task What_is_not_known_goes_when_the_run_ends_or_the_server_starts_again_or_the_job_does()
    {
        await using var lab = await RestoreLab.StartAsync(Token);
        var source = await SampleDomain.DefineAsync(lab, "web1", Token);
        var before = lab.Files();
        await using (var ended = await BeginAsync(lab, source, Run))
        {
            await WriteAsync(ended, source);
            Assert.NotEqual(before, lab.Files());
        }

        Assert.Equal(before, lab.Files());
        await WriteAsync(await BeginAsync(lab, source, Run), source);
        Assert.NotEqual(before, lab.Files());
        await lab.SweepAsync(Token);
        Assert.Equal(before, lab.Files());

        var late = await BeginAsync(lab, source, Run);
        await WriteAsync(late, source);
        await using (var next = await BeginAsync(lab, source, Run with { Fence = 4 }))
        {
            await SampleDomain.WriteAsync(next, source.Disks[0], SampleDomain.Content(1), Token);
            // The earlier run is not dead but slow, and comes to its end now.
            await Assert.ThrowsAsync<MachineException>(() => late.FinishAsync(Token));
            lab.Known.UnionWith((await next.FinishAsync(Token)).Values.Select(volume => volume.Name));
        }

        await late.DisposeAsync();
        await lab.SweepAsync(Token);
        Assert.Equal(["web1-vda.0f8fad5b-4.qcow2"], lab.Files().Except(before));
        Assert.Equal(SampleDomain.Content(1), await SampleDomain.ReadAsync(Path.Combine(lab.Disks, "web1-vda.0f8fad5b-4.qcow2"), "qcow2", Token));
    }

    [Fact]
    public async Task A_server_that_dies_after_the_resources_were_stored_keeps_the_disks_at_its_start()
    {
        await using var lab = await RestoreLab.StartAsync(Token);
        var source = await SampleDomain.DefineAsync(lab, "web1", Token);
        var before = lab.Files();
        var killed = await BeginAsync(lab, source, Run);
        await WriteAsync(killed, source);
        lab.Known.UnionWith((await killed.FinishAsync(Token)).Values.Select(volume => volume.Name));
        Assert.Equal(3, lab.Files().Except(before).Count());

        await lab.SweepAsync(Token);

        Assert.Equal(Names, lab.Files().Except(before));
        Assert.Equal(SampleDomain.Content(0), await SampleDomain.ReadAsync(Path.Combine(lab.Disks, Names[0]), "qcow2", Token));
    }

    [Fact]
    public async Task A_volume_of_the_name_is_neither_replaced_nor_removed()
    {
        await using var lab = await RestoreLab.StartAsync(Token);
        var source = await SampleDomain.DefineAsync(lab, "web1", Token);
        await File.WriteAllTextAsync(Path.Combine(lab.Disks, Names[0]), "somebody's", Token);
        var files = lab.Files();

        var refused = await Assert.ThrowsAsync<MachineException>(() => BeginAsync(lab, source, Run));
        await lab.SweepAsync(Token);

        Assert.Equal(MachineProblem.NotWritable, refused.Problem);
        Assert.Equal($"Storage pool 'vms' of host 'one' has a volume '{Names[0]}', which is a name of this restore's.", refused.Message);
        Assert.Equal(files, lab.Files());
        Assert.Equal("somebody's", await File.ReadAllTextAsync(Path.Combine(lab.Disks, Names[0]), Token));

        // The job's next run has names of its own.
        await using var next = await BeginAsync(lab, source, Run with { Fence = 4 });
        await WriteAsync(next, source);
        Assert.Equal("somebody's", await File.ReadAllTextAsync(Path.Combine(lab.Disks, Names[0]), Token));
    }

    [Fact]
    public async Task Disks_that_somebody_gave_to_a_machine_before_they_were_known_stay()
    {
        await using var lab = await RestoreLab.StartAsync(Token);
        var source = await SampleDomain.DefineAsync(lab, "web1", Token);
        var before = lab.Files();
        await WriteAsync(await BeginAsync(lab, source, Run), source);
        await lab.VirshAsync(Token, "attach-disk", "web1", Path.Combine(lab.Disks, Names[1]), "vdc", "--config", "--subdriver", "raw");

        await lab.SweepAsync(Token);

        Assert.Equal([Names[1]], lab.Files().Except(before));
    }

    [Fact]
    public async Task Where_the_server_does_not_see_the_pool_disks_are_sent()
    {
        await using var lab = await RestoreLab.StartAsync(Token);
        var source = await SampleDomain.DefineAsync(lab, "web1", Token);
        var there = Directory.CreateDirectory(Path.Combine(lab.Libvirtd.Folders.Root, "lib", "images-of-test")).FullName;
        await lab.AddPoolAsync("far", "/var/lib/libvirt/images-of-test", Token);
        lab.Host = lab.Host with { DiskPool = "far" };
        await using (var restore = await BeginAsync(lab, source, Run))
        {
            await WriteAsync(restore, source);
            var volumes = await restore.FinishAsync(Token);
            Assert.Equal("/var/lib/libvirt/images-of-test/" + Names[0], volumes[-1].Path);
            lab.Known.UnionWith(volumes.Values.Select(volume => volume.Name));
        }

        Assert.Empty(lab.Staged);
        Assert.Equal(Names, Directory.GetFiles(there).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Equal(SampleDomain.Content(0), await SampleDomain.ReadAsync(Path.Combine(there, Names[0]), "qcow2", Token));
    }

    [Fact]
    public async Task Only_a_host_of_the_group_in_the_machines_location_gets_them()
    {
        await using var lab = await RestoreLab.StartAsync(Token);
        var source = await SampleDomain.DefineAsync(lab, "web1", Token);
        var files = lab.Files();
        Assert.Null(await lab.NewRestorer().CreateDisksAsync(RestoreLab.WantedDisks(source, "others"), Run, Token));
        Assert.Null(await lab.NewRestorer().CreateDisksAsync(RestoreLab.WantedDisks(source with { Location = "northeurope" }), Run, Token));
        Assert.Equal(files, lab.Files());
    }

    private static async Task<IDiskRestore> BeginAsync(RestoreLab lab, VirtualMachine source, HostRun run) => (await lab.NewRestorer().CreateDisksAsync(RestoreLab.WantedDisks(source), run, Token))!;

    private static async Task WriteAsync(IDiskRestore restore, VirtualMachine source)
    {
        foreach (var (disk, index) in source.Disks.Select((disk, index) => (disk, index))) await SampleDomain.WriteAsync(restore, disk, SampleDomain.Content(index), Token);
    }
}
