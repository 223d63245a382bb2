using System.Text.Json.Nodes;
using CsCheck;
using Strongroom.Blocks.Vhd;

namespace Strongroom.Blocks.Tests.Vhd;

public sealed class FixedVhdTests : IDisposable
{
    private static readonly DateTimeOffset Moment = new(2026, 5, 4, 3, 2, 1, TimeSpan.Zero);
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static DiskOpenOptions AsVhd => new() { Format = DiskFormat.FixedVhd };

    private Task<IBlockSource> OpenAsync(string name) => DiskImage.OpenAsync(DiskFile.OpenRegular(_folder[name]), AsVhd, CancellationToken.None);

    [Fact]
    public void Footers_come_back_as_they_were_written()
    {
        Gen.Select(Gen.Long[0, 1L << 45], Gen.Guid, Gen.UInt).Sample((sectors, id, seconds) =>
        {
            var footer = new VhdFooter(sectors * 512, VhdDiskType.Fixed, id, new DateTimeOffset(2000, 1, 1, 0, 0, 0, TimeSpan.Zero).AddSeconds(seconds));
            var bytes = new byte[512];
            footer.Write(bytes);
            Assert.Equal(footer, VhdFooter.Parse(bytes));
        });
    }

    [Fact]
    public void Any_changed_byte_of_a_footer_is_noticed()
    {
        var bytes = new byte[512];
        new VhdFooter(1 << 20, VhdDiskType.Fixed, Guid.NewGuid(), Moment).Write(bytes);
        Gen.Select(Gen.Int[0, 511], Gen.Byte[1, 255]).Sample((index, change) =>
        {
            var damaged = bytes.ToArray();
            damaged[index] ^= change;
            Assert.Throws<InvalidDataException>(() => VhdFooter.Parse(damaged));
        });
    }

    [Fact]
    public void Noise_is_never_more_than_invalid_data() =>
        Gen.Byte.Array[0, 600].Sample(bytes => Assert.Throws<InvalidDataException>(() => VhdFooter.Parse(bytes)));

    [Theory]
    [InlineData(1L << 20, 30, 4, 17)]
    [InlineData(40L << 20, 963, 5, 17)]
    [InlineData(1L << 30, 2080, 16, 63)]
    [InlineData(127L << 30, 65278, 16, 255)]
    [InlineData(4L << 40, 65535, 16, 255)]
    public void The_geometry_is_the_specifications(long lengthBytes, int cylinders, int heads, int sectorsPerTrack) =>
        Assert.Equal(new VhdGeometry((ushort)cylinders, (byte)heads, (byte)sectorsPerTrack), VhdGeometry.For(lengthBytes));

    [Fact]
    public async Task Parts_written_in_any_order_make_the_disk_and_qemu_reads_the_same()
    {
        Programs.RequireQemu();
        var model = new byte[5 << 20];
        foreach (var part in (int[])[0, 700_000, 4 << 20])
            Sources.Noise(300_000, part).CopyTo(model, part);
        await using (var writer = FixedVhdWriter.Create(_folder["disk.vhd"], (4 << 20) + 1, Guid.NewGuid(), Moment))
        {
            Assert.Equal(5 << 20, writer.DiskLengthBytes);
            await Parallel.ForEachAsync((int[])[4 << 20, 0, 700_000], async (part, cancellationToken) =>
                await writer.WriteAsync(part, model.AsMemory(part, 300_000), cancellationToken));
            await writer.FinishAsync(CancellationToken.None);
            Assert.Equal(writer.FileLengthBytes, new FileInfo(_folder["disk.vhd"]).Length);
        }

        await using (var source = await OpenAsync("disk.vhd"))
        {
            Assert.Equal(model.Length, source.LengthBytes);
            Assert.Equal(model, await Sources.ReadAllAsync(source));
            var extents = await Sources.RequireSoundMapAsync(source, model);
            Assert.Contains(extents, extent => extent.Kind == BlockKind.Zero);
        }

        await File.WriteAllBytesAsync(_folder["model.raw"], model);
        var information = JsonNode.Parse(await Programs.RunAsync("qemu-img", "info", "--output=json", "-f", "vpc", _folder["disk.vhd"]))!;
        Assert.Equal(model.Length, information["virtual-size"]!.GetValue<long>());
        await Programs.RunAsync("qemu-img", "compare", "-f", "vpc", "-F", "raw", _folder["disk.vhd"], _folder["model.raw"]);
    }

