using System.Text;
using Strongroom.Store.Tests.Fakes;
using Strongroom.Store.Trees;

namespace Strongroom.Store.Tests.Trees;

/// <summary>What a restore does where something is already.</summary>
public sealed class ExistingFilesTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public ExistingFilesTests()
    {
        Write("source/file.txt", "new");
        Write("source/folder/in", "new");
        Write("source/folder/other", "new");
        Write("source/was folder", "new");
        Write("source/was file/below", "new");
        using var source = FolderHandle.Open(folder["source"]);
        source.MakeSymbolicLink("link"u8, "new"u8);
        Assert.True(source.TryLink(source, "file.txt"u8, "second"u8));
        Write("target/file.txt", "old");
        Write("target/folder/in", "old");
        Write("target/folder/mine", "mine");
        Write("target/was folder/mine", "mine");
        Write("target/was file", "old");
        File.SetUnixFileMode(folder["target/folder"], UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        File.CreateSymbolicLink(folder["target/link"], "old");
    }

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task To_skip_lets_everything_be_that_is_there_and_restores_the_rest()
    {
        var result = await RestoreAsync(ExistingFiles.Skip);
        Assert.Empty(result.Problems);

        // file.txt, in, link, was folder, and for "was file" the folder and what is below it.
        Assert.Equal((2L, 6L, 0L), (result.Files, result.FilesSkipped, result.FilesFailed));
        Assert.Equal(
            ["file.txt=old", "folder/in=old", "folder/mine=mine", "folder/other=new", "link->old", "second=new", "was file=old", "was folder/mine=mine"],
            Content());
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(folder["target/folder"]));

        // Again, there is nothing left to do.
        result = await RestoreAsync(ExistingFiles.Skip);
        Assert.Equal((0L, 8L, 0L), (result.Files, result.FilesSkipped, result.FilesFailed));
    }

    [Fact]
    public async Task A_conflict_is_found_before_anything_is_written()
    {
        var before = Content();
        var failure = await Assert.ThrowsAsync<StoreException>(() => RestoreAsync(ExistingFiles.FailOnConflict));
        Assert.Equal(StoreErrorKind.InvalidRequest, failure.Kind);
        Assert.Contains("has 5 of the files already: file.txt, folder/in, link, was file, was folder.", failure.Message, StringComparison.Ordinal);
        Assert.Equal(before, Content());
    }

    [Fact]
    public async Task Of_many_conflicts_ten_are_named()
    {
        for (var i = 0; i < 25; i++)
        {
            Write($"source/many/{i:d2}", "new");
            Write($"target/many/{i:d2}", "old");
        }

        var failure = await Assert.ThrowsAsync<StoreException>(() => RestoreAsync(ExistingFiles.FailOnConflict));
        Assert.Contains("has 30 of the files already", failure.Message, StringComparison.Ordinal);
        Assert.EndsWith("many/06 and 20 more.", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Conflicts_are_looked_for_in_all_parts_first()
    {
        await using var vault = await TestVault.CreateAsync(new MemoryBackend());
        var tree = (await vault.StoreTreeAsync(folder["source"])).Result.Tree;
        var before = Content();
        var failure = await Assert.ThrowsAsync<StoreException>(
            () => vault.RestorePartsAsync(tree, folder["target"], ExistingFiles.FailOnConflict, "second", "folder/other", "none", "file.txt > folder/mine", "folder/in"));
        Assert.Contains("has 2 of the files already: folder/mine, folder/in.", failure.Message, StringComparison.Ordinal);
        Assert.Equal(before, Content());
        var result = await vault.RestorePartsAsync(tree, folder["target"], ExistingFiles.FailOnConflict, "second", "folder/other", "none");
        Assert.Equal((2L, 1L), (result.Files, result.FilesFailed));
    }

    [Fact]
    public async Task What_appears_while_files_are_restored_stays_and_counts_as_failed()
    {
        Write("source/folder/below", "another");
        await using var vault = await TestVault.CreateAsync(new MemoryBackend());
        var tree = (await vault.StoreTreeAsync(folder["source"])).Result.Tree;

        // Two parts with one name: the second finds what was not there when conflicts were looked for.
        var result = await vault.RestorePartsAsync(tree, folder["target"], ExistingFiles.FailOnConflict, "was file/below > new", "folder/below > new", "second > new");
        Assert.Equal((2L, 0L, 1L), (result.Files, result.FilesSkipped, result.FilesFailed));
        Assert.Equal("new/below", Assert.Single(result.Problems).Path.ToString());
        Assert.Equal("new", File.ReadAllText(folder["target/new/below"]));
        result = await vault.RestorePartsAsync(tree, folder["target"], ExistingFiles.Skip, "was file/below > newer", "folder/below > newer");
        Assert.Equal((1L, 1L, 0L), (result.Files, result.FilesSkipped, result.FilesFailed));
        Assert.Equal("new", File.ReadAllText(folder["target/newer/below"]));
    }

    [Fact]
    public async Task Copies_get_free_names_beside_what_is_there()
    {
        var result = await RestoreAsync(ExistingFiles.CreateCopy);
        Assert.Empty(result.Problems);
        Assert.Equal((7L, 0L, 0L), (result.Files, result.FilesSkipped, result.FilesFailed));
        Assert.Equal(
            [
                "file (1).txt=new", "file.txt=old", "folder/in (1)=new", "folder/in=old", "folder/mine=mine", "folder/other=new", "link (1)->new", "link->old", "second=new",
                "was file (1)/below=new", "was file=old", "was folder (1)=new", "was folder/mine=mine",
            ],
            Content());

        // Names of one file still.
        using var target = FolderHandle.Open(folder["target"]);
        Assert.Equal(target.Stat("file (1).txt"u8).Inode, target.Stat("second"u8).Inode);

        result = await RestoreAsync(ExistingFiles.CreateCopy);
        Assert.Equal(7, result.Files);
        Assert.Equal("new", File.ReadAllText(folder["target/file (2).txt"]));
        Assert.Equal(target.Stat("file (2).txt"u8).Inode, target.Stat("second (1)"u8).Inode);
        Assert.Equal("new", File.ReadAllText(folder["target/was file (2)/below"]));
    }

    [Theory]
    [InlineData("report.txt", 1, "report (1).txt")]
    [InlineData("report", 12, "report (12)")]
    [InlineData(".profile", 1, ".profile (1)")]
    [InlineData("a.tar.gz", 2, "a.tar (2).gz")]
    [InlineData("ends.", 1, "ends (1).")]
    public void A_copy_is_named_after_the_file(string name, int number, string expected) =>
        Assert.Equal(expected, Encoding.UTF8.GetString(CopyNames.Of(Encoding.UTF8.GetBytes(name), number)));

    [Fact]
    public void A_copys_name_is_not_too_long_and_cuts_no_character()
    {
        var longest = Encoding.UTF8.GetBytes(new string('é', 125) + "x.txt");
        Assert.Equal(255, longest.Length);
        var copy = CopyNames.Of(longest, 1);
        Assert.Equal(new string('é', 123) + " (1).txt", Encoding.UTF8.GetString(copy));
        var bytes = CopyNames.Of(Enumerable.Repeat((byte)0x80, 255).ToArray(), int.MaxValue);
        Assert.Equal(255, bytes.Length);
        Assert.Equal(255, CopyNames.Of(Encoding.ASCII.GetBytes("a." + new string('b', 253)), 1).Length);
    }

    private async Task<TreeRestoreResult> RestoreAsync(ExistingFiles existing)
    {
        await using var vault = await TestVault.CreateAsync(new MemoryBackend());
        var tree = (await vault.StoreTreeAsync(folder["source"])).Result.Tree;
        return await vault.RestoreTreeAsync(tree, folder["target"], existing: existing);
    }

    private void Write(string name, string content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(folder[name])!);
        File.WriteAllText(folder[name], content);
    }

    private List<string> Content() =>
    [
        .. new DirectoryInfo(folder["target"]).EnumerateFiles("*", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(folder["target"], file.FullName) + (file.LinkTarget is { } to ? $"->{to}" : $"={File.ReadAllText(file.FullName)}"))
            .Order(StringComparer.Ordinal),
    ];
}
