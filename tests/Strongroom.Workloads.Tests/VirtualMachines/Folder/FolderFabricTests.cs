using System.Globalization;
using Strongroom.Backup.Machines;
using Strongroom.Workloads.VirtualMachines.Folder;

namespace Strongroom.Workloads.Tests.VirtualMachines.Folder;

public sealed class FolderFabricTests : IDisposable
{
    private readonly FabricFixture _fixture = new();

    public void Dispose() => _fixture.Dispose();

    [Fact]
    public async Task Each_folder_is_a_machine_and_each_image_a_disk_in_order_of_names()
    {
        _fixture.Write("web1/b-data.IMG", new byte[1000]);
        _fixture.Write("web1/a-system.raw", new byte[4096]);
        _fixture.Write("web1/c.raw", new byte[512]);
        _fixture.Write("web1/notes.txt", "not a disk");
        _fixture.Write("web1/.hidden.raw", new byte[512]);
        _fixture.Write("loose.raw", new byte[512]);
        _fixture.Write(".base/base.raw", new byte[512]);
        var machine = await _fixture.OnlyMachineAsync();
        Assert.Equal("web1", machine.Name);
        Assert.Equal("lab", machine.ResourceGroup);
        Assert.Equal("home", machine.Location);
        Assert.Equal(FabricFixture.HostId, machine.HostId);
        Assert.Null(machine.Problem);
        Assert.Equal("Linux", machine.OsType);
        Assert.Equal(
            [new MachineDisk(-1, "a-system", 4096, "raw"), new MachineDisk(0, "b-data", 1024, "raw"), new MachineDisk(1, "c", 512, "raw")],
            machine.Disks);
        Assert.Empty(_fixture.Warnings);
    }

    [Fact]
    public async Task The_description_is_used()
    {
        _fixture.Write("folder/one.raw", new byte[512]);
        _fixture.Write("folder/two.raw", new byte[512]);
        _fixture.Write("folder/vm.json", """
            {
              // by hand
              "name": "sql-1", "size": "Standard_D4s_v5", "osType": "windows", "osDisk": "two.raw",
              "vmId": "0f8fad5b-d9cb-469f-a165-70867728950e", "tags": { "owner": "anna" }, "more": [1],
            }
            """);
        var machine = await _fixture.OnlyMachineAsync();
        Assert.Equal(("sql-1", "Standard_D4s_v5", "Windows"), (machine.Name, machine.Size, machine.OsType));
        Assert.Equal(Guid.Parse("0f8fad5b-d9cb-469f-a165-70867728950e"), machine.VmId);
        Assert.Equal("anna", machine.Tags["OWNER"]);
        Assert.Equal([new MachineDisk(-1, "two", 512, "raw"), new MachineDisk(0, "one", 512, "raw")], machine.Disks);
        Assert.Null(machine.Problem);
        Assert.Equal(machine.VmId, (await _fixture.Fabric.FindAsync(FabricFixture.Subscription, "LAB", "SQL-1", CancellationToken.None))!.VmId);
    }

    [Theory]
    [InlineData("""{"name": 5}""", "'name'")]
    [InlineData("""{"name": "../etc"}""", "not a valid name")]
    [InlineData("""{"size": {"a": 1}}""", "'size'")]
    [InlineData("""{"osType": "BeOS"}""", "'osType'")]
    [InlineData("""{"osType": false}""", "'osType'")]
    [InlineData("""{"tags": ["a"]}""", "'tags'")]
    [InlineData("""{"tags": {"a": 1}}""", "tag 'a'")]
    [InlineData("""{"vmId": "web1"}""", "'vmId'")]
    [InlineData("""{"vmId": 7}""", "'vmId'")]
    [InlineData("""{"osDisk": "missing.raw"}""", "missing.raw")]
    [InlineData("""{"osDisk": ["a"]}""", "'osDisk'")]
    [InlineData("""[]""", "must hold an object")]
    [InlineData("""null""", "must hold an object")]
    [InlineData("""{"name": """, "not valid JSON")]
    [InlineData("", "not valid JSON")]
    [InlineData("""{"name":"\ud800"}""", "UTF-8")]
    [InlineData("""{"tags":{"\ud800":"x"}}""", "UTF-8")]
    public async Task A_broken_description_is_told_and_the_machine_listed(string json, string problem)
    {
        _fixture.Write("web1/disk.raw", new byte[512]);
        _fixture.Write("web1/vm.json", json);
        _fixture.Write("web2/disk.raw", new byte[512]);
        var machines = await _fixture.ListMachinesAsync();
        Assert.Equal(["web1", "web2"], machines.Select(machine => machine.Name));
        Assert.Contains(problem, machines[0].Problem, StringComparison.Ordinal);
        Assert.Null(machines[1].Problem);
        await Assert.ThrowsAsync<MachineException>(() => _fixture.Fabric.SnapshotAsync(machines[0], FabricFixture.AnySnapshot, CancellationToken.None));
    }

