using Strongroom.Store.Tests.Fakes;
using Strongroom.Store.Tests.Trees.Truth;

namespace Strongroom.Store.Tests.Trees;

/// <summary>Restores that end early: what they have made is the tree's, and a repetition finishes it.</summary>
public sealed class CutOffRestoreTests : IDisposable
{
    private const int Files = 40;
    private static readonly byte[] Mark = "user.strongroom-unfinished\0"u8.ToArray();
    private readonly TemporaryFolder folder = new();

    public CutOffRestoreTests()
    {
        Directory.CreateDirectory(folder["source/docs/sub"]);
        for (var i = 0; i < Files; i++)
            File.WriteAllText(folder[$"source/docs/sub/{i:d2}"], $"content {i}");
        foreach (var name in (string[])["source/docs/sub", "source/docs"])
        {
            File.SetUnixFileMode(folder[name], (UnixFileMode)0x1E8);
            Directory.SetLastWriteTimeUtc(folder[name], new DateTime(2001, 2, 3, 4, 5, 6, DateTimeKind.Utc));
        }
    }

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData(ExistingFiles.Overwrite)]
    [InlineData(ExistingFiles.Skip)]
    [InlineData(ExistingFiles.FailOnConflict)]
    [InlineData(ExistingFiles.CreateCopy)]
    public async Task New_folders_have_the_trees_metadata_when_a_restore_is_cancelled_and_the_next_one_finishes_them(ExistingFiles existing)
    {
        await using var vault = await TestVault.CreateAsync(new MemoryBackend());
        var tree = (await vault.StoreTreeAsync(folder["source"])).Result.Tree;
        await CutOffAsync(vault, tree, existing);
        foreach (var name in (string[])["docs", "docs/sub"])
        {
            Assert.Equal(File.GetUnixFileMode(folder[$"source/{name}"]), File.GetUnixFileMode(folder[$"target/{name}"]));
            Assert.Equal(Directory.GetLastWriteTimeUtc(folder[$"source/{name}"]), Directory.GetLastWriteTimeUtc(folder[$"target/{name}"]));
        }

        Assert.InRange(Directory.GetFiles(folder["target/docs/sub"]).Length, 1, Files - 1);
        var result = await RestoreAsync(vault, tree, new() { Existing = existing, Resumes = true });
        Assert.Empty(result.Problems);
        Assert.Equal((Files, 0L), (result.Files, result.FilesSkipped));
        RequireWhole();
    }

    [Fact]
    public async Task What_existing_folders_have_is_theirs_when_a_restore_is_cancelled()
    {
        Directory.CreateDirectory(folder["target/docs/sub"], UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        await using var vault = await TestVault.CreateAsync(new MemoryBackend());
        var tree = (await vault.StoreTreeAsync(folder["source"])).Result.Tree;
        await CutOffAsync(vault, tree, ExistingFiles.Skip);
        await RestoreAsync(vault, tree, new() { Existing = ExistingFiles.Skip });
        Assert.Equal(Files, Directory.GetFiles(folder["target/docs/sub"]).Length);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(folder["target/docs/sub"]));
    }

    [Theory]
    [InlineData(ExistingFiles.Skip)]
    [InlineData(ExistingFiles.FailOnConflict)]
    [InlineData(ExistingFiles.CreateCopy)]
    public async Task Folders_that_a_killed_restore_has_left_are_finished_by_the_next_one_whatever_the_rule(ExistingFiles existing)
    {
        SkipWithoutAttributes();
        foreach (var name in (string[])["target/docs", "target/docs/sub"])
        {
            Directory.CreateDirectory(folder[name], UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            Assert.Equal(0, RawCalls.SetAttribute(new RawPath(folder[name]).Terminated, Mark, [], 0, 0));
        }

        await using var vault = await TestVault.CreateAsync(new MemoryBackend());
        var tree = (await vault.StoreTreeAsync(folder["source"])).Result.Tree;
        var result = await RestoreAsync(vault, tree, new() { Existing = existing });
        Assert.Empty(result.Problems);
        Assert.Equal(2, result.Folders);
        RequireWhole();
    }

    [Fact]
    public async Task New_folders_bear_a_mark_until_they_are_finished()
    {
        SkipWithoutAttributes();
        await using var vault = await TestVault.CreateAsync(new MemoryBackend());
        var tree = (await vault.StoreTreeAsync(folder["source"])).Result.Tree;
        var marked = new HashSet<string>();
        await RestoreAsync(vault, tree, new(), new Reports(() =>
        {
            foreach (var name in (string[])["target/docs", "target/docs/sub"])
            {
                if (IsMarked(folder[name]))
                    marked.Add(name);
            }
        }));
        Assert.Equal(["target/docs", "target/docs/sub"], marked.Order(StringComparer.Ordinal));
        RequireWhole();
    }

    [Fact]
    public async Task Folders_on_the_way_to_several_parts_are_finished_once()
    {
        await using var vault = await TestVault.CreateAsync(new MemoryBackend());
        var tree = (await vault.StoreTreeAsync(folder["source"])).Result.Tree;
        var result = await vault.RestorePartsAsync(tree, folder["target"], ExistingFiles.Skip, "docs/sub/01", "docs/sub/02", "docs/sub/03");
        Assert.Equal((3L, 2L), (result.Files, result.Folders));
        Assert.Equal(Directory.GetLastWriteTimeUtc(folder["source/docs/sub"]), Directory.GetLastWriteTimeUtc(folder["target/docs/sub"]));
        Assert.False(IsMarked(folder["target/docs"]) || IsMarked(folder["target/docs/sub"]));
    }

    [Fact]
    public async Task A_folder_that_its_owner_may_not_write_to_is_finished_too()
    {
        File.SetUnixFileMode(folder["source/docs/sub"], UnixFileMode.UserRead | UnixFileMode.UserExecute);
        await using var vault = await TestVault.CreateAsync(new MemoryBackend());
        var tree = (await vault.StoreTreeAsync(folder["source"])).Result.Tree;
        await CutOffAsync(vault, tree, ExistingFiles.Skip);
        Assert.Empty((await RestoreAsync(vault, tree, new() { Existing = ExistingFiles.Skip })).Problems);
        RequireWhole();

        // So that who is not root can delete them.
        foreach (var name in (string[])["source", "target"])
            File.SetUnixFileMode(folder[$"{name}/docs/sub"], UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    [Fact]
    public async Task The_mark_is_not_backed_up()
    {
        SkipWithoutAttributes();
        Assert.Equal(0, RawCalls.SetAttribute(new RawPath(folder["source/docs"]).Terminated, Mark, [], 0, 0));
        await using var vault = await TestVault.CreateAsync(new MemoryBackend());
        var tree = (await vault.StoreTreeAsync(folder["source"])).Result.Tree;
        Assert.DoesNotContain((await vault.ListAsync(tree))[0].Attributes, attribute => attribute.Name.Span.SequenceEqual(Mark.AsSpan()[..^1]));
    }

    private static bool IsMarked(string path) => RawCalls.GetAttribute(new RawPath(path).Terminated, Mark, [], 0) == 0;

    private async Task CutOffAsync(VaultStore vault, TreeRef tree, ExistingFiles existing)
    {
        using var end = new CancellationTokenSource();
        var reports = 0;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => RestoreAsync(vault, tree, new() { Existing = existing }, new Reports(() =>
        {
            // Far enough that a file is in place.
            if (++reports > 5 && Directory.GetFiles(folder["target/docs/sub"]).Length > 0)
                end.Cancel();
        }), end.Token));
    }

    private Task<TreeRestoreResult> RestoreAsync(
        VaultStore vault, TreeRef tree, TreeRestoreOptions options, Reports? reports = null, CancellationToken cancellationToken = default) =>
        vault.RestoreTreeAsync(tree, [new(TreePath.Of("docs/sub"), TreePath.Of("docs"))], folder["target"], options, reports, cancellationToken);

    private void RequireWhole()
    {
        Assert.Equal(FolderScan.Of(folder["source/docs"]), FolderScan.Of(folder["target/docs"]));
        Assert.False(IsMarked(folder["target/docs"]) || IsMarked(folder["target/docs/sub"]));
    }

    private void SkipWithoutAttributes()
    {
        var isSet = RawCalls.SetAttribute(new RawPath(folder.Path).Terminated, "user.note\0"u8.ToArray(), [], 0, 0) == 0;
        Assert.SkipWhen(!isSet, "The file system takes no extended attributes.");
    }

    private sealed class Reports(Action onReport) : IProgress<TreeProgress>
    {
        public void Report(TreeProgress value) => onReport();
    }
}
