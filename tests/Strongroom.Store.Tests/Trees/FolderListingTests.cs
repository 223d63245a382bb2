using System.Globalization;
using Strongroom.Store.Tests.Fakes;

namespace Strongroom.Store.Tests.Trees;

/// <summary>Folders that are listed part by part.</summary>
public sealed class FolderListingTests : IDisposable
{
    private const int Files = 2500;
    private readonly TemporaryFolder folder = new();

    public FolderListingTests()
    {
        Directory.CreateDirectory(folder["source/many"]);
        Directory.CreateDirectory(folder["source/none"]);
        for (var i = 0; i < Files; i++)
            File.WriteAllBytes(folder[$"source/many/{i.ToString("D5", CultureInfo.InvariantCulture)}"], []);
    }

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData(1000)]
    [InlineData(777)]
    [InlineData(Files)]
    public async Task All_parts_together_are_the_folder(int count)
    {
        await using var vault = await TestVault.CreateAsync(new MemoryBackend());
        var tree = (await vault.StoreTreeAsync(folder["source"])).Result.Tree;
        var names = new List<string>();
        for (long? position = 0; position is { } here;)
        {
            var part = (await vault.ListTreeAsync(tree, TreePath.Of("many"), here, count, CancellationToken.None))!.Value;
            Assert.InRange(part.Entries.Count, 1, count);
            names.AddRange(part.Entries.Select(entry => entry.NameText));
            position = part.Next;
        }

        Assert.Equal((await vault.ListAsync(tree, "many")).Select(entry => entry.NameText), names);
        Assert.Equal(Files, names.Count);
    }

    [Fact]
    public async Task A_position_that_was_never_given_has_nothing()
    {
        await using var vault = await TestVault.CreateAsync(new MemoryBackend());
        var tree = (await vault.StoreTreeAsync(folder["source"])).Result.Tree;
        foreach (var position in new[] { -1, 100_000, long.MaxValue, 1L << 40 })
            Assert.Null(await vault.ListTreeAsync(tree, TreePath.Of("many"), position, 10, CancellationToken.None));
        var none = (await vault.ListTreeAsync(tree, TreePath.Of("none"), 0, 10, CancellationToken.None))!.Value;
        Assert.Equal((0, null), (none.Entries.Count, none.Next));
        Assert.Null(await vault.ListTreeAsync(tree, TreePath.Of("none"), 1, 10, CancellationToken.None));
    }

    [Fact]
    public async Task A_part_reads_no_page_before_it()
    {
        var counting = new CountingBackend { Reads = ReadPattern.Disk };
        await using var vault = await TestVault.CreateAsync(counting);
        var tree = (await vault.StoreTreeAsync(folder["source"])).Result.Tree;
        var last = 0L;
        for (long? position = 0; position is { } here; position = (await vault.ListTreeAsync(tree, TreePath.Of("many"), here, 100, CancellationToken.None))!.Value.Next)
            last = here;
        counting.Take();
        Assert.NotEmpty((await vault.ListTreeAsync(tree, TreePath.Of("many"), last, 100, CancellationToken.None))!.Value.Entries);
        var ofPart = counting.Take().Bytes;
        await vault.ListAsync(tree, "many");
        Assert.InRange(ofPart, 1, counting.Take().Bytes / 2);
    }
}
