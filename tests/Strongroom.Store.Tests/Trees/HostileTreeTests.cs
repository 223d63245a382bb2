using System.Runtime.CompilerServices;
using System.Text;
using Strongroom.Store.Streams;
using Strongroom.Store.Tests.Fakes;
using Strongroom.Store.Trees;

namespace Strongroom.Store.Tests.Trees;

/// <summary>Trees and targets made to lead a restore astray.</summary>
public sealed class HostileTreeTests
{
    [Theory]
    [InlineData("..")]
    [InlineData(".")]
    [InlineData("")]
    [InlineData("a/b")]
    [InlineData("/etc")]
    [InlineData("a\0b")]
    public void A_page_with_such_a_name_is_refused(string name)
    {
        var page = TreePage.Format(File(Encoding.UTF8.GetBytes(name)));
        var failure = Assert.Throws<StoreException>(() => TreePage.Parse(page, false));
        Assert.Equal(StoreErrorKind.Corrupt, failure.Kind);
    }

    [Fact]
    public void Only_the_trees_own_page_has_an_entry_without_a_name_and_no_other()
    {
        var top = TreePage.Format(File([]));
        Assert.Single(TreePage.Parse(top, true));
        Assert.Throws<StoreException>(() => TreePage.Parse((byte[])[.. top, .. top], true));
        Assert.Throws<StoreException>(() => TreePage.Parse(TreePage.Format(File("a"u8.ToArray())), true));
        Assert.Throws<StoreException>(() => TreePage.Parse(ReadOnlyMemory<byte>.Empty, false));
    }

    [Theory]
    [InlineData("b", "a")]
    [InlineData("a", "a")]
    public void Names_that_do_not_ascend_are_refused(string first, string second)
    {
        byte[] page = [.. TreePage.Format(File(Encoding.UTF8.GetBytes(first))), .. TreePage.Format(File(Encoding.UTF8.GetBytes(second)))];
        Assert.Throws<StoreException>(() => TreePage.Parse(page, false));
    }

    [Fact]
    public async Task Names_that_do_not_ascend_from_page_to_page_are_refused()
    {
        await using var vault = await TestVault.CreateAsync(new MemoryBackend());
        var tree = await CommitAsync(vault, TreePage.Format(File("b"u8.ToArray())), TreePage.Format(File("a"u8.ToArray())));
        var failure = await Assert.ThrowsAsync<StoreException>(() => vault.ListAsync(tree));
        Assert.Equal(StoreErrorKind.Corrupt, failure.Kind);
    }

