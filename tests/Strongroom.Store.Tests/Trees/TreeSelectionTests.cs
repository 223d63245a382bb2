using Strongroom.Store.Tests.Fakes;

namespace Strongroom.Store.Tests.Trees;

/// <summary>Parts of a tree, each to a place of its own.</summary>
public sealed class TreeSelectionTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public TreeSelectionTests()
    {
        foreach (var name in (string[])["docs/a", "docs/sub/b", "docs/sub/deep/c", "pictures/d", "top"])
        {
            Directory.CreateDirectory(Path.GetDirectoryName(folder[$"source/{name}"])!);
            File.WriteAllText(folder[$"source/{name}"], name);
        }

        Chmod("source/docs", "source/docs/sub");
    }

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Files_and_folders_come_back_to_their_own_places_with_the_folders_above_as_they_were()
    {
        await using var vault = await TestVault.CreateAsync(new MemoryBackend());
        var tree = (await vault.StoreTreeAsync(folder["source"])).Result.Tree;
        var result = await vault.RestorePartsAsync(tree, folder["target"], ExistingFiles.FailOnConflict, "docs/sub/b", "docs/sub/deep", "top");
        Assert.Empty(result.Problems);
        Assert.Equal((3L, 3L, 0L, 0L), (result.Files, result.Folders, result.FilesSkipped, result.FilesFailed));
        Assert.Equal(["docs/sub/b", "docs/sub/deep/c", "top"], FilesBelow("target"));
        var lines = FolderScan.Of(folder["source"]);
        Assert.All(FolderScan.Of(folder["target"]).Skip(1), line => Assert.Contains(line, lines));
        Assert.Equal(3, FolderScan.Of(folder["target"]).Count(line => line.StartsWith("/docs/", StringComparison.Ordinal) && line.Contains("/ Folder", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_part_can_go_elsewhere_and_the_folders_above_it_are_plain_ones_then()
    {
        await using var vault = await TestVault.CreateAsync(new MemoryBackend());
        var tree = (await vault.StoreTreeAsync(folder["source"])).Result.Tree;
        var result = await vault.RestorePartsAsync(tree, folder["target"], ExistingFiles.Overwrite, "docs/sub > new/place", "top > docs", "> all/of it");
        Assert.Empty(result.Problems);
        Assert.Equal(
            ["all/of it/docs/a", "all/of it/docs/sub/b", "all/of it/docs/sub/deep/c", "all/of it/pictures/d", "all/of it/top", "docs/top", "new/place/sub/b", "new/place/sub/deep/c"],
            FilesBelow("target"));
        Assert.Equal(FolderScan.Of(folder["source"]), FolderScan.Of(folder["target/all/of it"]));
        Assert.Equal(FolderScan.Of(folder["source/docs/sub"]), FolderScan.Of(folder["target/new/place/sub"]));
        Assert.NotEqual(File.GetUnixFileMode(folder["source/docs"]), File.GetUnixFileMode(folder["target/docs"]));
        Assert.True(File.GetUnixFileMode(folder["target/docs"]).HasFlag(UnixFileMode.OtherRead));
    }

    [Theory]
    [InlineData(4, "docs/sub/b", "docs", "docs/sub", "docs/sub/b")]
    [InlineData(4, "docs", "docs")]
    [InlineData(6, "docs", "", "top", "docs/a")]
    [InlineData(5, "docs", "docs/a > elsewhere", "docs/a > elsewhere/", "elsewhere/x")]
    public async Task What_lies_in_another_part_is_restored_once(int files, params string[] selections)
    {
        await using var vault = await TestVault.CreateAsync(new MemoryBackend());
        File.WriteAllText(folder["source/docs/z"], "z");
        var tree = (await vault.StoreTreeAsync(folder["source"])).Result.Tree;

        // Twice at one place would make a copy, and count.
        var result = await vault.RestorePartsAsync(tree, folder["target"], ExistingFiles.CreateCopy, selections);
        Assert.Equal(files, result.Files);
        Assert.DoesNotContain(FilesBelow("target"), name => name.Contains('(', StringComparison.Ordinal));
    }

    [Fact]
    public async Task Names_of_one_file_stay_names_of_one_file_across_parts()
    {
        using (var source = Store.Trees.FolderHandle.Open(folder["source"]))
        using (var docs = Store.Trees.FolderHandle.Open(folder["source/docs"]))
            Assert.True(source.TryLink(docs, "a"u8, "linked"u8));
        await using var vault = await TestVault.CreateAsync(new MemoryBackend());
        var tree = (await vault.StoreTreeAsync(folder["source"])).Result.Tree;
        await vault.RestorePartsAsync(tree, folder["target"], ExistingFiles.Skip, "docs/a > x", "linked > y");
        File.AppendAllText(folder["target/x/a"], " more");
        Assert.Equal("docs/a more", File.ReadAllText(folder["target/y/linked"]));
    }

    [Fact]
    public async Task What_the_tree_does_not_have_is_named_and_the_others_are_restored()
    {
        await using var vault = await TestVault.CreateAsync(new MemoryBackend());
        var tree = (await vault.StoreTreeAsync(folder["source"])).Result.Tree;
        var result = await vault.RestorePartsAsync(tree, folder["target"], ExistingFiles.Overwrite, "docs/none", "top/none > x", "docs/a");
        Assert.Equal((1L, 2L), (result.Files, result.FilesFailed));
        Assert.Equal(["docs/none", "x/none"], result.Problems.Select(problem => problem.Path.ToString()));
        Assert.Contains("'top/none'", result.Problems[1].What, StringComparison.Ordinal);
        Assert.Equal(["docs/a"], FilesBelow("target"));
        Assert.False(Directory.Exists(folder["target/x"]));
    }

    [Theory]
    [InlineData("docs/../top > x")]
    [InlineData("top > ../x")]
    [InlineData("top > x/..")]
    [InlineData("to\0p > x")]
    [InlineData("top > .strongroom-snapshots")]
    [InlineData("top > x/.strongroom-snapshots/y")]
    [InlineData("docs/.strongroom-snapshots/a > x")]
    [InlineData(".strongroom-snapshots > x")]
    public async Task Paths_that_lead_up_or_into_snapshots_are_refused(string selection)
    {
        await using var vault = await TestVault.CreateAsync(new MemoryBackend());
        var tree = (await vault.StoreTreeAsync(folder["source"])).Result.Tree;
        var failure = await Assert.ThrowsAsync<StoreException>(
            () => vault.RestorePartsAsync(tree, folder["target"], ExistingFiles.Overwrite, "docs/a", selection));
        Assert.Equal(StoreErrorKind.InvalidRequest, failure.Kind);
        Assert.False(Directory.Exists(folder["target"]));
    }

    [Theory]
    [InlineData(ExistingFiles.Overwrite)]
    [InlineData(ExistingFiles.Skip)]
    [InlineData(ExistingFiles.CreateCopy)]
    public async Task A_link_on_the_way_to_a_part_leads_nowhere(ExistingFiles existing)
    {
        Directory.CreateDirectory(folder["outside"]);
        Directory.CreateDirectory(folder["target"]);
        File.CreateSymbolicLink(folder["target/docs"], folder["outside"]);
        await using var vault = await TestVault.CreateAsync(new MemoryBackend());
        var tree = (await vault.StoreTreeAsync(folder["source"])).Result.Tree;
        var result = await vault.RestorePartsAsync(tree, folder["target"], existing, "docs/sub", "top > docs/new", "top");
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder["outside"]));
        Assert.Equal(folder["outside"], new FileInfo(folder["target/docs"]).LinkTarget);
        Assert.Equal((1L, 3L), (result.Files, result.FilesFailed));
        Assert.Equal(["docs", "docs"], result.Problems.Select(problem => problem.Path.ToString()));
    }

    private static void SetMode(string path) =>
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute);

    private void Chmod(params string[] names)
    {
        foreach (var name in names)
        {
            SetMode(folder[name]);
            Directory.SetLastWriteTimeUtc(folder[name], new DateTime(2001, 2, 3, 4, 5, 6, DateTimeKind.Utc));
        }
    }

    private IEnumerable<string> FilesBelow(string name) => Directory.EnumerateFiles(folder[name], "*", SearchOption.AllDirectories)
        .Select(file => Path.GetRelativePath(folder[name], file)).Order(StringComparer.Ordinal);
}
