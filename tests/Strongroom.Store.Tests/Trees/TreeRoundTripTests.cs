using CsCheck;
using Strongroom.Store.Tests.Fakes;
using Strongroom.Store.Trees;

namespace Strongroom.Store.Tests.Trees;

public sealed class TreeRoundTripTests
{
    private static readonly VaultStoreOptions Options = TestVault.Small with { PackSizeBytes = 4 << 20, IndexBufferRecords = 512 };

    [Fact]
    public async Task Random_folders_come_back_with_all_that_Linux_keeps_of_them()
    {
        await Check.SampleAsync(Gen.Select(Gen.Int[0, 1 << 20], Gen.Int[1, 25]), async (seed, count) =>
        {
            using var folder = new TemporaryFolder();
            new RandomFolder(seed).Fill(folder["source"], count);
            var backend = new MemoryBackend();
            TreeBackupResult first;
            await using (var vault = await TestVault.CreateAsync(backend, Options))
            {
                first = (await vault.StoreTreeAsync(folder["source"])).Result;
                Assert.Empty(first.Problems);
            }

            await using var again = await TestVault.OpenAsync(backend, Options);
            var restored = await again.RestoreTreeAsync(first.Tree, folder["target"]);
            Assert.Empty(restored.Problems);
            Assert.Equal(FolderScan.Of(folder["source"]), FolderScan.Of(folder["target"]));
            Assert.Equal((first.Statistics.Folders, first.Statistics.Files, first.Statistics.Bytes), (restored.Folders, restored.Files, restored.Bytes));
            Assert.True((await again.VerifyAsync(readData: true, null, CancellationToken.None)).IsHealthy);

            // The same again reads nothing and stores nothing.
            var (second, statistics) = await again.StoreTreeAsync(folder["source"], first.Tree);
            Assert.Equal(first.Tree, second.Tree);
            Assert.Equal((0L, 0L), (statistics.BytesRead, statistics.BytesStored));
        }, iter: 8, threads: 1);
    }