    [Theory]
    [InlineData("../outside")]
    [InlineData("..")]
    [InlineData("/tmp/outside")]
    public async Task Nothing_is_written_outside_of_the_target_whatever_a_page_says(string name)
    {
        using var folder = new TemporaryFolder();
        await using var vault = await TestVault.CreateAsync(new MemoryBackend());
        var tree = await CommitAsync(vault, TreePage.Format(File(Encoding.UTF8.GetBytes(name))));
        var result = await vault.RestoreTreeAsync(tree, folder["target"]);
        Assert.Single(result.Problems);
        Assert.Equal(0, result.Files);
        Assert.Equal([folder["target"]], Directory.EnumerateFileSystemEntries(folder.Path, "*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task Symbolic_links_in_the_target_are_replaced_and_never_followed()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder["source/sub"]);
        await System.IO.File.WriteAllTextAsync(folder["source/sub/file"], "new", CancellationToken.None);
        await System.IO.File.WriteAllTextAsync(folder["source/top"], "new", CancellationToken.None);
        Directory.CreateDirectory(folder["outside"]);
        await System.IO.File.WriteAllTextAsync(folder["outside/file"], "old", CancellationToken.None);
        Directory.CreateDirectory(folder["target"]);
        System.IO.File.CreateSymbolicLink(folder["target/sub"], folder["outside"]);
        System.IO.File.CreateSymbolicLink(folder["target/top"], folder["outside/file"]);
        await using var vault = await TestVault.CreateAsync(new MemoryBackend());
        var tree = (await vault.StoreTreeAsync(folder["source"])).Result.Tree;
        var refused = await Assert.ThrowsAsync<StoreException>(() => vault.RestoreTreeAsync(tree, folder["target"]));
        Assert.Equal(StoreErrorKind.InvalidRequest, refused.Kind);
        var result = await vault.RestoreTreeAsync(tree, folder["target"], existing: ExistingFiles.Overwrite);
        Assert.Empty(result.Problems);
        Assert.Equal("old", await System.IO.File.ReadAllTextAsync(folder["outside/file"], CancellationToken.None));
        Assert.Equal(FolderScan.Of(folder["source"]), FolderScan.Of(folder["target"]));
    }

    [Fact]
    public async Task Nothing_is_written_outside_of_the_target_while_somebody_puts_links_in_the_place_of_its_folders()
    {
        using var folder = new TemporaryFolder();
        for (var i = 0; i < 200; i++)
        {
            Directory.CreateDirectory(folder[$"source/{i % 10}/in"]);
            await System.IO.File.WriteAllTextAsync(folder[$"source/{i % 10}/in/{i}"], "new", CancellationToken.None);
        }

        Directory.CreateDirectory(folder["outside/in"]);
        Directory.CreateDirectory(folder["target"]);
        await using var vault = await TestVault.CreateAsync(new MemoryBackend());
        var tree = (await vault.StoreTreeAsync(folder["source"])).Result.Tree;
        using var end = new CancellationTokenSource();
        var swaps = new StrongBox<int>();
        // A thread of its own: the pool's may all be busy with other tests until the restores are over.
        var swapping = Task.Factory.StartNew(() => Swap(folder, swaps, end.Token), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        for (var round = 0; round < 5 || (Volatile.Read(ref swaps.Value) <= 5 && !swapping.IsCompleted); round++)
            await vault.RestoreTreeAsync(tree, folder["target"], existing: ExistingFiles.Overwrite);
        await end.CancelAsync();
        await swapping;
        Assert.True(swaps.Value > 5, "Nothing was swapped while the restores ran.");
        Assert.Empty(Directory.EnumerateFiles(folder["outside"], "*", SearchOption.AllDirectories));
    }

    /// <summary>Puts a link to a folder outside in the place of one in the target, and takes it away; counts how often.</summary>
    private static void Swap(TemporaryFolder folder, StrongBox<int> swaps, CancellationToken end)
    {
        while (!end.IsCancellationRequested)
        {
            try
            {
                var (name, aside) = (folder[$"target/{swaps.Value % 10}"], folder[$"aside-{swaps.Value++}"]);
                if (Directory.Exists(name))
                    Directory.Move(name, aside);
                System.IO.File.CreateSymbolicLink(name, folder["outside"]);
                Thread.Yield();
                System.IO.File.Delete(name);
                if (Directory.Exists(aside))
                    Directory.Move(aside, name);
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                // The restore was faster.
            }
        }
    }

    [Fact]
    public async Task Existing_files_are_replaced_when_asked_for_and_others_stay()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder["source"]);
        await System.IO.File.WriteAllTextAsync(folder["source/file"], "new", CancellationToken.None);
        await System.IO.File.WriteAllTextAsync(folder["source/name"], "a file", CancellationToken.None);
        Directory.CreateDirectory(folder["target/name/full"]);
        await System.IO.File.WriteAllTextAsync(folder["target/file"], "old", CancellationToken.None);
        await System.IO.File.WriteAllTextAsync(folder["target/other"], "stays", CancellationToken.None);
        await using var vault = await TestVault.CreateAsync(new MemoryBackend());
        var tree = (await vault.StoreTreeAsync(folder["source"])).Result.Tree;
        var result = await vault.RestoreTreeAsync(tree, folder["target"], existing: ExistingFiles.Overwrite);

        // A folder is never deleted to make room for a file.
        Assert.Equal("name", Assert.Single(result.Problems).Path.ToString());
        Assert.Equal("new", await System.IO.File.ReadAllTextAsync(folder["target/file"], CancellationToken.None));
        Assert.Equal("stays", await System.IO.File.ReadAllTextAsync(folder["target/other"], CancellationToken.None));
        Assert.True(Directory.Exists(folder["target/name/full"]));
        Assert.Equal(3, Directory.EnumerateFileSystemEntries(folder["target"]).Count());
    }

    [Fact]
    public async Task A_part_of_a_tree_is_restored_by_its_path()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder["source/a/b"]);
        await System.IO.File.WriteAllTextAsync(folder["source/a/b/file"], "x", CancellationToken.None);
        await System.IO.File.WriteAllTextAsync(folder["source/a/else"], "y", CancellationToken.None);
        await using var vault = await TestVault.CreateAsync(new MemoryBackend());
        var tree = (await vault.StoreTreeAsync(folder["source"])).Result.Tree;
        await vault.RestoreTreeAsync(tree, folder["part"], "a/b");
        Assert.Equal(FolderScan.Of(folder["source/a/b"]), FolderScan.Of(folder["part"]));
        await vault.RestoreTreeAsync(tree, folder["single"], "a/else");
        Assert.Equal("y", await System.IO.File.ReadAllTextAsync(folder["single/else"], CancellationToken.None));
        await Assert.ThrowsAsync<StoreException>(() => vault.RestoreTreeAsync(tree, folder["single"], "a/else"));
        var missing = await Assert.ThrowsAsync<StoreException>(() => vault.RestoreTreeAsync(tree, folder["none"], "a/nothing"));
        Assert.Equal(StoreErrorKind.NotFound, missing.Kind);
    }

    [Fact]
    public async Task A_damaged_file_is_reported_and_holds_up_no_other()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder["source"]);
        await System.IO.File.WriteAllBytesAsync(folder["source/a"], TestVault.Noise(1, 200_000), CancellationToken.None);
        await System.IO.File.WriteAllBytesAsync(folder["source/b"], "small"u8.ToArray(), CancellationToken.None);
        var backend = new MemoryBackend();
        TreeRef tree;
        await using (var vault = await TestVault.CreateAsync(backend))
            tree = (await vault.StoreTreeAsync(folder["source"])).Result.Tree;
        var pack = Assert.Single(await backend.AllAsync("packs/"));
        var bytes = await backend.ContentAsync(pack.Name);
        bytes[100_000] ^= 1;
        await backend.ReplaceAsync(pack.Name, bytes);
        await using var again = await TestVault.OpenAsync(backend);
        var result = await again.RestoreTreeAsync(tree, folder["target"]);
        Assert.Equal("a", Assert.Single(result.Problems).Path.ToString());
        Assert.Equal([folder["target/b"]], Directory.EnumerateFileSystemEntries(folder["target"]));
        var report = await again.VerifyAsync(readData: true, null, CancellationToken.None);
        Assert.Contains(report.Problems, problem => problem.Snapshots.Count == 1);
    }

    [Fact]
    public async Task A_damaged_page_on_the_way_to_a_part_holds_up_no_other_part()
    {
        using var folder = new TemporaryFolder();
        await using var vault = await TestVault.CreateAsync(new MemoryBackend());
        var tree = await CommitAsync(vault, [.. TreePage.Format(File("a"u8.ToArray())), .. TreePage.Format(File("b"u8.ToArray()))], TreePage.Format(File(".."u8.ToArray())));
        var result = await vault.RestorePartsAsync(tree, folder["target"], ExistingFiles.FailOnConflict, "z > x", "b");
        Assert.Equal((1L, 1L), (result.Files, result.FilesFailed));
        var problem = Assert.Single(result.Problems);
        Assert.Equal("x/z", problem.Path.ToString());
        Assert.StartsWith("The way to 'z' is lost", problem.What, StringComparison.Ordinal);
        Assert.Equal([folder["target/b"]], Directory.EnumerateFileSystemEntries(folder["target"]));
    }

    private static TreeEntry File(byte[] name) => new() { Kind = TreeEntryKind.File, Name = name, Mode = 0x1A4, Inline = [1, 2, 3] };

    /// <summary>Commits a tree whose folder has these pages.</summary>
    private static async Task<TreeRef> CommitAsync(VaultStore vault, params byte[][] pages)
    {
        await using var session = await vault.OpenSessionAsync(CancellationToken.None);
        ISessionChunks chunks = session;
        var manifest = new StreamManifest(chunks, vault.Packs.Ring.NodeKey, null);
        foreach (var page in pages)
            await manifest.AddAsync(page.Length, await chunks.StoreNodeAsync(page, CancellationToken.None), CancellationToken.None);
        var folder = new TreeEntry { Kind = TreeEntryKind.Folder, Name = Array.Empty<byte>(), Mode = 0x1ED, Stream = await manifest.FinishAsync(CancellationToken.None) };
        var top = TreePage.Format(folder);
        var tree = new TreeRef(new StreamRef(top.Length, 0, await chunks.StoreNodeAsync(top, CancellationToken.None)));
        session.Vouch(tree);
        await session.CommitAsync(TestVault.Draft() with { Trees = [new("hostile", tree)] }, CancellationToken.None);
        return tree;
    }
}
