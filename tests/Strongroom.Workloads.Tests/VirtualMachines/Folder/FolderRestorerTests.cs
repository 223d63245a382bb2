using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;
using Strongroom.Backup.Machines;
using Strongroom.Workloads.VirtualMachines.Folder.Restores;

namespace Strongroom.Workloads.Tests.VirtualMachines.Folder;

public sealed class FolderRestorerTests : IDisposable
{
    private static readonly HostRun Run = new(Guid.Parse("0f8fad5b-d9cb-469f-a165-70867728950e"), 3);

    private readonly FabricFixture _fixture = new();
    private readonly byte[] _new = FabricFixture.Noise(1 << 20, 7);

    public void Dispose() => _fixture.Dispose();

    private FolderRestorer Restorer => new(_fixture, _fixture.Roots, _fixture.Fabric, TimeProvider.System, NullLogger<FolderRestorer>.Instance);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_new_machine_appears_whole_with_its_description()
    {
        FabricFixture.RequireQemu();
        var source = await SourceAsync();
        var restore = await Restorer.CreateAsync(Wanted(source, "web2"), Run, Token);
        await WriteAsync(restore, new(-1, "os", _new.Length, "qcow2"));
        await WriteAsync(restore, new(0, "data", _new.Length, "raw"));
        Assert.Single(await _fixture.ListMachinesAsync());

        await restore.CommitAsync(Token);
        await restore.DisposeAsync();

        var made = (await _fixture.ListMachinesAsync()).Single(m => m.Name == "web2");
        Assert.Null(made.Problem);
        Assert.Equal([new MachineDisk(-1, "os", _new.Length, "qcow2"), new MachineDisk(0, "data", _new.Length, "raw")], made.Disks);
        Assert.Equal((source.Size, Run.JobId), (made.Size, made.VmId));
        var folder = Path.Combine(_fixture.Hosts, "web2");
        Assert.Equal(_new, await File.ReadAllBytesAsync(Path.Combine(folder, "data.raw"), Token));
        await FabricFixture.RunAsync("qemu-img", "check", "-f", "qcow2", Path.Combine(folder, "os.qcow2"));
        await FabricFixture.RunAsync("qemu-img", "compare", "-f", "qcow2", "-F", "raw", Path.Combine(folder, "os.qcow2"), Path.Combine(folder, "data.raw"));
        Assert.Empty(Hidden());
        // The job may run again, when the server ended before it was written down.
        Assert.True((await Restorer.CreateAsync(Wanted(source, "web2"), Run with { Fence = 4 }, Token)).IsCommitted);
        var other = await Assert.ThrowsAsync<MachineException>(() => Restorer.CreateAsync(Wanted(source, "web2"), new(Guid.NewGuid(), 1), Token));
        Assert.Equal(MachineProblem.NameTaken, other.Problem);
    }