    [Fact]
    public async Task What_dot_NET_says_of_restored_files_is_what_was_set()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder["source/below"]);
        await File.WriteAllTextAsync(folder["source/below/text"], "hello", CancellationToken.None);
        File.SetUnixFileMode(folder["source/below/text"], UnixFileMode.UserRead | UnixFileMode.GroupExecute);
        var time = new DateTime(1999, 12, 31, 23, 59, 58, DateTimeKind.Utc).AddTicks(1234567);
        File.SetLastWriteTimeUtc(folder["source/below/text"], time);
        File.CreateSymbolicLink(folder["source/link"], "below/text");
        Directory.SetLastWriteTimeUtc(folder["source/below"], time);
        await using var vault = await TestVault.CreateAsync(new MemoryBackend(), Options);
        var tree = (await vault.StoreTreeAsync(folder["source"])).Result.Tree;
        await vault.RestoreTreeAsync(tree, folder["target"]);
        Assert.Equal("hello", await File.ReadAllTextAsync(folder["target/link"], CancellationToken.None));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.GroupExecute, File.GetUnixFileMode(folder["target/below/text"]));
        Assert.Equal(time, File.GetLastWriteTimeUtc(folder["target/below/text"]));
        Assert.Equal(time, Directory.GetLastWriteTimeUtc(folder["target/below"]));
        Assert.Equal("below/text", new FileInfo(folder["target/link"]).LinkTarget);
    }

    [Fact]
    public async Task Holes_stay_holes_and_are_not_read()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder["source"]);
        using (var file = File.OpenHandle(folder["source/disk"], FileMode.CreateNew, FileAccess.Write))
        {
            RandomAccess.SetLength(file, 200L << 20);
            RandomAccess.Write(file, TestVault.Noise(1, 100_000), 100L << 20);
            RandomAccess.Write(file, TestVault.Noise(2, 100_000), (100L << 20) + 300_000);
        }

        await using var vault = await TestVault.CreateAsync(new MemoryBackend(), Options);
        var (result, statistics) = await vault.StoreTreeAsync(folder["source"]);
        Assert.InRange(statistics.BytesRead, 200_000, 1 << 20);
        await vault.RestoreTreeAsync(result.Tree, folder["target"]);
        Assert.Equal(FolderScan.Of(folder["source"]), FolderScan.Of(folder["target"]));
        using var target = FolderHandle.Open(folder["target"]);
        Assert.InRange(target.Stat("disk"u8).AllocatedBytes, 200_000, 1 << 20);
    }

    [Fact]
    public async Task A_change_stores_the_changed_file_and_one_page()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder["source"]);
        for (var i = 0; i < 2000; i++)
            await File.WriteAllBytesAsync(folder[$"source/file{i}"], TestVault.Noise(i, 600), CancellationToken.None);
        await using var vault = await TestVault.CreateAsync(new MemoryBackend(), Options);
        var first = (await vault.StoreTreeAsync(folder["source"])).Result;
        await File.WriteAllBytesAsync(folder["source/file777"], TestVault.Noise(-1, 700), CancellationToken.None);
        var (second, statistics) = await vault.StoreTreeAsync(folder["source"], first.Tree);
        Assert.Equal(700, statistics.BytesRead);
        Assert.Equal(1999, second.Statistics.FilesUnchanged);
        Assert.InRange(statistics.BytesStored, 700, 80_000);
        await vault.RestoreTreeAsync(second.Tree, folder["target"]);
        Assert.Equal(FolderScan.Of(folder["source"]), FolderScan.Of(folder["target"]));
    }

    [Fact]
    public async Task A_file_that_changed_a_moment_ago_is_read_again_the_next_time()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder["source"]);
        await File.WriteAllBytesAsync(folder["source/file"], TestVault.Noise(1, 2000), CancellationToken.None);
        await using var vault = await TestVault.CreateAsync(new MemoryBackend(), Options);
        var first = await vault.StoreTreeAsync(folder["source"], options: new());
        var second = await vault.StoreTreeAsync(folder["source"], first.Result.Tree);
        Assert.Equal((2000L, 0L), (second.Statistics.BytesRead, second.Result.Statistics.FilesUnchanged));
        var third = await vault.StoreTreeAsync(folder["source"], second.Result.Tree);
        Assert.Equal((0L, 1L), (third.Statistics.BytesRead, third.Result.Statistics.FilesUnchanged));
    }

    [Fact]
    public async Task What_a_lost_pack_held_is_read_and_stored_again_though_the_file_is_unchanged()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder["source"]);
        await File.WriteAllBytesAsync(folder["source/file"], TestVault.Noise(1, 2_000_000), CancellationToken.None);
        var backend = new MemoryBackend();
        TreeRef tree;
        await using (var vault = await TestVault.CreateAsync(backend, Options))
            tree = (await vault.StoreTreeAsync(folder["source"])).Result.Tree;
        foreach (var pack in await backend.AllAsync("packs/"))
            await backend.DeleteAsync(pack.Name, CancellationToken.None);
        await using var again = await TestVault.OpenAsync(backend, Options);
        var (second, statistics) = await again.StoreTreeAsync(folder["source"], tree);
        Assert.Equal(2_000_000, statistics.BytesNew);
        await again.RestoreTreeAsync(second.Tree, folder["target"]);
        Assert.Equal(FolderScan.Of(folder["source"]), FolderScan.Of(folder["target"]));
    }

    [Fact]
    public async Task Folders_of_many_pages_list_in_order_and_single_files_are_found()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder["source/many"]);
        for (var i = 0; i < 3000; i++)
            await File.WriteAllTextAsync(folder[$"source/many/{i}"], $"{i}", CancellationToken.None);
        await using var vault = await TestVault.CreateAsync(new MemoryBackend(), Options);
        var tree = (await vault.StoreTreeAsync(folder["source"])).Result.Tree;
        Assert.Equal(["many"], (await vault.ListAsync(tree)).Select(entry => entry.NameText));
        var expected = Enumerable.Range(0, 3000).Select(i => $"{i}").Order(StringComparer.Ordinal);
        Assert.Equal(expected, (await vault.ListAsync(tree, "/many/")).Select(entry => entry.NameText));
        foreach (var i in (int[])[0, 1, 1234, 2998, 2999])
        {
            await using var file = await vault.OpenTreeFileAsync(tree, TreePath.Of($"many/{i}"), CancellationToken.None);
            using var reader = new StreamReader(file);
            Assert.Equal($"{i}", await reader.ReadToEndAsync(CancellationToken.None));
        }

        Assert.Null(await vault.FindInTreeAsync(tree, TreePath.Of("many/3000"), CancellationToken.None));
        Assert.Null(await vault.FindInTreeAsync(tree, TreePath.Of("many/1/2"), CancellationToken.None));
        Assert.True(TreeRef.TryParse(tree.ToString(), out var parsed));
        Assert.Equal(tree, parsed);
    }

    [Fact]
    public async Task What_is_excluded_or_vanished_is_left_out()
    {
        using var folder = new TemporaryFolder();
        foreach (var name in (string[])["a.tmp", "cache/x", "deep/cache/y", "deep/a.tmp", "deep/keep", "deep/er/log.1", "log.1"])
        {
            Directory.CreateDirectory(Path.GetDirectoryName(folder[$"source/{name}"])!);
            await File.WriteAllTextAsync(folder[$"source/{name}"], name, CancellationToken.None);
        }

        await using var vault = await TestVault.CreateAsync(new MemoryBackend(), Options);
        var options = StoredTrees.Settled with { Excludes = ["*.tmp", "cache/", "/deep/**/log.?"] };
        var tree = (await vault.StoreTreeAsync(folder["source"], options: options)).Result.Tree;
        await vault.RestoreTreeAsync(tree, folder["target"]);
        var found = Directory.EnumerateFiles(folder["target"], "*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(folder["target"], file));
        Assert.Equal(["deep/keep", "log.1"], found.Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("*.c", "main.c", true)]
    [InlineData("*.c", "a/main.c", false)]
    [InlineData("**.c", "a/main.c", true)]
    [InlineData("a*b*c", "aXbXbXc", true)]
    [InlineData("a*b*c", "aXbXbX", false)]
    [InlineData("a/**/z", "a/b/c/z", true)]
    [InlineData("a/*/z", "a/b/c/z", false)]
    [InlineData("?", "/", false)]
    [InlineData("**", "", true)]
    [InlineData("a", "", false)]
    public void Patterns_match_as_documented(string pattern, string text, bool expected) =>
        Assert.Equal(expected, ExcludePatterns.Matches(System.Text.Encoding.UTF8.GetBytes(pattern), System.Text.Encoding.UTF8.GetBytes(text)));
}
