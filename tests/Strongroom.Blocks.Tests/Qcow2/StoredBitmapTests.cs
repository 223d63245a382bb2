using System.Buffers.Binary;
using Strongroom.Blocks.Qcow2;
using Strongroom.Blocks.Tests.Nbd;

namespace Strongroom.Blocks.Tests.Qcow2;

/// <summary>The disk of a stopped machine, read with the bitmap that QEMU left in it, without keeping the machine from being started.</summary>
public sealed class StoredBitmapTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public StoredBitmapTests()
    {
        Programs.RequireQemu();
    }

    public void Dispose() => _folder.Dispose();

    private static DiskOpenOptions Since(string bitmap) => new()
    {
        DirtyBitmap = bitmap,
        IsShared = true,
        OpenBackingFile = (path, _) => new ValueTask<DiskFile?>(DiskFile.OpenRegular(path)),
    };

    /// <summary>A disk of 8 MiB with the bitmap "ck", made before what is written at 3 MiB.</summary>
    private async Task MakeAsync(string name)
    {
        await Programs.RunAsync("qemu-img", "create", "-f", "qcow2", _folder[name], "8M");
        await WriteAsync(name, "write -P 1 0 4M");
        await Programs.RunAsync("qemu-img", "bitmap", "--add", _folder[name], "ck");
        await WriteAsync(name, "write -P 7 3M 128k");
    }

    private Task WriteAsync(string name, string command) => Programs.RunAsync("qemu-io", "-f", "qcow2", "-c", command, _folder[name]);

    private async Task<QemuNbdSource> OpenAsync(string name, DiskOpenOptions options) =>
        Assert.IsType<QemuNbdSource>(await DiskImage.OpenAsync(DiskFile.OpenRegular(_folder[name]), options, CancellationToken.None));

    private async Task RequireUnusableAsync(string name, DiskOpenOptions options, string message)
    {
        var file = DiskFile.OpenRegular(_folder[name]);
        var exception = await Assert.ThrowsAsync<DirtyBitmapUnusableException>(() => DiskImage.OpenAsync(file, options, CancellationToken.None));
        Assert.Contains(message, exception.Message, StringComparison.Ordinal);
        Assert.True(file.Handle.IsClosed);
        await using var source = await DiskImage.OpenAsync(DiskFile.OpenRegular(_folder[name]), options with { DirtyBitmap = null }, CancellationToken.None);
        Assert.DoesNotContain(await Sources.MapAsync(source), extent => extent.Kind == BlockKind.Unchanged);
    }

    /// <summary>QEMU has the image open for writing, writes, and is killed.</summary>
    private async Task KillWriterAsync(string name)
    {
        await using var writer = await PeerServer.OnSocketAsync(_folder["writer"], "qemu-nbd", "--persistent", "--shared=8", "--format=qcow2", "--socket=" + _folder["writer"], _folder[name]);
        await Programs.RunAsync("qemu-io", "-f", "raw", "-c", "write 5M 64k", "-c", "flush", $"nbd+unix:///?socket={_folder["writer"]}");
    }

    [Fact]
    public async Task What_was_not_written_since_is_unchanged()
    {
        await MakeAsync("disk.qcow2");
        await using var source = await OpenAsync("disk.qcow2", Since("ck"));
        Assert.Equal(
            [
                new BlockExtent(0, 3 << 20, BlockKind.Unchanged),
                new BlockExtent(3 << 20, 128 << 10, BlockKind.Data),
                new BlockExtent((3 << 20) + (128 << 10), (1 << 20) - (128 << 10), BlockKind.Unchanged),
                new BlockExtent(4 << 20, 4 << 20, BlockKind.Zero),
            ],
            await Sources.MapAsync(source));
        var read = new byte[128 << 10];
        await source.ReadAsync(3 << 20, read, CancellationToken.None);
        Assert.All(read, value => Assert.Equal(7, value));
        source.RequireUnwritten();
    }

    [Fact]
    public async Task What_a_disk_lost_when_it_was_cut_off_is_not_unchanged_when_it_grows_again()
    {
        await Programs.RunAsync("qemu-img", "create", "-f", "qcow2", _folder["disk.qcow2"], "8M");
        await WriteAsync("disk.qcow2", "write -P 1 0 8M");
        await Programs.RunAsync("qemu-img", "bitmap", "--add", _folder["disk.qcow2"], "ck");
        await Programs.RunAsync("qemu-img", "resize", "-f", "qcow2", "--shrink", _folder["disk.qcow2"], "4M");
        await Programs.RunAsync("qemu-img", "resize", "-f", "qcow2", _folder["disk.qcow2"], "8M");
        await WriteAsync("disk.qcow2", "write -P 7 5M 128k");
        await using var source = await OpenAsync("disk.qcow2", Since("ck"));
        Assert.Equal(
            [
                new BlockExtent(0, 4 << 20, BlockKind.Unchanged),
                new BlockExtent(4 << 20, 1 << 20, BlockKind.Zero),
                new BlockExtent(5 << 20, 128 << 10, BlockKind.Data),
                new BlockExtent((5 << 20) + (128 << 10), (3 << 20) - (128 << 10), BlockKind.Zero),
            ],
            await Sources.MapAsync(source));
    }

    [Fact]
    public async Task A_machine_can_start_meanwhile_and_is_noticed()
    {
        await MakeAsync("disk.qcow2");
        await using var source = await OpenAsync("disk.qcow2", Since("ck"));
        source.RequireUnwritten();
        await using (await PeerServer.OnSocketAsync(_folder["vm"], "qemu-nbd", "--persistent", "--shared=8", "--format=qcow2", "--socket=" + _folder["vm"], _folder["disk.qcow2"]))
            Assert.Throws<DiskInUseException>(source.RequireUnwritten);
        Assert.Contains("written to", Assert.Throws<DiskInUseException>(source.RequireUnwritten).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_short_write_meanwhile_is_noticed_when_nobody_holds_the_image_any_more()
    {
        await MakeAsync("disk.qcow2");
        await using var source = await OpenAsync("disk.qcow2", Since("ck"));
        await WriteAsync("disk.qcow2", "write -P 8 4M 64k");
        Assert.Throws<DiskInUseException>(source.RequireUnwritten);
    }

    [Fact]
    public async Task Unless_it_is_shared_nobody_can_write_meanwhile()
    {
        await MakeAsync("disk.qcow2");
        await using var source = await OpenAsync("disk.qcow2", Since("ck") with { IsShared = false });
        var (exitCode, output) = await Programs.TryRunAsync("qemu-io", "-f", "qcow2", "-c", "write 4M 64k", _folder["disk.qcow2"]);
        Assert.True(exitCode != 0, output);
        source.RequireUnwritten();
    }

    [Fact]
    public async Task A_running_machines_disk_is_refused_also_when_shared()
    {
        await MakeAsync("disk.qcow2");
        await using var vm = await PeerServer.OnSocketAsync(_folder["vm"], "qemu-nbd", "--persistent", "--shared=8", "--format=qcow2", "--socket=" + _folder["vm"], _folder["disk.qcow2"]);
        await Assert.ThrowsAsync<DiskInUseException>(() => OpenAsync("disk.qcow2", Since("ck")));
    }

    [Fact]
    public async Task A_bitmap_that_is_missing_is_an_error_of_its_own()
    {
        await MakeAsync("disk.qcow2");
        await RequireUnusableAsync("disk.qcow2", Since("other"), "no bitmap 'other'");
        await Programs.RunAsync("qemu-img", "create", "-f", "qcow2", _folder["empty.qcow2"], "8M");
        await RequireUnusableAsync("empty.qcow2", Since("ck"), "no bitmap");
        File.WriteAllBytes(_folder["disk.raw"], new byte[1 << 20]);
        await RequireUnusableAsync("disk.raw", Since("ck"), "only qcow2");
    }

    [Fact]
    public async Task A_bitmap_of_a_machine_that_was_killed_is_inconsistent()
    {
        await MakeAsync("disk.qcow2");
        await KillWriterAsync("disk.qcow2");
        await RequireUnusableAsync("disk.qcow2", Since("ck"), "inconsistent");
    }

    [Fact]
    public async Task A_program_that_does_not_know_bitmaps_makes_them_useless()
    {
        await MakeAsync("disk.qcow2");
        await using (var stream = new FileStream(_folder["disk.qcow2"], FileMode.Open))
        {
            stream.Position = 88;
            await stream.WriteAsync(new byte[8]);
        }

        await RequireUnusableAsync("disk.qcow2", Since("ck"), "no bitmap");
    }

    /// <summary>QEMU would take the bitmap of the backing file, which knows nothing of what was written over it.</summary>
    [Fact]
    public async Task A_bitmap_of_the_backing_file_says_nothing_of_the_image()
    {
        await MakeAsync("base.qcow2");
        await Programs.RunAsync("qemu-img", "create", "-f", "qcow2", "-b", "base.qcow2", "-F", "qcow2", _folder["top.qcow2"]);
        await WriteAsync("top.qcow2", "write -P 9 6M 64k");
        await RequireUnusableAsync("top.qcow2", Since("ck"), "no bitmap");
        await Programs.RunAsync("qemu-img", "bitmap", "--add", _folder["top.qcow2"], "ck");
        await RequireUnusableAsync("top.qcow2", Since("ck"), "backing file");
        await Programs.RunAsync("qemu-img", "bitmap", "--add", _folder["top.qcow2"], "own");
        await WriteAsync("top.qcow2", "write -P 9 1M 64k");
        await using var source = await OpenAsync("top.qcow2", Since("own"));
        Assert.Equal([new BlockExtent(1 << 20, 64 << 10, BlockKind.Data), new BlockExtent((6 << 20) + (64 << 10), (2 << 20) - (64 << 10), BlockKind.Zero)], (await Sources.MapAsync(source)).Where(extent => extent.Kind != BlockKind.Unchanged));
    }

    [Fact]
    public async Task A_damaged_directory_is_an_error_of_its_own()
    {
        await MakeAsync("disk.qcow2");
        var image = await File.ReadAllBytesAsync(_folder["disk.qcow2"]);
        var place = Qcow2Header.Parse(image).Bitmaps!.Value;
        Assert.Equal(1, place.Count);
        foreach (var (offset, value) in ((int, byte[])[])[(20, [0xFF, 0xFF, 0xFF, 0xFF]), (18, [0xFF, 0xFF])])
        {
            var damaged = image.ToArray();
            value.CopyTo(damaged, (int)place.OffsetBytes + offset);
            await File.WriteAllBytesAsync(_folder["damaged.qcow2"], damaged);
            await Assert.ThrowsAsync<DirtyBitmapUnusableException>(() => OpenAsync("damaged.qcow2", Since("ck")));
        }

        var extension = image.AsSpan().IndexOf((byte[])[0x23, 0x85, 0x28, 0x75]);
        BinaryPrimitives.WriteUInt64BigEndian(image.AsSpan(extension + 16), 1UL << 40);
        await File.WriteAllBytesAsync(_folder["damaged.qcow2"], image);
        await Assert.ThrowsAsync<DirtyBitmapUnusableException>(() => OpenAsync("damaged.qcow2", Since("ck")));
    }

    [Fact]
    public async Task A_qcow2_on_a_block_device_is_read_too_and_stays_locked()
    {
        if (Environment.UserName != "root")
            Programs.Missing("root, for a loop device");
        await MakeAsync("disk.qcow2");
        await using (var stream = new FileStream(_folder["disk.qcow2"], FileMode.Open))
            stream.SetLength(16 << 20); // a whole number of sectors
        var (exitCode, output) = await Programs.TryRunAsync("losetup", "--find", "--show", _folder["disk.qcow2"]);
        if (exitCode != 0)
            Programs.Missing("a loop device");
        var device = output.Trim();
        try
        {
            var file = DiskFile.OpenFileOrDevice(device, isShared: true);
            await using var source = Assert.IsType<QemuNbdSource>(await DiskImage.OpenAsync(file, Since("ck"), CancellationToken.None));
            Assert.Contains(await Sources.MapAsync(source), extent => extent == new BlockExtent(3 << 20, 128 << 10, BlockKind.Data));
            var (writing, said) = await Programs.TryRunAsync("qemu-io", "-f", "qcow2", "-c", "write 4M 64k", device);
            Assert.True(writing != 0, said);
        }
        finally
        {
            await Programs.RunAsync("losetup", "--detach", device);
        }
    }
}
