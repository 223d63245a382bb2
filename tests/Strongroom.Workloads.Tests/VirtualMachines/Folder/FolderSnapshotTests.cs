using System.Buffers.Binary;
using System.Text;
using Strongroom.Backup.Machines;

namespace Strongroom.Workloads.Tests.VirtualMachines.Folder;

public sealed class FolderSnapshotTests : IDisposable
{
    private readonly FabricFixture _fixture = new();

    public void Dispose() => _fixture.Dispose();

    private async Task<IMachineSnapshot> SnapshotAsync() => await _fixture.Fabric.SnapshotAsync(await _fixture.OnlyMachineAsync(), FabricFixture.AnySnapshot, CancellationToken.None);

    private static async Task<byte[]> ReadAsync(IMachineSnapshotDisk disk)
    {
        await using var source = await disk.OpenAsync(false, CancellationToken.None);
        Assert.Equal(disk.Disk.SizeBytes, source.LengthBytes);
        var bytes = new byte[source.LengthBytes];
        await source.ReadAsync(0, bytes, CancellationToken.None);
        return bytes;
    }

    [Fact]
    public async Task Disks_are_read_as_they_are_and_again_when_asked()
    {
        var system = FabricFixture.Noise(8192, 1);
        var data = FabricFixture.Noise(4096, 2);
        _fixture.Write("web1/a.raw", system);
        _fixture.Write("web1/b.img", data);
        await using var snapshot = await SnapshotAsync();
        Assert.Equal("CrashConsistent", snapshot.Consistency);
        Assert.Equal("web1", snapshot.Machine.Name);
        Assert.Equal(system, await ReadAsync(snapshot.Disks[0]));
        Assert.Equal(data, await ReadAsync(snapshot.Disks[1]));
        Assert.Equal(system, await ReadAsync(snapshot.Disks[0]));
        Assert.Empty(await snapshot.FindChangesAsync(CancellationToken.None));
    }

    [Fact]
    public async Task A_disk_has_a_name_for_its_bytes_once_nothing_else_can_bear_it()
    {
        var path = _fixture.Write("web1/a.raw", FabricFixture.Noise(8192, 1));
        await using (var early = await SnapshotAsync())
            Assert.Null(early.Disks[0].ResumeToken);
        var first = await SettledTokenAsync();
        Assert.Equal(first, await SettledTokenAsync());
        await using (var file = File.OpenWrite(path))
            file.WriteByte(1);
        File.SetLastWriteTimeUtc(path, DateTime.UnixEpoch);
        await using (var late = await SnapshotAsync())
            Assert.Null(late.Disks[0].ResumeToken);
        Assert.NotEqual(first, await SettledTokenAsync());
    }

    [Fact]
    public async Task A_disk_that_may_stand_on_another_file_has_no_name_for_its_bytes()
    {
        FabricFixture.RequireQemu();
        _fixture.Write("web1/readme", "");
        await FabricFixture.RunAsync("qemu-img", "create", "-f", "qcow2", Path.Combine(_fixture.Hosts, "web1/a.qcow2"), "1M");
        await Task.Delay(TimeSpan.FromSeconds(3), TestContext.Current.CancellationToken);
        await using var snapshot = await SnapshotAsync();
        Assert.Null(snapshot.Disks[0].ResumeToken);
    }

    /// <summary>The name, as soon as there is one.</summary>
    private async Task<string> SettledTokenAsync()
    {
        while (true)
        {
            await using var snapshot = await SnapshotAsync();
            if (snapshot.Disks[0].ResumeToken is { } token)
                return token;
            await Task.Delay(100, TestContext.Current.CancellationToken);
        }
    }