    [Fact]
    public async Task A_description_that_is_too_large_or_bytes_is_told()
    {
        _fixture.Write("a/disk.raw", new byte[512]);
        _fixture.Write("a/vm.json", new string(' ', 70_000) + "{}");
        _fixture.Write("b/disk.raw", new byte[512]);
        _fixture.Write("b/vm.json", [(byte)'{', (byte)'"', 0xFF, 0xFE, (byte)'"', (byte)':', (byte)'1', (byte)'}']);
        _fixture.Write("c/disk.raw", new byte[512]);
        _fixture.Write("c/vm.json", [0xEF, 0xBB, 0xBF, .. "{\"size\":\"S\"}"u8]);
        var machines = await _fixture.ListMachinesAsync();
        Assert.Contains("64 KiB", machines[0].Problem, StringComparison.Ordinal);
        Assert.Null(machines[2].Problem);
        Assert.Equal("S", machines[2].Size);
    }

    [Theory]
    [InlineData("with space")]
    [InlineData("_underscore")]
    [InlineData("dot.")]
    [InlineData("ümlaut")]
    [InlineData("a123456789012345678901234567890123456789012345678901234567890123456789")]
    public async Task A_folder_that_cannot_be_a_machine_is_left_out_with_a_warning_logged_once(string name)
    {
        _fixture.Write($"{name}/disk.raw", new byte[512]);
        _fixture.Write("good/disk.raw", new byte[512]);
        Assert.Equal("good", (await _fixture.OnlyMachineAsync()).Name);
        await _fixture.ListMachinesAsync();
        Assert.Contains(name, Assert.Single(_fixture.Warnings), StringComparison.Ordinal);
        _fixture.Write($"{name}/vm.json", """{"name":"named"}""");
        Assert.Contains(await _fixture.ListMachinesAsync(), machine => machine.Name == "named");
    }

