using CsCheck;
using Strongroom.Blocks.Overlay;
using Strongroom.Blocks.Tests.Nbd.Server;

namespace Strongroom.Blocks.Tests.Overlay;

public sealed class OverlayDeviceTests
{
    private const string Name = "vault v, snapshot s, disk d, LUN 0";
    private static readonly Gen<(int Offset, int Length, int Seed)> Writes = Gen.Select(Gen.Int[0, 299_999], Gen.OneOf(Gen.Int[1, 700], Gen.Int[1, 40_000]), Gen.Int);

    [Fact]
    public async Task What_is_written_is_read_and_the_rest_is_as_in_the_base()
    {
        await Gen.Select(Writes.Array[1, 30], Gen.Int[0, 4096]).SampleAsync(
            async (writes, tail) =>
            {
                using var folder = new TemporaryFolder();
                var content = ServerLab.Sample(300_000 + tail);
                var model = content.ToArray();
                await using (var device = await OpenAsync(folder, content))
                {
                    foreach (var write in writes)
                        await WriteAsync(device, model, write);
                    Assert.Equal(model, await ReadAllAsync(device));
                    await RequireSoundMapAsync(device, model);
                    await device.FlushAsync(CancellationToken.None);
                }

                await using var again = await OpenAsync(folder, content);
                Assert.Equal(model, await ReadAllAsync(again));
            },
            iter: 60);
    }

    [Fact]
    public async Task Zeros_are_read_where_they_were_put()
    {
        await Gen.Select(Writes.Array[1, 12], Writes.Array[1, 12]).SampleAsync(
            async (writes, zeros) =>
            {
                using var folder = new TemporaryFolder();
                var content = ServerLab.Sample(300_000);
                var model = content.ToArray();
                await using var device = await OpenAsync(folder, content);
                foreach (var (write, zero) in writes.Zip(zeros))
                {
                    await WriteAsync(device, model, write);
                    var length = Math.Min(zero.Length, content.Length - zero.Offset);
                    await device.ZeroAsync(zero.Offset, length, CancellationToken.None);
                    model.AsSpan(zero.Offset, length).Clear();
                }

                Assert.Equal(model, await ReadAllAsync(device));
                await RequireSoundMapAsync(device, model);
            },
            iter: 40);
    }

    [Fact]
    public async Task A_full_overlay_takes_no_more_and_keeps_what_it_has()
    {
        using var folder = new TemporaryFolder();
        var content = ServerLab.Sample(4 << 20);
        await using var device = await OverlayDevice.OpenAsync(folder["overlay"], new MemoryDisk(content), Name, mostBytes: 128 * 1024);
        var data = Sources.Noise(4096, 1);
        var written = 0;
        await Assert.ThrowsAsync<OverlayFullException>(async () =>
        {
            for (; written < 1024; written++)
                await device.WriteAsync(written * 4096, data, CancellationToken.None);
        });
        Assert.InRange(written, 1, 32);
        var found = await ReadAllAsync(device);
        for (var block = 0; block < written; block++)
            Assert.Equal(data, found[(block * 4096)..((block + 1) * 4096)]);
        Assert.Equal(content[(written * 4096)..], found[(written * 4096)..]);

        // Room that is given back can be had again.
        await device.ZeroAsync(0, 8 * 4096, CancellationToken.None);
        await device.WriteAsync(written * 4096, data, CancellationToken.None);
    }

    [Fact]
    public async Task A_power_cut_takes_back_no_more_than_what_was_not_flushed_and_leaves_nothing_strange()
    {
        await Gen.Select(Writes.Array[0, 8], Writes.Array[1, 8]).SampleAsync(
            async (flushed, lost) =>
            {
                using var folder = new TemporaryFolder();
                var content = ServerLab.Sample(340_000);
                var model = content.ToArray();
                await using (var device = await OpenAsync(folder, content))
                {
                    foreach (var write in flushed)
                        await WriteAsync(device, model, write);
                    await device.FlushAsync(CancellationToken.None);
                    foreach (var write in lost)
                        await WriteAsync(device, model.ToArray(), write);
                }

                // Closing does not flush. The file as the disk may have it: blocks that were never flushed hold anything.
                var inFile = Blocks(flushed);
                var format = new OverlayFormat(content.Length);
                var never = Blocks(lost);
                never.ExceptWith(inFile);
                using (var file = File.OpenHandle(folder["overlay"], FileMode.Open, FileAccess.Write))
                {
                    foreach (var block in never)
                        RandomAccess.Write(file, Sources.Noise(4096, block), format.OffsetOfBlock(block));
                }

                await using var after = await OpenAsync(folder, content);
                var found = await ReadAllAsync(after);
                var rewritten = Blocks(lost);
                for (var block = 0; block * 4096 < content.Length; block++)
                {
                    // A block that was flushed and written again may be either; all others are as flushed.
                    if (inFile.Contains(block) && rewritten.Contains(block))
                        continue;
                    var length = Math.Min(4096, content.Length - (block * 4096));
                    Assert.True(found.AsSpan(block * 4096, length).SequenceEqual(model.AsSpan(block * 4096, length)), $"Block {block} is neither as before nor as flushed.");
                }
            },
            iter: 40);
    }

