using System.Buffers.Binary;
using System.Security.Cryptography;
using CsCheck;

namespace Strongroom.Demo.Tests;

public sealed class DiskTests : IDisposable
{
    private readonly TempFolder folder = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_fingerprint_of_a_sparse_disk_is_the_hash_of_all_its_bytes()
    {
        var path = Disk("a.raw", 5 * 1024 * 1024 + 512, (1024 * 1024, 300_000), (4 * 1024 * 1024, 65_536));
        var expected = Convert.ToHexStringLower(SHA256.HashData(await File.ReadAllBytesAsync(path, Token)));
        var last = 0L;

        var fingerprint = await DiskFingerprint.OfAsync(path, done => last = done, Token);

        Assert.Equal(expected, fingerprint.Sha256);
        Assert.Equal(5 * 1024 * 1024 + 512, fingerprint.LengthBytes);
        Assert.InRange(fingerprint.DataBytes, 365_536, 1024 * 1024);
        Assert.Equal(fingerprint.LengthBytes, last);
    }

    [Fact]
    public void Runs_of_data_and_holes_cover_a_disk_without_gap_or_overlap() =>
        Gen.Select(Gen.Long[0, 63], Gen.Long[1, 8]).Array[0, 8].Sample(runs =>
        {
            var path = folder.File("runs.raw");
            const long block = 4096;
            const long length = 80 * block;
            File.Delete(path);
            using (var file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write))
            {
                RandomAccess.SetLength(file, length);
                foreach (var (at, count) in runs)
                    RandomAccess.Write(file, RandomNumberGenerator.GetBytes((int)(count * block)), at * block);
            }

            using var handle = File.OpenHandle(path);
            var data = SparseFile.DataRuns(handle, length).ToList();
            var all = data.Concat(SparseFile.Holes(handle, length)).OrderBy(run => run.OffsetBytes).ToList();
            var end = 0L;
            foreach (var run in all)
            {
                Assert.Equal(end, run.OffsetBytes);
                Assert.True(run.LengthBytes > 0);
                end = run.EndBytes;
            }

            Assert.Equal(length, end);
            Assert.All(runs, written => Assert.Contains(data, run =>
                run.OffsetBytes <= written.Item1 * block && run.EndBytes >= (written.Item1 + written.Item2) * block));
        }, iter: 50, threads: 1);

    [Fact]
    public async Task A_sparse_copy_is_equal_rounded_up_to_sectors_and_takes_no_more_room()
    {
        var path = Disk("odd.raw", 20 * 1024 * 1024 + 100, (1024 * 1024, 200_000), (15 * 1024 * 1024, 10));
        // Zeros that occupy blocks must become a hole.
        using (var file = File.OpenHandle(path, FileMode.Open, FileAccess.Write))
            RandomAccess.Write(file, new byte[4 * 1024 * 1024], 8 * 1024 * 1024);
        var copy = folder.File("copy.raw");

        await SparseCopy.CopyAsync(path, copy, new FileInfo(path).Length, _ => { }, Token);

        var (original, bytes) = (await File.ReadAllBytesAsync(path, Token), await File.ReadAllBytesAsync(copy, Token));
        Assert.Equal(20 * 1024 * 1024 + 512, bytes.Length);
        Assert.True(bytes.AsSpan(0, original.Length).SequenceEqual(original));
        Assert.InRange((await DiskFingerprint.OfAsync(copy, _ => { }, Token)).DataBytes, 1, 1024 * 1024);
    }

    [Fact]
    public async Task About_two_percent_of_the_data_changes_in_scattered_extents()
    {
        const int length = 64 * 1024 * 1024;
        var path = Disk("b.raw", length, (0, 20 * 1024 * 1024), (40 * 1024 * 1024, 20 * 1024 * 1024));
        var before = await File.ReadAllBytesAsync(path, Token);

        var change = await DiskChanger.ChangeAsync(path, 0.02, new SampleContent(7), Token);

        var after = await File.ReadAllBytesAsync(path, Token);
        Assert.Equal(length, after.Length);
        var changed = Enumerable.Range(0, length / DiskChanger.ExtentBytes)
            .Where(i => !Extent(before, i).SequenceEqual(Extent(after, i)))
            .ToList();
        // 640 extents hold data: 2 % are 13, one of them in a hole.
        Assert.Equal(13, change.ExtentCount);
        Assert.Equal(change.ExtentCount, changed.Count);
        Assert.Equal(change.ExtentCount * (long)DiskChanger.ExtentBytes, change.ChangedBytes);
        Assert.Single(changed, i => !Extent(before, i).ContainsAnyExcept((byte)0));
        Assert.True(changed.Max() - changed.Min() > length / DiskChanger.ExtentBytes / 2, "the changes lie close together");

        static ReadOnlySpan<byte> Extent(byte[] disk, int index) => disk.AsSpan(index * DiskChanger.ExtentBytes, DiskChanger.ExtentBytes);
    }

    [Fact]
    public void Every_extent_that_counts_as_changed_differs_and_the_length_stays() =>
        Gen.Select(Gen.Int[1, 4_000_000], Gen.Int[0, 100], Gen.ULong).Sample((length, percent, seed) =>
        {
            var path = Disk("c.raw", length, (length / 3, length / 4));
            var before = File.ReadAllBytes(path);
            var change = DiskChanger.ChangeAsync(path, percent / 100.0, new SampleContent(seed), Token).GetAwaiter().GetResult();
            var after = File.ReadAllBytes(path);

            Assert.Equal(length, after.Length);
            var extents = before.Chunk(DiskChanger.ExtentBytes).Zip(after.Chunk(DiskChanger.ExtentBytes)).ToList();
            var differing = extents.Where(pair => !pair.First.AsSpan().SequenceEqual(pair.Second)).ToList();
            Assert.Equal(change.ExtentCount, differing.Count);
            Assert.Equal(change.ChangedBytes, differing.Sum(pair => (long)pair.First.Length));
            Assert.True(change.ExtentCount >= 1);
        }, iter: 40, threads: 1);

    [Fact]
    public async Task A_disk_without_any_data_gets_some()
    {
        var path = Disk("empty.raw", 1024 * 1024);

        var change = await DiskChanger.ChangeAsync(path, 0.02, new SampleContent(1), Token);

        Assert.Equal(1, change.ExtentCount);
        Assert.Contains(await File.ReadAllBytesAsync(path, Token), value => value != 0);
    }

    [Fact]
    public async Task A_raw_disk_of_the_user_is_copied_and_stays_as_it_was()
    {
        var own = Disk("own.img", 3 * 1024 * 1024, (512, 100_000));
        var before = await File.ReadAllBytesAsync(own, Token);
        var written = File.GetLastWriteTimeUtc(own);

        await UserDisk.ImportAsync(own, folder.File("copy.raw"), _ => { }, TimeProvider.System, Token);
        await DiskChanger.ChangeAsync(folder.File("copy.raw"), 0.5, new SampleContent(1), Token);

        Assert.Equal(before, await File.ReadAllBytesAsync(own, Token));
        Assert.Equal(written, File.GetLastWriteTimeUtc(own));
    }

    [Fact]
    public async Task A_fixed_VHD_is_imported_without_its_footer()
    {
        var content = RandomNumberGenerator.GetBytes(1024 * 1024);
        var own = folder.File("own.vhd");
        await File.WriteAllBytesAsync(own, [.. content, .. Footer(content.Length, diskType: 2)], Token);

        await UserDisk.ImportAsync(own, folder.File("copy.raw"), _ => { }, TimeProvider.System, Token);

        Assert.Equal(content, await File.ReadAllBytesAsync(folder.File("copy.raw"), Token));
    }

    [Fact]
    public async Task A_VHD_that_claims_more_than_it_holds_is_refused()
    {
        var own = folder.File("own.vhd");
        await File.WriteAllBytesAsync(own, [.. new byte[4096], .. Footer(8192, diskType: 2)], Token);

        await Assert.ThrowsAsync<DemoException>(() =>
            UserDisk.ImportAsync(own, folder.File("copy.raw"), _ => { }, TimeProvider.System, Token));
    }

    [Theory]
    [InlineData("qcow2")]
    [InlineData("vpc")]
    public async Task A_disk_that_qemu_img_made_is_imported(string format)
    {
        var tool = ExternalTool.Find("qemu-img");
        if (tool is null)
            Assert.Skip("qemu-img is not installed (Debian package qemu-utils)");
        // A size that VHD's cylinders, heads and sectors meet, so that no format rounds it.
        var raw = Disk("source.raw", 2048 * 4 * 17 * 512, (70_000, 1_000_000));
        var own = folder.File("own.img");
        await ExternalTool.RunAsync(tool, ["convert", "-f", "raw", "-O", format, raw, own], TimeSpan.FromMinutes(1), TimeProvider.System, Token);

        await UserDisk.ImportAsync(own, folder.File("copy.raw"), _ => { }, TimeProvider.System, Token);

        var (expected, actual) = (await File.ReadAllBytesAsync(raw, Token), await File.ReadAllBytesAsync(folder.File("copy.raw"), Token));
        Assert.True(actual.Length >= expected.Length);
        Assert.True(actual.AsSpan(0, expected.Length).SequenceEqual(expected));
    }

    [Fact]
    public async Task A_damaged_qcow2_is_refused_with_a_reason()
    {
        if (ExternalTool.Find("qemu-img") is null)
            Assert.Skip("qemu-img is not installed (Debian package qemu-utils)");
        var own = folder.File("own.qcow2");
        await File.WriteAllBytesAsync(own, [(byte)'Q', (byte)'F', (byte)'I', 0xFB, .. new byte[1000]], Token);

        var refused = await Assert.ThrowsAsync<DemoException>(() =>
            UserDisk.ImportAsync(own, folder.File("copy.raw"), _ => { }, TimeProvider.System, Token));
        Assert.Contains("qemu-img ended with", refused.Message, StringComparison.Ordinal);
    }

    public void Dispose() => folder.Dispose();

    private static byte[] Footer(long sizeBytes, int diskType)
    {
        var footer = new byte[512];
        "conectix"u8.CopyTo(footer);
        BinaryPrimitives.WriteInt64BigEndian(footer.AsSpan(48), sizeBytes);
        BinaryPrimitives.WriteInt32BigEndian(footer.AsSpan(60), diskType);
        return footer;
    }

    private string Disk(string name, long lengthBytes, params (long Offset, long Length)[] data)
    {
        var path = folder.File(name);
        File.Delete(path);
        using var file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write);
        RandomAccess.SetLength(file, lengthBytes);
        foreach (var (offset, length) in data)
            RandomAccess.Write(file, RandomNumberGenerator.GetBytes((int)length), offset);
        return path;
    }
}