    [Fact]
    public async Task What_is_wrong_with_disks_is_told_and_the_others_are_still_there()
    {
        Directory.CreateDirectory(Path.Combine(_fixture.Hosts, "empty"));
        await FabricFixture.RunAsync("/usr/bin/mkfifo", _fixture.Write("pipe/x", "") + ".raw");
        _fixture.Write("qcow/disk.qcow2", "QFI and no more");
        _fixture.Write("vhd/disk.vhd", new byte[4096]);
        _fixture.Write("zero/disk.raw", []);
        File.WriteAllBytes(Path.Combine(_fixture.Outside, "secret.raw"), new byte[512]);
        _fixture.Write("link/good.raw", new byte[512]);
        File.CreateSymbolicLink(Path.Combine(_fixture.Hosts, "link/out.raw"), Path.Combine(_fixture.Outside, "secret.raw"));
        File.CreateSymbolicLink(Path.Combine(_fixture.Hosts, "link/dangling.raw"), Path.Combine(_fixture.Hosts, "nothing"));
        var machines = (await _fixture.ListMachinesAsync()).ToDictionary(machine => machine.Name);
        Assert.Equal(6, machines.Count);
        Assert.Contains("holds no disk", machines["empty"].Problem, StringComparison.Ordinal);
        Assert.Contains("'x.raw' cannot be read", machines["pipe"].Problem, StringComparison.Ordinal);
        Assert.Contains("damaged", machines["qcow"].Problem, StringComparison.Ordinal);
        Assert.Contains("damaged", machines["vhd"].Problem, StringComparison.Ordinal);
        Assert.Contains("empty", machines["zero"].Problem, StringComparison.Ordinal);
        Assert.Contains("'out.raw' is a link", machines["link"].Problem, StringComparison.Ordinal);
        Assert.Contains("'dangling.raw' cannot be read", machines["link"].Problem, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", machines["link"].Problem, StringComparison.Ordinal);
        Assert.Equal(3, machines["link"].Disks.Length);
        Assert.Equal(MachineProblem.DiskUnsupported, (await Assert.ThrowsAsync<MachineException>(() => _fixture.Fabric.SnapshotAsync(machines["vhd"], FabricFixture.AnySnapshot, CancellationToken.None))).Problem);
        Assert.Equal(MachineProblem.DiskUnreadable, (await Assert.ThrowsAsync<MachineException>(() => _fixture.Fabric.SnapshotAsync(machines["link"], FabricFixture.AnySnapshot, CancellationToken.None))).Problem);
    }

    [Fact]
    public async Task What_may_not_be_read_is_told()
    {
        if (Environment.IsPrivilegedProcess)
            Assert.Skip("root may read everything");
        File.SetUnixFileMode(_fixture.Write("file/disk.raw", new byte[512]), UnixFileMode.None);
        _fixture.Write("folder/disk.raw", new byte[512]);
        var folder = Path.Combine(_fixture.Hosts, "folder");
        File.SetUnixFileMode(folder, UnixFileMode.None);
        try
        {
            var machines = await _fixture.ListMachinesAsync();
            Assert.Equal(["file", "folder"], machines.Select(machine => machine.Name));
            Assert.All(machines, machine => Assert.Contains("cannot be read", machine.Problem, StringComparison.Ordinal));
        }
        finally
        {
            File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    [Fact]
    public async Task A_folder_that_is_a_link_out_of_the_roots_is_left_out()
    {
        File.WriteAllBytes(Path.Combine(_fixture.Outside, "disk.raw"), new byte[512]);
        Directory.CreateSymbolicLink(Path.Combine(_fixture.Hosts, "escape"), _fixture.Outside);
        _fixture.Write("good/disk.raw", new byte[512]);
        Directory.CreateSymbolicLink(Path.Combine(_fixture.Hosts, "same"), Path.Combine(_fixture.Hosts, "good"));
        Assert.Equal(["good", "same"], (await _fixture.ListMachinesAsync()).Select(machine => machine.Name));
    }

    [Fact]
    public async Task Two_disks_of_one_bare_name_keep_their_extensions()
    {
        _fixture.Write("web1/disk.raw", new byte[512]);
        _fixture.Write("web1/Disk.img", new byte[512]);
        Assert.Equal(["Disk.img", "disk.raw"], (await _fixture.OnlyMachineAsync()).Disks.Select(disk => disk.Name));
    }

    [Fact]
    public async Task The_id_is_the_same_at_every_look_and_another_for_every_folder_and_host()
    {
        _fixture.Write("web1/disk.raw", new byte[512]);
        _fixture.Write("web2/disk.raw", new byte[512]);
        var first = await _fixture.ListMachinesAsync();
        var second = await _fixture.ListMachinesAsync();
        Assert.Equal(first.Select(machine => machine.VmId), second.Select(machine => machine.VmId));
        Assert.NotEqual(first[0].VmId, first[1].VmId);
        _fixture.HostList[0] = _fixture.HostList[0] with { Id = FabricFixture.HostId.ToUpperInvariant() };
        Assert.Equal(first[0].VmId, (await _fixture.ListMachinesAsync())[0].VmId);
        _fixture.HostList[0] = _fixture.HostList[0] with { Id = FabricFixture.HostId + "2" };
        Assert.NotEqual(first[0].VmId, (await _fixture.ListMachinesAsync())[0].VmId);
        Assert.Equal('8', first[0].VmId.ToString()[14]);
    }

    [Fact]
    public async Task Hosts_are_told_apart_by_subscription_and_group_and_a_broken_one_is_left_out()
    {
        _fixture.Write("east/web1/disk.raw", new byte[512]);
        _fixture.Write("west/web1/disk.raw", new byte[512]);
        _fixture.Write("west/web2/disk.raw", new byte[512]);
        FolderHost Host(string name, string group, string path) => new($"/h/{name}", FabricFixture.Subscription, group, "home", path);
        _fixture.HostList.Clear();
        _fixture.HostList.Add(Host("a", "lab", Path.Combine(_fixture.Hosts, "east")));
        _fixture.HostList.Add(Host("b", "LAB", Path.Combine(_fixture.Hosts, "west")));
        _fixture.HostList.Add(Host("c", "other", Path.Combine(_fixture.Hosts, "west")));
        _fixture.HostList.Add(Host("d", "lab", Path.Combine(_fixture.Hosts, "gone")));
        _fixture.HostList.Add(Host("e", "lab", "/etc"));
        var lab = await _fixture.Fabric.ListAsync(FabricFixture.Subscription, "Lab", CancellationToken.None);
        Assert.Equal([("/h/a", "web1"), ("/h/b", "web2")], lab.Select(machine => (machine.HostId, machine.Name)));
        Assert.Equal(3, _fixture.Warnings.Count);
        Assert.Equal(4, (await _fixture.ListMachinesAsync()).Count);
        Assert.Empty(await _fixture.Fabric.ListAsync(Guid.Empty.ToString(), null, CancellationToken.None));
        Assert.Null(await _fixture.Fabric.FindAsync(FabricFixture.Subscription, "lab", "web3", CancellationToken.None));
    }

    [Fact]
    public async Task A_thousand_machines_are_listed_in_order()
    {
        for (var index = 0; index < 1000; index++)
            _fixture.Write(string.Create(CultureInfo.InvariantCulture, $"vm{index:0000}/disk.raw"), new byte[512]);
        var machines = await _fixture.ListMachinesAsync();
        Assert.Equal(1000, machines.Count);
        Assert.Equal("vm0999", machines[999].Name);
        Assert.Equal(1000, machines.Select(machine => machine.VmId).Distinct().Count());
    }

    [Fact]
    public void The_validator_judges_folders()
    {
        var validator = new FolderHostValidator(_fixture.Roots);
        Assert.Equal("Folder", validator.Kind);
        Assert.Equal($$"""{"path":"{{_fixture.Hosts}}"}""", validator.Accept(new() { ["path"] = _fixture.Hosts, ["uri"] = "qemu:///system" }).ToJsonString());
        var refused = Assert.Throws<HostRefusedException>(() => validator.Accept(new() { ["path"] = _fixture.Outside }));
        Assert.Equal(("path", "HostPathNotAllowed"), (refused.Property, refused.Code));
    }
}