    [Fact]
    public async Task Writers_of_neighbouring_bytes_do_not_undo_each_other()
    {
        using var folder = new TemporaryFolder();
        var content = ServerLab.Sample(64 * 1024);
        await using var device = await OpenAsync(folder, content);
        var written = Sources.Noise(content.Length, 9);
        var pieces = Enumerable.Range(0, content.Length / 512).ToArray();
        new Random(4).Shuffle(pieces);
        await Parallel.ForEachAsync(pieces, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (piece, cancellationToken) =>
        {
            await device.WriteAsync(piece * 512, written.AsMemory(piece * 512, 512), cancellationToken);
            if (piece % 16 == 0)
                await device.FlushAsync(cancellationToken);
        });
        Assert.Equal(written, await ReadAllAsync(device));
        await device.FlushAsync(CancellationToken.None);
        await device.DisposeAsync();
        await using var again = await OpenAsync(folder, content);
        Assert.Equal(written, await ReadAllAsync(again));
    }

    [Fact]
    public async Task A_base_that_cannot_be_read_fails_the_write_that_needs_it_and_no_other()
    {
        using var folder = new TemporaryFolder();
        var content = ServerLab.Sample(64 * 1024);
        var disk = new MemoryDisk(content) { BadByte = 5000 };
        await using var device = await OverlayDevice.OpenAsync(folder["overlay"], disk, Name);
        await Assert.ThrowsAsync<IOException>(async () => await device.WriteAsync(4096, new byte[512], CancellationToken.None));
        await device.WriteAsync(8192, new byte[512], CancellationToken.None);

        // A write of the whole block needs nothing of the base.
        await device.WriteAsync(4096, new byte[4096], CancellationToken.None);
        disk.BadByte = null;
        Array.Clear(content, 4096, 4096);
        Array.Clear(content, 8192, 512);
        Assert.Equal(content, await ReadAllAsync(device));
    }

    [Fact]
    public async Task Only_an_overlay_of_this_disk_is_opened_and_only_once()
    {
        using var folder = new TemporaryFolder();
        var content = ServerLab.Sample(64 * 1024);
        await using (var device = await OpenAsync(folder, content))
            await Assert.ThrowsAsync<IOException>(() => OpenAsync(folder, content));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(folder["overlay"]));
        Assert.Equal([folder["overlay"]], Directory.GetFiles(folder.Path));

        var other = await Assert.ThrowsAsync<InvalidDataException>(() => OverlayDevice.OpenAsync(folder["overlay"], new MemoryDisk(content), "another"));
        Assert.Contains(Name, other.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<InvalidDataException>(() => OverlayDevice.OpenAsync(folder["overlay"], new MemoryDisk(new byte[1024]), Name));

        var whole = await File.ReadAllBytesAsync(folder["overlay"], TestContext.Current.CancellationToken);
        await File.WriteAllBytesAsync(folder["overlay"], whole[..^1], TestContext.Current.CancellationToken);
        await Assert.ThrowsAsync<InvalidDataException>(() => OpenAsync(folder, content));
        foreach (var position in (int[])[0, 9, 13, 20, 40, 4000, 4095])
        {
            var bent = whole.ToArray();
            bent[position] ^= 0x40;
            await File.WriteAllBytesAsync(folder["overlay"], bent, TestContext.Current.CancellationToken);
            await Assert.ThrowsAsync<InvalidDataException>(() => OpenAsync(folder, content));
        }
    }

    private static Task<OverlayDevice> OpenAsync(TemporaryFolder folder, byte[] content) => OverlayDevice.OpenAsync(folder["overlay"], new MemoryDisk(content), Name);

    private static HashSet<int> Blocks(IEnumerable<(int Offset, int Length, int Seed)> writes) =>
        [.. writes.SelectMany(write => Enumerable.Range(write.Offset / 4096, ((write.Offset + write.Length - 1) / 4096) - (write.Offset / 4096) + 1))];

    private static async Task WriteAsync(OverlayDevice device, byte[] model, (int Offset, int Length, int Seed) write)
    {
        var length = Math.Min(write.Length, model.Length - write.Offset);
        var data = Sources.Noise(length, write.Seed);
        data.CopyTo(model, write.Offset);
        await device.WriteAsync(write.Offset, data, CancellationToken.None);
    }

    private static async Task<byte[]> ReadAllAsync(OverlayDevice device)
    {
        var bytes = new byte[device.LengthBytes];
        await device.ReadAsync(0, bytes, CancellationToken.None);
        return bytes;
    }

    private static async Task RequireSoundMapAsync(OverlayDevice device, byte[] model)
    {
        var offset = 0L;
        while (offset < model.Length)
        {
            var extents = await device.DescribeAsync(offset, model.Length - offset, 3, CancellationToken.None);
            Assert.InRange(extents.Count, 1, 3);
            foreach (var extent in extents)
            {
                Assert.Equal(offset, extent.OffsetBytes);
                Assert.True(extent.Kind != BlockKind.Zero || !model.AsSpan((int)offset, (int)extent.LengthBytes).ContainsAnyExcept((byte)0));
                offset += extent.LengthBytes;
            }
        }
    }
}
