namespace Strongroom.Demo.Tests;

public sealed class SampleMachinesTests : IDisposable
{
    private readonly TempFolder folder = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Web1_has_one_disk_and_db1_two_and_a_third_of_each_is_data()
    {
        var progress = new List<double>();
        var sample = new SampleMachines(new DemoOptions { SizeMiB = 96 }, TimeProvider.System);

        var machines = await sample.CreateAsync(folder.Path, progress.Add, Token);

        Assert.Equal(["web1", "db1"], machines.Select(machine => machine.Name));
        Assert.Equal(["web1/00-os.raw", "db1/00-os.raw", "db1/01-data.raw"], machines.SelectMany(machine => machine.DiskFiles).Select(Story.DiskLabel));
        foreach (var (file, sizeMiB) in machines.SelectMany(machine => machine.DiskFiles).Zip([96, 24, 24]))
        {
            var disk = await DiskFingerprint.OfAsync(file, _ => { }, Token);
            Assert.Equal(sizeMiB * 1024L * 1024, disk.LengthBytes);
            Assert.InRange((double)disk.DataBytes / disk.LengthBytes, 0.2, 0.6);
        }

        Assert.Equal(1, progress[^1]);
        Assert.Equal(progress.Order(), progress);
        Assert.True(File.Exists(Path.Combine(folder.Path, "web1", "vm.json")));
    }

    [Fact]
    public async Task The_disks_carry_sound_file_systems()
    {
        var e2fsck = ExternalTool.Find("e2fsck");
        if (e2fsck is null || ExternalTool.Find("mke2fs") is null)
            Assert.Skip("mke2fs or e2fsck is not installed (Debian package e2fsprogs)");
        var machines = await new SampleMachines(new DemoOptions { SizeMiB = 64 }, TimeProvider.System).CreateAsync(folder.Path, _ => { }, Token);

        foreach (var file in machines.SelectMany(machine => machine.DiskFiles))
            await ExternalTool.RunAsync(e2fsck, ["-f", "-n", file], TimeSpan.FromMinutes(1), TimeProvider.System, Token);
    }

    [Fact]
    public async Task Without_mke2fs_a_disk_has_holes_and_content_and_is_the_same_each_time()
    {
        foreach (var name in (string[])["one.raw", "two.raw"])
            await new SampleFiles(new SampleContent(5)).WriteDiskAsync(folder.File(name), 32 * 1024 * 1024 + 512, 0.3, _ => { }, Token);

        var one = await DiskFingerprint.OfAsync(folder.File("one.raw"), _ => { }, Token);
        var two = await DiskFingerprint.OfAsync(folder.File("two.raw"), _ => { }, Token);
        Assert.Equal(one, two);
        Assert.InRange((double)one.DataBytes / one.LengthBytes, 0.1, 0.5);
    }

    [Fact]
    public async Task The_users_own_disk_takes_the_place_of_the_first_one()
    {
        var own = folder.File("own.img");
        await File.WriteAllBytesAsync(own, Bytes(new SampleContent(9), 2_000_000), Token);
        var target = folder.Folder("machines");

        var machines = await new SampleMachines(new DemoOptions { SizeMiB = 64, DiskFile = own }, TimeProvider.System).CreateAsync(target, _ => { }, Token);

        var (original, copy) = (await File.ReadAllBytesAsync(own, Token), await File.ReadAllBytesAsync(machines[0].DiskFiles[0], Token));
        Assert.True(copy.AsSpan(0, original.Length).SequenceEqual(original));
        Assert.Equal(0, copy.Length % 512);
    }

    [Fact]
    public void Text_compresses_and_random_bytes_do_not()
    {
        var content = new SampleContent(3);
        var bytes = new byte[1_000_003];

        content.FillText(bytes);
        Assert.InRange(Compressed(bytes), 1, bytes.Length / 2);
        content.FillPages(bytes);
        Assert.InRange(Compressed(bytes), 1, bytes.Length * 3 / 4);
        content.FillRandom(bytes);
        Assert.InRange(Compressed(bytes), bytes.Length * 99L / 100, bytes.Length * 2L);
    }

    public void Dispose() => folder.Dispose();

    private static byte[] Bytes(SampleContent content, int count)
    {
        var bytes = new byte[count];
        content.FillRandom(bytes);
        return bytes;
    }

    private static long Compressed(byte[] bytes)
    {
        using var target = new MemoryStream();
        using (var stream = new System.IO.Compression.DeflateStream(target, System.IO.Compression.CompressionLevel.Fastest, leaveOpen: true))
            stream.Write(bytes);
        return target.Length;
    }
}