    [Fact]
    public async Task A_sparse_disk_takes_no_space()
    {
        await using (var writer = FixedVhdWriter.Create(_folder["disk.vhd"], 10L << 30, Guid.NewGuid(), Moment))
            await writer.FinishAsync(CancellationToken.None);
        var blocks = await Programs.RunAsync("/usr/bin/stat", "-c", "%b", _folder["disk.vhd"]);
        Assert.InRange(int.Parse(blocks, System.Globalization.CultureInfo.InvariantCulture), 0, 128);
    }

    [Fact]
    public async Task A_disk_that_was_not_finished_is_not_a_vhd()
    {
        await using (var writer = FixedVhdWriter.Create(_folder["disk.vhd"], 1 << 20, Guid.NewGuid(), Moment))
            await writer.WriteAsync(0, new byte[] { 1, 2, 3 }, CancellationToken.None);
        await Assert.ThrowsAsync<InvalidDataException>(() => OpenAsync("disk.vhd"));
    }

    [Fact]
    public async Task Nothing_is_written_outside_of_the_disk_over_another_file_or_after_the_end()
    {
        await using var writer = FixedVhdWriter.Create(_folder["disk.vhd"], 1 << 20, Guid.NewGuid(), Moment);
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await writer.WriteAsync((1 << 20) - 1, new byte[2], CancellationToken.None));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await writer.WriteAsync(-1, new byte[2], CancellationToken.None));
        Assert.ThrowsAny<IOException>(() => FixedVhdWriter.Create(_folder["disk.vhd"], 1 << 20, Guid.NewGuid(), Moment));
        await writer.FinishAsync(CancellationToken.None);
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await writer.WriteAsync(0, new byte[2], CancellationToken.None));
    }

    [Fact]
    public async Task A_fixed_vhd_made_by_qemu_reads_as_qemu_reads_it()
    {
        Programs.RequireQemu();
        var content = new byte[3 << 20];
        Sources.Noise(1 << 20, 8).CopyTo(content, 1 << 20);
        await File.WriteAllBytesAsync(_folder["disk.raw"], content);
        await Programs.RunAsync("qemu-img", "convert", "-f", "raw", "-O", "vpc", "-o", "subformat=fixed,force_size", _folder["disk.raw"], _folder["disk.vhd"]);
        using (var file = DiskFile.OpenRegular(_folder["disk.vhd"]))
            Assert.Equal(DiskFormat.FixedVhd, DiskImage.Detect(file.Handle));
        await using var source = await OpenAsync("disk.vhd");
        Assert.Equal(content, await Sources.ReadAllAsync(source));
        await Sources.RequireSoundMapAsync(source, content);
    }

    [Fact]
    public async Task A_dynamic_vhd_is_recognised_and_refused_with_advice()
    {
        Programs.RequireQemu();
        await Programs.RunAsync("qemu-img", "create", "-f", "vpc", "-o", "subformat=dynamic", _folder["disk.vhd"], "10M");
        using (var file = DiskFile.OpenRegular(_folder["disk.vhd"]))
            Assert.Equal(DiskFormat.DynamicVhd, DiskImage.Detect(file.Handle));
        var exception = await Assert.ThrowsAsync<InvalidDataException>(() => OpenAsync("disk.vhd"));
        Assert.Contains("qemu-img convert", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_truncated_vhd_with_its_footer_moved_is_refused()
    {
        var bytes = new byte[(1 << 20) + 512];
        new VhdFooter(2 << 20, VhdDiskType.Fixed, Guid.NewGuid(), Moment).Write(bytes.AsSpan(1 << 20));
        await File.WriteAllBytesAsync(_folder["disk.vhd"], bytes);
        var exception = await Assert.ThrowsAsync<InvalidDataException>(() => OpenAsync("disk.vhd"));
        Assert.Contains("truncated", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_shorter_than_a_footer_is_refused()
    {
        await File.WriteAllBytesAsync(_folder["disk.vhd"], new byte[100]);
        await Assert.ThrowsAsync<InvalidDataException>(() => OpenAsync("disk.vhd"));
    }
}
