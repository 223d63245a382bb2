using System.Globalization;
using Strongroom.Store.Tests.Fakes;
using Strongroom.Store.Tests.Trees.Truth;
using Strongroom.Store.Trees;

namespace Strongroom.Store.Tests.Trees;

/// <summary>What an earlier run of the same restore has put in place counts as restored, and only that.</summary>
public sealed class ResumedRestoreTests : IDisposable
{
    private static readonly TreeRestoreOptions Copies = new() { Existing = ExistingFiles.CreateCopy };
    private readonly TemporaryFolder folder = new();

    public ResumedRestoreTests()
    {
        Write("source/a", "new");
        Write("source/folder/in", "new");
        Write("source/folder/rest", "new");
        Write("source/was file/below", "new");
        using var source = FolderHandle.Open(folder["source"]);
        source.MakeSymbolicLink("link"u8, "new"u8);
        source.MakeNode("pipe"u8, TreeEntryKind.Fifo, 0, 0);
        Assert.True(source.TryLink(source, "a"u8, "second"u8));
    }

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData(ExistingFiles.Skip)]
    [InlineData(ExistingFiles.FailOnConflict)]
    [InlineData(ExistingFiles.CreateCopy)]
    public async Task What_is_in_place_counts_as_restored_and_the_rest_is_restored(ExistingFiles existing)
    {
        await using var vault = await TestVault.CreateAsync(new MemoryBackend());
        var tree = (await vault.StoreTreeAsync(folder["source"])).Result.Tree;
        var options = new TreeRestoreOptions { Existing = existing };
        var first = await RestoreAsync(vault, tree, options);
        File.Delete(folder["target/folder/rest"]);
        File.Delete(folder["target/second"]);
        var again = await RestoreAsync(vault, tree, options with { Resumes = true });
        Assert.Empty(again.Problems);
        Assert.Equal((7L, 0L, 0L, first.Bytes), (again.Files, again.FilesSkipped, again.FilesFailed, again.Bytes));
        Assert.Equal(Names("source"), Names("target"));
        using var target = FolderHandle.Open(folder["target"]);
        Assert.Equal(target.Stat("a"u8).Inode, target.Stat("second"u8).Inode);
    }

    [Theory]
    [InlineData(ExistingFiles.Skip, 4, 3, 0)]
    [InlineData(ExistingFiles.FailOnConflict, 4, 0, 3)]
    public async Task What_differs_is_treated_by_the_rule(ExistingFiles existing, int restored, int skipped, int failed)
    {
        await using var vault = await TestVault.CreateAsync(new MemoryBackend());
        var tree = (await vault.StoreTreeAsync(folder["source"])).Result.Tree;
        Write("target/folder/in", "old and longer");
        Write("target/folder/rest", "old");
        File.CreateSymbolicLink(folder["target/link"], "old");
        var result = await RestoreAsync(vault, tree, new() { Existing = existing, Resumes = true });
        Assert.Equal((restored, skipped, failed), ((int)result.Files, (int)result.FilesSkipped, (int)result.FilesFailed));
        Assert.Equal(failed, result.Problems.Count);
        Assert.Equal(("old and longer", "old"), (File.ReadAllText(folder["target/folder/in"]), File.ReadAllText(folder["target/folder/rest"])));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task No_second_copies_are_made(bool isKilledInFolder)
    {
        Directory.SetLastWriteTimeUtc(folder["source/was file"], new DateTime(2001, 2, 3, 4, 5, 6, DateTimeKind.Utc));
        foreach (var name in (string[])["a", "folder/in", "was file", "link", "second"])
            Write($"target/{name}", "old");
        await using var vault = await TestVault.CreateAsync(new MemoryBackend());
        var tree = (await vault.StoreTreeAsync(folder["source"])).Result.Tree;
        var first = await RestoreAsync(vault, tree, Copies);
        var names = Names("target");
        Assert.Contains("was file (1)/below", names);
        File.Delete(folder["target/was file (1)/below"]);
        if (isKilledInFolder)
            Assert.Equal(0, RawCalls.SetAttribute(new RawPath(folder["target/was file (1)"]).Terminated, "user.strongroom-unfinished\0"u8.ToArray(), [], 0, 0));
        else
            Directory.SetLastWriteTimeUtc(folder["target/was file (1)"], Directory.GetLastWriteTimeUtc(folder["source/was file"]));
        File.Delete(folder["target/folder/in (1)"]);
        File.Delete(folder["target/second (1)"]);
        var again = await RestoreAsync(vault, tree, Copies with { Resumes = true });
        Assert.Empty(again.Problems);
        Assert.Equal((first.Files, first.Bytes), (again.Files, again.Bytes));
        Assert.Equal(names, Names("target"));
        using var target = FolderHandle.Open(folder["target"]);
        Assert.Equal(target.Stat("a (1)"u8).Inode, target.Stat("second (1)"u8).Inode);
        Assert.Equal("old", File.ReadAllText(folder["target/a"]));
        Assert.Equal(Directory.GetLastWriteTimeUtc(folder["source/was file"]), Directory.GetLastWriteTimeUtc(folder["target/was file (1)"]));
    }

    [Fact]
    public async Task A_thing_in_place_is_one_parts_only()
    {
        // Two files that nothing tells apart but what they hold, for one name.
        Write("source/one/file", "111");
        Write("source/two/file", "222");
        foreach (var name in (string[])["source/one/file", "source/two/file"])
            File.SetLastWriteTimeUtc(folder[name], new DateTime(2001, 2, 3, 4, 5, 6, DateTimeKind.Utc));
        await using var vault = await TestVault.CreateAsync(new MemoryBackend());
        var tree = (await vault.StoreTreeAsync(folder["source"])).Result.Tree;
        await vault.RestorePartsAsync(tree, folder["target"], ExistingFiles.CreateCopy, "one/file > x");
        TreeSelection[] selections = [new(TreePath.Of("one/file"), TreePath.Of("x")), new(TreePath.Of("two/file"), TreePath.Of("x"))];
        var result = await vault.RestoreTreeAsync(tree, selections, folder["target"], Copies with { Resumes = true }, null, CancellationToken.None);
        Assert.Equal(2, result.Files);
        Assert.Equal(("111", "222"), (File.ReadAllText(folder["target/x/file"]), File.ReadAllText(folder["target/x/file (1)"])));
    }

    [Theory]
    [InlineData(3)]
    [InlineData(700_000)]
    public async Task What_is_older_than_the_machines_start_is_compared(int lengthBytes)
    {
        await File.WriteAllBytesAsync(folder["source/a"], TestVault.Noise(1, lengthBytes), CancellationToken.None);
        await using var vault = await TestVault.CreateAsync(new MemoryBackend());
        var tree = (await vault.StoreTreeAsync(folder["source"])).Result.Tree;
        await RestoreAsync(vault, tree, new() { Existing = ExistingFiles.Skip });
        var entry = (await vault.ListAsync(tree))[0];
        using var open = new OpenFolders(FolderHandle.Open(folder["target"]));
        Assert.Equal("a", Text(await FindAsync(startedAt: new(long.MaxValue, 0), takesCopies: false)));

        // Another byte at the end, as of a file that was not on the disk yet.
        var time = open.Root.Handle!.Stat("a"u8).ModifiedAt;
        using (var file = File.OpenHandle(folder["target/a"], access: FileAccess.ReadWrite))
        {
            RandomAccess.Write(file, [(byte)(TestVault.Noise(1, lengthBytes)[^1] ^ 1)], lengthBytes - 1);
            FolderHandle.SetModified(file, time);
        }

        Assert.Equal("a", Text(await FindAsync(startedAt: new(0, 0), takesCopies: false)));
        var failure = await Assert.ThrowsAsync<IOException>(() => FindAsync(startedAt: new(long.MaxValue, 0), takesCopies: false));
        Assert.Contains("another content", failure.Message, StringComparison.Ordinal);
        Assert.Null(await FindAsync(startedAt: new(long.MaxValue, 0), takesCopies: true));

        Task<byte[]?> FindAsync(FileTime startedAt, bool takesCopies) =>
            new EarlierRun(vault.Manifests, takesCopies, startedAt).FindAsync(open.Root.Handle!, open.Root, entry, CancellationToken.None).AsTask();
    }

    [Fact]
    public void The_machine_started_before_now_and_after_it_did()
    {
        var uptime = double.Parse(File.ReadAllText("/proc/uptime").Split(' ')[0], CultureInfo.InvariantCulture);
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        Assert.InRange(EarlierRun.Started().Seconds, now - (long)uptime, now + 60);
    }

    [Fact]
    public async Task The_beginning_is_told_when_nothing_stands_against_it_and_before_anything_is_written()
    {
        await using var vault = await TestVault.CreateAsync(new MemoryBackend());
        var tree = (await vault.StoreTreeAsync(folder["source"])).Result.Tree;
        var begun = 0;
        var options = new TreeRestoreOptions
        {
            Existing = ExistingFiles.FailOnConflict,
            Begins = () =>
            {
                begun++;
                Assert.Empty(Names("target"));
                return Task.CompletedTask;
            },
        };
        Write("target/a", "old");
        await Assert.ThrowsAsync<StoreException>(() => RestoreAsync(vault, tree, options));
        Assert.Equal(0, begun);
        File.Delete(folder["target/a"]);
        await Assert.ThrowsAsync<InvalidDataException>(() => RestoreAsync(vault, tree, options with { Begins = () => throw new InvalidDataException() }));
        Assert.Empty(Names("target"));
        Assert.Equal(7, (await RestoreAsync(vault, tree, options)).Files);
        Assert.Equal(1, begun);
    }

    private static string Text(byte[]? name) => System.Text.Encoding.UTF8.GetString(name!);

    private Task<TreeRestoreResult> RestoreAsync(VaultStore vault, TreeRef tree, TreeRestoreOptions options) =>
        vault.RestoreTreePathAsync(tree, default, folder["target"], options, null, CancellationToken.None);

    private void Write(string name, string content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(folder[name])!);
        File.WriteAllText(folder[name], content);
    }

    private List<string> Names(string below) =>
    [
        .. new DirectoryInfo(folder[below]).EnumerateFiles("*", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(folder[below], file.FullName)).Order(StringComparer.Ordinal),
    ];
}
