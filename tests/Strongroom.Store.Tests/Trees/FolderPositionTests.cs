using Strongroom.Store.Tests.Fakes;

namespace Strongroom.Store.Tests.Trees;

/// <summary>A folder is listed from a position on, and what lies before it is not read.</summary>
public sealed class FolderPositionTests : IDisposable
{
    private const int Files = 1_000;
    private readonly TemporaryFolder folder = new();

    public FolderPositionTests()
    {
        // Long names: several pages with few files.
        for (var i = 0; i < Files; i++)
            File.WriteAllText(folder[Name(i)], "");
    }

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Each_entry_is_found_again_at_its_position()
    {
        await using var vault = await TestVault.CreateAsync(new MemoryBackend());
        var tree = (await vault.StoreTreeAsync(folder[""])).Result.Tree;
        var all = await ListAsync(vault, tree, 0);
        Assert.Equal(Enumerable.Range(0, Files).Select(Name), all.Select(placed => placed.Entry.NameText));
        Assert.Equal(0, all[0].Position);
        for (var i = 0; i < Files; i += 7)
            Assert.Equal((all[i].Position, Name(i)), await FirstAsync(vault, tree, all[i].Position));
        for (var i = 1; i < Files; i++)
            Assert.True(all[i].Position > all[i - 1].Position);
        Assert.Equal(Name(Files - 1), Assert.Single(await ListAsync(vault, tree, all[^1].Position)).Entry.NameText);
        Assert.Empty(await ListAsync(vault, tree, all[^1].Position + 1));
        Assert.Empty(await ListAsync(vault, tree, long.MaxValue));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => ListAsync(vault, tree, -1));
    }

    [Fact]
    public async Task Between_the_entries_of_two_pages_nothing_comes()
    {
        await using var vault = await TestVault.CreateAsync(new MemoryBackend());
        var tree = (await vault.StoreTreeAsync(folder[""])).Result.Tree;
        var positions = (await ListAsync(vault, tree, 0)).ConvertAll(placed => placed.Position);
        var ends = positions.Zip(positions.Skip(1)).Where(pair => pair.Second > pair.First + 1).Select(pair => pair.First).ToList();
        Assert.True(ends.Count >= 3, $"The folder has {ends.Count + 1} pages.");
        foreach (var end in ends)
            Assert.Empty(await ListAsync(vault, tree, end + 1));
    }

    [Fact]
    public async Task The_end_of_a_folder_costs_what_its_begin_costs()
    {
        var backend = new CountingBackend();
        await using var vault = await TestVault.CreateAsync(backend);
        var tree = (await vault.StoreTreeAsync(folder[""])).Result.Tree;
        var last = (await ListAsync(vault, tree, 0))[^1].Position;
        var all = backend.Take().Requests;
        await FirstAsync(vault, tree, 0);
        var first = backend.Take().Requests;
        await FirstAsync(vault, tree, last);
        Assert.Equal(first, backend.Take().Requests);
        Assert.True(all > first + 3, $"All cost {all} requests, the first entry {first}.");
    }

    private static string Name(int number) => $"{number:d4}-{new string('n', 200)}";

    private static async Task<List<(long Position, TreeEntry Entry)>> ListAsync(VaultStore vault, TreeRef tree, long position)
    {
        var entries = new List<(long Position, TreeEntry Entry)>();
        await foreach (var placed in vault.ListTreeAsync(tree, TreePath.Of(""), position, CancellationToken.None))
            entries.Add(placed);
        return entries;
    }

    private static async Task<(long Position, string Name)> FirstAsync(VaultStore vault, TreeRef tree, long position)
    {
        await foreach (var placed in vault.ListTreeAsync(tree, TreePath.Of(""), position, CancellationToken.None))
            return (placed.Position, placed.Entry.NameText);
        throw new InvalidOperationException($"There is nothing at {position}.");
    }
}