    [Fact]
    public async Task Disks_are_replaced_and_all_else_stays()
    {
        var machine = await SourceAsync();
        var notes = _fixture.Write("web1/notes.txt", "mine");
        _fixture.Write("web1/nvram/vars.fd", "vars");
        File.CreateSymbolicLink(Path.Combine(_fixture.Hosts, "web1/link"), "notes.txt");
        File.SetUnixFileMode(Path.Combine(_fixture.Hosts, "web1/os.img"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
        var inode = Inode(notes);
        var data = await File.ReadAllBytesAsync(Path.Combine(_fixture.Hosts, "web1/data.raw"), Token);

        await using (var restore = await Restorer.ReplaceAsync(machine, Run, Token))
        {
            await WriteAsync(restore, new(-1, "os", _new.Length, "raw"));
            Assert.NotEqual(_new, await File.ReadAllBytesAsync(Path.Combine(_fixture.Hosts, "web1/os.img"), Token));
            await restore.CommitAsync(Token);
        }

        var folder = Path.Combine(_fixture.Hosts, "web1");
        Assert.Equal(_new, await File.ReadAllBytesAsync(Path.Combine(folder, "os.img"), Token));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead, File.GetUnixFileMode(Path.Combine(folder, "os.img")));
        Assert.Equal(data, await File.ReadAllBytesAsync(Path.Combine(folder, "data.raw"), Token));
        Assert.Equal(("mine", "vars", "notes.txt"), (await File.ReadAllTextAsync(notes, Token), await File.ReadAllTextAsync(Path.Combine(folder, "nvram/vars.fd"), Token), new FileInfo(Path.Combine(folder, "link")).LinkTarget));
        Assert.Equal(inode, Inode(notes));
        Assert.Empty(Hidden());
        Assert.Equal(machine.VmId, (await _fixture.OnlyMachineAsync()).VmId);
        Assert.True((await Restorer.ReplaceAsync(machine, Run with { Fence = 4 }, Token)).IsCommitted);
        await using var next = await Restorer.ReplaceAsync(machine, new(Guid.NewGuid(), 1), Token);
        Assert.False(next.IsCommitted);
    }

    [Fact]
    public async Task A_machine_that_lost_all_its_disks_gets_them_back()
    {
        var machine = await SourceAsync();
        File.Delete(Path.Combine(_fixture.Hosts, "web1/os.img"));
        File.Delete(Path.Combine(_fixture.Hosts, "web1/data.raw"));
        Assert.NotNull((await _fixture.OnlyMachineAsync()).Problem);
        await using (var restore = await Restorer.ReplaceAsync(machine, Run, Token))
        {
            await WriteAsync(restore, new(-1, "os", _new.Length, "raw"));
            await restore.CommitAsync(Token);
        }

        // Under the name that the machine's description has for it.
        Assert.Equal(_new, await File.ReadAllBytesAsync(Path.Combine(_fixture.Hosts, "web1/os.img"), Token));
        var whole = await _fixture.OnlyMachineAsync();
        Assert.Equal((null, new MachineDisk(-1, "os", _new.Length, "raw")), (whole.Problem, Assert.Single(whole.Disks)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_machine_whose_disk_is_in_use_keeps_it(bool isLocked)
    {
        FabricFixture.RequireQemu();
        var machine = await SourceAsync();
        var disk = Path.Combine(_fixture.Hosts, "web1/data.raw");
        using var user = isLocked
            ? Start("qemu-io", "-f", "raw", disk)
            : Start("tail", "-f", disk);
        try
        {
            await UntilOpenAsync(user, disk);
            var refused = await Assert.ThrowsAsync<MachineException>(() => Restorer.ReplaceAsync(machine, Run, Token));
            Assert.Equal(MachineProblem.DiskInUse, refused.Problem);
            Assert.DoesNotContain(disk, refused.Message, StringComparison.Ordinal);
            Assert.Empty(Hidden());
        }
        finally
        {
            user.Kill();
        }
    }

    [Fact]
    public async Task A_machine_cannot_be_started_while_its_disks_are_replaced()
    {
        FabricFixture.RequireQemu();
        var machine = await SourceAsync();
        await using (var restore = await Restorer.ReplaceAsync(machine, Run, Token))
        {
            using var user = Start("qemu-io", "-f", "raw", "-c", "read 0 512", Path.Combine(_fixture.Hosts, "web1/data.raw"));
            var error = await user.StandardError.ReadToEndAsync(Token);
            Assert.Contains("lock", error, StringComparison.OrdinalIgnoreCase);
        }

        await FabricFixture.RunAsync("qemu-io", "-f", "raw", "-c", "read 0 512", Path.Combine(_fixture.Hosts, "web1/data.raw"));
    }

    [Fact]
    public async Task Without_a_commit_nothing_is_left()
    {
        var machine = await SourceAsync();
        var before = await File.ReadAllBytesAsync(Path.Combine(_fixture.Hosts, "web1/os.img"), Token);
        await using (var restore = await Restorer.ReplaceAsync(machine, Run, Token)) await WriteAsync(restore, new(-1, "os", _new.Length, "raw"));
        await using (var restore = await Restorer.CreateAsync(Wanted(machine, "web2"), Run, Token)) await WriteAsync(restore, new(-1, "os", _new.Length, "raw"));
        Assert.Empty(Hidden());
        Assert.Equal(before, await File.ReadAllBytesAsync(Path.Combine(_fixture.Hosts, "web1/os.img"), Token));
        Assert.Single(await _fixture.ListMachinesAsync());
    }

    [Fact]
    public async Task What_a_dead_server_left_is_cleared_by_the_next_run_and_by_the_next_start()
    {
        var machine = await SourceAsync();
        _fixture.Write($".strongroom-restore-{Run.JobId:N}.1/os.img", _new);
        _fixture.Write($".strongroom-restore-{Guid.NewGuid():N}.1/os.img", _new);
        _fixture.Write(".strongroom-restore-other/keep.raw", _new);
        await (await Restorer.ReplaceAsync(machine, Run, Token)).DisposeAsync();
        Assert.Equal(2, Hidden().Length);

        await Restorer.SweepAsync(FabricFixture.Subscription, Token);

        Assert.Equal(".strongroom-restore-other", Path.GetFileName(Assert.Single(Hidden())));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_server_that_died_right_after_the_exchange_leaves_the_new_machine_and_the_rest_is_brought_over(bool sweeps)
    {
        // The exchange has happened: the folder has the new disk and the marker, the stage is what the folder was.
        var machine = await SourceAsync();
        var stage = $".strongroom-restore-{Run.JobId:N}.1";
        _fixture.Write($"{stage}/os.img", [1, 2, 3]);
        _fixture.Write($"{stage}/nvram/vars.fd", "vars");
        _fixture.Write("web1/os.img", _new);
        new RestoreMarker(Run.JobId, ["os.img"]).Write(Path.Combine(_fixture.Hosts, "web1"));

        if (sweeps) await Restorer.SweepAsync(FabricFixture.Subscription, Token);
        else Assert.True((await Restorer.ReplaceAsync(machine, Run, Token)).IsCommitted);

        Assert.Empty(Hidden());
        Assert.Equal(_new, await File.ReadAllBytesAsync(Path.Combine(_fixture.Hosts, "web1/os.img"), Token));
        Assert.Equal("vars", await File.ReadAllTextAsync(Path.Combine(_fixture.Hosts, "web1/nvram/vars.fd"), Token));
    }

    [Fact]
    public async Task A_group_without_a_host_and_a_disk_that_is_a_link_are_refused()
    {
        var machine = await SourceAsync();
        var nowhere = await Assert.ThrowsAsync<MachineException>(() => Restorer.CreateAsync(Wanted(machine, "web2") with { ResourceGroup = "other" }, Run, Token));
        Assert.Equal(MachineProblem.NoHost, nowhere.Problem);

        var target = _fixture.Write(".pool/far.raw", _new);
        File.CreateSymbolicLink(Path.Combine(_fixture.Hosts, "web1/far.raw"), target);
        await using var restore = await Restorer.ReplaceAsync(machine, Run, Token);
        var linked = await Assert.ThrowsAsync<MachineException>(() => restore.CreateDiskAsync(new(1, "far", _new.Length, "raw"), Token));
        Assert.Equal(MachineProblem.DiskUnsupported, linked.Problem);
    }

    private async Task<VirtualMachine> SourceAsync()
    {
        _fixture.Write("web1/os.img", FabricFixture.Noise(1 << 20, 1));
        _fixture.Write("web1/data.raw", FabricFixture.Noise(1 << 20, 2));
        _fixture.Write("web1/vm.json", """{"osDisk":"os.img","size":"Standard_D2"}""");
        return await _fixture.OnlyMachineAsync();
    }

    private static NewMachine Wanted(VirtualMachine source, string name) => new(source, FabricFixture.Subscription, "lab", name, Run.JobId, null, null);

    private async Task WriteAsync(IMachineRestore restore, MachineDisk disk)
    {
        await using var writer = await restore.CreateDiskAsync(disk, Token);
        await writer.WriteAsync(0, _new, Token);
        await writer.FinishAsync(Token);
    }

    private string[] Hidden() => Directory.GetDirectories(_fixture.Hosts, ".strongroom*");

    private static ulong Inode(string path)
    {
        using var place = Blocks.PathHandle.Open(path);
        return place.Identity.Inode;
    }

    private static Process Start(string program, params string[] arguments) =>
        Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;

    private static async Task UntilOpenAsync(Process process, string path)
    {
        while (!Directory.EnumerateFileSystemEntries($"/proc/{process.Id}/fd").Any(open => new FileInfo(open).LinkTarget == path))
        {
            Assert.False(process.HasExited);
            await Task.Delay(10, Token);
        }
    }
}