    [Fact]
    public async Task A_vhd_and_a_qcow2_are_read_as_the_guest_sees_them()
    {
        FabricFixture.RequireQemu();
        var content = FabricFixture.Noise(1 << 20, 3);
        var raw = _fixture.Write("web1/source", content);
        await FabricFixture.RunAsync("qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, Path.Combine(_fixture.Hosts, "web1/a.qcow2"));
        await FabricFixture.RunAsync("qemu-img", "convert", "-f", "raw", "-O", "vpc", "-o", "subformat=fixed,force_size", raw, Path.Combine(_fixture.Hosts, "web1/b.vhd"));
        File.Copy(Path.Combine(_fixture.Hosts, "web1/a.qcow2"), Path.Combine(_fixture.Hosts, "web1/c.img"));
        await using var snapshot = await SnapshotAsync();
        Assert.Equal(["qcow2", "vhd", "qcow2"], snapshot.Disks.Select(disk => disk.Disk.Format));
        foreach (var disk in snapshot.Disks)
            Assert.Equal(content, await ReadAsync(disk));
        Assert.Empty(await snapshot.FindChangesAsync(CancellationToken.None));
    }

    [Fact]
    public async Task A_raw_disk_whose_guest_wrote_a_foreign_header_stays_raw()
    {
        var content = FabricFixture.Noise(65536, 4);
        MakeHostile(content, "/etc/passwd");
        _fixture.Write("web1/disk.raw", content);
        await using var snapshot = await SnapshotAsync();
        Assert.Equal(content, await ReadAsync(snapshot.Disks[0]));
    }

    [Fact]
    public async Task An_img_that_ends_like_a_vhd_stays_raw()
    {
        var content = FabricFixture.Noise(65536, 5);
        "conectix"u8.CopyTo(content.AsSpan(65536 - 512));
        _fixture.Write("web1/disk.img", content);
        await using var snapshot = await SnapshotAsync();
        Assert.Equal(content, await ReadAsync(snapshot.Disks[0]));
    }

    [Theory]
    [InlineData("disk.qcow2", "/etc/passwd")]
    [InlineData("disk.qcow2", "../../outside/secret.raw")]
    [InlineData("disk.qcow2", "OUTSIDE/secret.raw")]
    [InlineData("disk.qcow2", "link.raw")]
    [InlineData("disk.qcow2", "json:{\"driver\":\"file\",\"filename\":\"/etc/passwd\"}")]
    [InlineData("disk.img", "good")]
    public async Task A_hostile_backing_file_is_refused(string name, string backingFile)
    {
        FabricFixture.RequireQemu();
        File.WriteAllBytes(Path.Combine(_fixture.Outside, "secret.raw"), new byte[1 << 20]);
        var image = _fixture.Write("web1/" + name, "");
        File.CreateSymbolicLink(Path.Combine(_fixture.Hosts, "web1/link"), Path.Combine(_fixture.Outside, "secret.raw"));
        _fixture.Write("web1/good", new byte[1 << 20]);
        await FabricFixture.RunAsync("qemu-img", "create", "-f", "qcow2", image, "1M");
        var bytes = await File.ReadAllBytesAsync(image);
        MakeHostile(bytes, backingFile.Replace("OUTSIDE", _fixture.Outside, StringComparison.Ordinal).Replace("link.raw", "link", StringComparison.Ordinal));
        await File.WriteAllBytesAsync(image, bytes);
        await using var snapshot = await SnapshotAsync();
        var exception = await Assert.ThrowsAsync<MachineException>(() => snapshot.Disks[0].OpenAsync(false, CancellationToken.None));
        Assert.Equal(MachineProblem.DiskUnsupported, exception.Problem);
        Assert.Contains("backing file", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_disk_of_a_running_machine_is_told_as_in_use()
    {
        FabricFixture.RequireQemu();
        var image = _fixture.Write("web1/disk.qcow2", "");
        await FabricFixture.RunAsync("qemu-img", "create", "-f", "qcow2", image, "1M");
        var socket = Path.Combine(_fixture.Outside, "nbd");
        // Holds the image for writing, as a running machine does.
        using var holder = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo("qemu-nbd", ["-f", "qcow2", "-t", "-k", socket, image]))!;
        try
        {
            for (var tries = 0; !File.Exists(socket) && tries < 600; tries++) await Task.Delay(50);
            Assert.True(File.Exists(socket));
            await using var snapshot = await SnapshotAsync();
            var exception = await Assert.ThrowsAsync<MachineException>(() => snapshot.Disks[0].OpenAsync(false, CancellationToken.None));
            Assert.Equal(MachineProblem.DiskInUse, exception.Problem);
        }
        finally
        {
            holder.Kill();
            await holder.WaitForExitAsync();
        }
    }

    [Fact]
    public async Task A_backing_file_below_a_root_is_read_and_watched()
    {
        FabricFixture.RequireQemu();
        var content = FabricFixture.Noise(1 << 20, 6);
        var basis = _fixture.Write(".base/base.raw", content);
        _fixture.Write("web1/x", "");
        await FabricFixture.RunAsync("qemu-img", "create", "-f", "qcow2", "-b", "../.base/base.raw", "-F", "raw", Path.Combine(_fixture.Hosts, "web1/disk.qcow2"));
        await using var snapshot = await SnapshotAsync();
        Assert.Equal(content, await ReadAsync(snapshot.Disks[0]));
        Assert.Empty(await snapshot.FindChangesAsync(CancellationToken.None));
        await Task.Delay(20);
        await File.WriteAllBytesAsync(basis, content);
        Assert.StartsWith("disk: ", Assert.Single(await snapshot.FindChangesAsync(CancellationToken.None)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_way_to_change_a_disk_is_noticed_and_names_it()
    {
        string[] names = ["grown", "moved", "removed", "replaced", "restored-time", "still", "written"];
        foreach (var name in names)
            _fixture.Write($"web1/{name}.raw", new byte[4096]);
        string Disk(string name) => Path.Combine(_fixture.Hosts, "web1", name + ".raw");
        await using var snapshot = await SnapshotAsync();
        await Task.Delay(20);
        await File.AppendAllTextAsync(Disk("grown"), "more");
        File.Move(Disk("moved"), Disk("moved") + "-away");
        File.Delete(Disk("removed"));
        await File.WriteAllBytesAsync(Disk("replaced") + ".new", new byte[4096]);
        File.Move(Disk("replaced") + ".new", Disk("replaced"), overwrite: true);
        var time = File.GetLastWriteTimeUtc(Disk("restored-time"));
        await File.WriteAllBytesAsync(Disk("restored-time"), FabricFixture.Noise(4096, 7));
        File.SetLastWriteTimeUtc(Disk("restored-time"), time);
        await File.WriteAllBytesAsync(Disk("written"), new byte[4096]);

        var changes = await snapshot.FindChangesAsync(CancellationToken.None);
        Assert.Equal(names.Where(name => name != "still"), changes.Select(change => change[..change.IndexOf(':', StringComparison.Ordinal)]).Order(StringComparer.Ordinal));
        Assert.Contains("4096 to 4100", changes[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_disk_that_is_exchanged_for_a_link_after_the_snapshot_is_not_read_from_there()
    {
        var content = FabricFixture.Noise(4096, 8);
        var path = _fixture.Write("web1/disk.raw", content);
        File.WriteAllBytes(Path.Combine(_fixture.Outside, "secret.raw"), new byte[4096]);
        await using var snapshot = await SnapshotAsync();
        File.Delete(path);
        File.CreateSymbolicLink(path, Path.Combine(_fixture.Outside, "secret.raw"));
        Assert.Equal(content, await ReadAsync(snapshot.Disks[0]));
        Assert.Single(await snapshot.FindChangesAsync(CancellationToken.None));
    }

    [Fact]
    public async Task A_machine_that_is_gone_is_not_found()
    {
        _fixture.Write("web1/disk.raw", new byte[512]);
        var machine = await _fixture.OnlyMachineAsync();
        Directory.Delete(Path.Combine(_fixture.Hosts, "web1"), recursive: true);
        var exception = await Assert.ThrowsAsync<MachineException>(() => _fixture.Fabric.SnapshotAsync(machine, FabricFixture.AnySnapshot, CancellationToken.None));
        Assert.Equal(MachineProblem.NotFound, exception.Problem);
    }

    /// <summary>Puts a qcow2 header with a backing file where a header is or could be.</summary>
    private static void MakeHostile(byte[] image, string backingFile)
    {
        var name = Encoding.UTF8.GetBytes(backingFile);
        if (image[0] != 'Q')
        {
            image.AsSpan(0, 112).Clear();
            "QFI\u00FB"u8[..3].CopyTo(image);
            image[3] = 0xFB;
            image[7] = 2;
            image[23] = 16;
            image[29] = 1;
        }

        BinaryPrimitives.WriteUInt64BigEndian(image.AsSpan(8), 4096);
        BinaryPrimitives.WriteUInt32BigEndian(image.AsSpan(16), (uint)name.Length);
        name.CopyTo(image, 4096);
    }
}
