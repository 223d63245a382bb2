using Strongroom.Bench.Disks;
using Strongroom.Store;

namespace Strongroom.Bench.Tests;

public sealed class DiskMakerTests : IDisposable
{
    private const long LengthBytes = 96 << 20;
    private readonly TemporaryFolder folder = new();
    private readonly DiskRecipe recipe;

    public DiskMakerTests()
    {
        Directory.CreateDirectory(folder["source/below"]);
        for (var i = 0; i < 20; i++)
            File.WriteAllText(folder[i % 2 == 0 ? $"source/{i}" : $"source/below/{i}"], string.Join(' ', Enumerable.Range(i, 5000)));
        Directory.CreateDirectory(folder["other"]);
        File.WriteAllText(folder["other/1"], string.Join('-', Enumerable.Range(0, 5000)));
        recipe = new(LengthBytes, 40, 30, 30, Seed: 1, folder["source"]);
    }

    public void Dispose() => folder.Dispose();

    [Fact]
    public void The_same_recipe_makes_the_same_disk_and_another_seed_another()
    {
        DiskMaker.Make(folder["a"], recipe);
        DiskMaker.Make(folder["b"], recipe);
        DiskMaker.Make(folder["c"], recipe with { Seed = 2 });

        var first = File.ReadAllBytes(folder["a"]);
        Assert.Equal(LengthBytes, first.Length);
        Assert.True(first.AsSpan().SequenceEqual(File.ReadAllBytes(folder["b"])));
        Assert.False(first.AsSpan().SequenceEqual(File.ReadAllBytes(folder["c"])));
    }

    [Fact]
    public async Task The_shares_hold_and_zeros_are_holes()
    {
        var (zero, text, random) = DiskMaker.Make(folder["a"], recipe);

        Assert.Equal(LengthBytes, zero + text + random);
        Assert.InRange(zero, LengthBytes * 30 / 100, LengthBytes * 50 / 100);
        Assert.InRange(text, LengthBytes * 20 / 100, LengthBytes * 40 / 100);
        using var disk = new RawImage(folder["a"]);
        Assert.Equal(text + random, await disk.CountDataAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public void Changes_lie_where_the_list_says_and_nowhere_else()
    {
        DiskMaker.Make(folder["a"], recipe);
        File.Copy(folder["a"], folder["b"]);
        var changed = DiskMaker.Change(folder["b"], new(2, 64 << 10, Seed: 2, folder["other"]), folder["changed"]);

        Assert.Equal((int)(LengthBytes * 2 / 100 / (64 << 10)), changed.Count);
        Assert.Equal(changed.Select(run => (run.OffsetBytes, (long)run.LengthBytes)), ChangedImage.ReadList(folder["changed"]));
        var before = File.ReadAllBytes(folder["a"]);
        var after = File.ReadAllBytes(folder["b"]);
        foreach (var (offset, length) in changed)
        {
            Assert.False(before.AsSpan((int)offset, length).SequenceEqual(after.AsSpan((int)offset, length)), $"The change at {offset} changed nothing.");
            before.AsSpan((int)offset, length).Clear();
            after.AsSpan((int)offset, length).Clear();
        }

        Assert.True(before.AsSpan().SequenceEqual(after));
    }

    [Fact]
    public async Task A_disk_with_known_changes_declares_the_rest_unchanged()
    {
        DiskMaker.Make(folder["a"], recipe);
        using var disk = new RawImage(folder["a"]);
        var image = new ChangedImage(disk, [(65536, 65536), (LengthBytes - 65536, 65536)]);

        var map = await image.MapAsync(TestContext.Current.CancellationToken).ToListAsync(TestContext.Current.CancellationToken);

        ImageExtent[] expected =
        [
            new(0, 65536, ExtentKind.Unchanged), new(65536, 65536, ExtentKind.Data),
            new(131072, LengthBytes - 196608, ExtentKind.Unchanged), new(LengthBytes - 65536, 65536, ExtentKind.Data),
        ];
        Assert.Equal(expected, map);
    }

    [Fact]
    public async Task Comparison_finds_one_changed_byte_also_where_the_other_disk_has_a_hole()
    {
        DiskMaker.Make(folder["a"], recipe with { TextShare = 0, RandomShare = 0 });
        File.Copy(folder["a"], folder["b"]);
        Assert.True(await RawImage.AreSameAsync(folder["a"], folder["b"], TestContext.Current.CancellationToken));
        using (var file = File.OpenHandle(folder["b"], FileMode.Open, FileAccess.Write))
            RandomAccess.Write(file, [1], LengthBytes - 1);

        Assert.False(await RawImage.AreSameAsync(folder["a"], folder["b"], TestContext.Current.CancellationToken));
        Assert.False(await RawImage.AreSameAsync(folder["b"], folder["a"], TestContext.Current.CancellationToken));
    }

    [Fact]
    public void A_folder_without_files_is_refused()
    {
        Directory.CreateDirectory(folder["empty"]);
        Assert.Throws<InvalidDataException>(() => DiskMaker.Make(folder["a"], recipe with { Source = folder["empty"] }));
    }

    [Theory]
    [InlineData("64K", 65536)]
    [InlineData("2g", 2147483648)]
    [InlineData("1.5T", 1649267441664)]
    [InlineData("4096", 4096)]
    public void Sizes_are_read(string text, long bytes)
    {
        Assert.True(ByteSize.TryParse(text, out var read));
        Assert.Equal(bytes, read);
    }

    [Theory]
    [InlineData("")]
    [InlineData("G")]
    [InlineData("2X")]
    [InlineData("-1")]
    public void What_is_no_size_is_refused(string text) => Assert.False(ByteSize.TryParse(text, out _));
}
