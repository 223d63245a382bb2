using Strongroom.Backup.FileShares;
using Strongroom.Store;

namespace Strongroom.Workloads.Tests.FileShares.Smb;

/// <summary>Recovery points are restored into shares of a file server of kind Smb, against a real Samba.</summary>
public sealed class SmbRestoreTests
{
    private static readonly DateTime s_time = new(2021, 5, 6, 7, 8, 9, DateTimeKind.Utc);

    [Fact(Timeout = 600_000)]
    public async Task A_restored_share_shows_the_same()
    {
        await using var lab = await SmbLab.StartAsync();
        var content = new byte[5 << 20];
        new Random(3).NextBytes(content);
        // Zeros in the middle and at the end are not stored, and are there again.
        Array.Clear(content, 1 << 20, 3 << 20);
        Array.Clear(content, (5 << 20) - 100_000, 100_000);
        Directory.CreateDirectory(Path.Combine(lab.One, "docs", "deep"));
        File.WriteAllBytes(Path.Combine(lab.One, "docs", "deep", "large 100% #1.bin"), content);
        foreach (var name in new[] { "plain.txt", "report.txt", "read only.txt" }) File.WriteAllText(Path.Combine(lab.One, "docs", name), name);
        File.WriteAllText(Path.Combine(lab.One, "empty.txt"), "");
        await lab.Samba.ClientAsync("one", "cd docs; setmode report.txt +hsa; setmode \"read only.txt\" +r; setmode deep +h");
        await lab.Samba.AclAsync("one", "docs/plain.txt", "-a", "ACL:nobody:DENIED/0x0/W");
        await lab.Samba.AclAsync("one", "docs/plain.txt", "-a", "ACL:Everyone:ALLOWED/0x0/READ");
        await lab.Samba.AclAsync("one", "docs", "-a", "ACL:nobody:ALLOWED/OI|CI/READ");
        // To the microsecond: more cannot be set through libsmbclient.
        foreach (var file in Directory.EnumerateFileSystemEntries(lab.One, "*", SearchOption.AllDirectories).OrderByDescending(path => path.Length)) Directory.SetLastWriteTimeUtc(file, s_time.AddTicks(1_234_560));
        string[] paths = ["docs", "docs/deep", "docs/deep/large 100% #1.bin", "docs/plain.txt", "docs/read only.txt", "docs/report.txt", "empty.txt"];
        var shown = await ShownAsync(lab, "one", paths);
        Assert.Contains("attributes: HSA", shown, StringComparison.Ordinal);

        var (backup, _) = await lab.BackUpAsync("one");
        Assert.Empty(backup.Problems);
        var restored = await RestoreAsync(lab, backup.Tree, ExistingFiles.FailOnConflict);
        Assert.Empty(restored.Problems);
        Assert.Equal((3, 5, content.Length + 32L), (restored.Folders, restored.Files, restored.Bytes));
        Assert.Equal(shown, await ShownAsync(lab, "two", paths));
        Assert.True(File.ReadAllBytes(Path.Combine(lab.Two, "docs", "deep", "large 100% #1.bin")).AsSpan().SequenceEqual(content));
        Assert.Equal("", File.ReadAllText(Path.Combine(lab.Two, "empty.txt")));
        Assert.Equal(s_time.AddTicks(1_234_560), File.GetLastWriteTimeUtc(Path.Combine(lab.Two, "docs", "plain.txt")));
        Assert.DoesNotContain(Directory.EnumerateFiles(lab.Two, "*", SearchOption.AllDirectories), path => path.Contains(".strongroom-", StringComparison.Ordinal));

        // Once more over what is there, read-only files included.
        Assert.Empty((await RestoreAsync(lab, backup.Tree, ExistingFiles.Overwrite)).Problems);
        Assert.Equal(shown, await ShownAsync(lab, "two", paths));
    }

    [Theory(Timeout = 600_000)]
    [InlineData(ExistingFiles.Overwrite, 2, 0, "old", "old", null)]
    [InlineData(ExistingFiles.Skip, 1, 1, "new", "old", null)]
    [InlineData(ExistingFiles.CreateCopy, 2, 0, "new", "old", "old")]
    public async Task Files_that_are_there_are_treated_as_asked_for(ExistingFiles existing, int files, int skipped, string taken, string free, string? copy)
    {
        await using var lab = await SmbLab.StartAsync();
        var tree = await TwoFilesAsync(lab);
        var restored = await RestoreAsync(lab, tree, existing, new(TreePath.Of("docs/taken.txt"), TreePath.Of("docs")), new(TreePath.Of("docs/free.txt"), TreePath.Of("docs")));
        Assert.Empty(restored.Problems);
        Assert.Equal((files, skipped), (restored.Files, restored.FilesSkipped));
        Assert.Equal((taken, free), (Text(lab, "docs/taken.txt"), Text(lab, "docs/free.txt")));
        Assert.Equal(copy, File.Exists(Path.Combine(lab.Two, "docs", "taken (1).txt")) ? Text(lab, "docs/taken (1).txt") : null);
        Assert.Equal("other", Text(lab, "docs/other.txt"));
        Assert.False(File.Exists(Path.Combine(lab.Two, "docs", "apart.txt")));
    }

    [Fact(Timeout = 600_000)]
    public async Task A_conflict_restores_nothing_where_that_is_asked_for()
    {
        await using var lab = await SmbLab.StartAsync();
        var tree = await TwoFilesAsync(lab);
        var refused = await Assert.ThrowsAsync<StoreException>(() => RestoreAsync(lab, tree, ExistingFiles.FailOnConflict));
        Assert.Contains("1 of the files are there already: docs/taken.txt", refused.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(lab.Two, "docs", "free.txt")));

        // A run that was cut off knows its own.
        File.SetLastWriteTimeUtc(Path.Combine(lab.Two, "docs", "taken.txt"), File.GetLastWriteTimeUtc(Path.Combine(lab.One, "docs", "taken.txt")));
        await using var target = await lab.Fabric.OpenTargetAsync(await lab.ShareAsync("two"), CancellationToken.None);
        var resumed = await target.RestoreAsync(lab.Local.Vault, tree, [new(default, default)], new() { Existing = ExistingFiles.FailOnConflict, Resumes = true }, null, CancellationToken.None);
        Assert.Equal((3, 0, 0), (resumed.Files, resumed.FilesFailed, resumed.FilesSkipped));
        Assert.Equal(("new", "old"), (Text(lab, "docs/taken.txt"), Text(lab, "docs/free.txt")));
    }

    [Fact(Timeout = 600_000)]
    public async Task A_part_goes_into_a_folder_of_its_own()
    {
        await using var lab = await SmbLab.StartAsync();
        var tree = await TwoFilesAsync(lab);
        var restored = await RestoreAsync(lab, tree, ExistingFiles.Skip, new(TreePath.Of("docs/free.txt"), TreePath.Of("back/here")), new(TreePath.Of("docs/nothing"), TreePath.Of("back")));
        Assert.Equal((1, 1), (restored.Files, restored.FilesFailed));
        Assert.Equal("old", Text(lab, "back/here/free.txt"));
        Assert.Contains("has no 'docs/nothing'", Assert.Single(restored.Problems).What, StringComparison.Ordinal);
    }

    [Fact(Timeout = 600_000)]
    public async Task What_SMB_cannot_have_is_named()
    {
        await using var lab = await SmbLab.StartAsync();
        var folder = Directory.CreateDirectory(Path.Combine(lab.Local.Root, "local")).FullName;
        string[] impossible = ["a:b", "back\\slash", "dot.", "what?", "blank "];
        foreach (var name in (string[])[.. impossible, "Same.txt", "same.txt", "plain.txt"]) File.WriteAllText(Path.Combine(folder, name), name);
        File.CreateSymbolicLink(Path.Combine(folder, "link"), "plain.txt");
        var (backup, _, _) = await lab.Local.BackUpAsync("local");
        var restored = await RestoreAsync(lab, backup.Tree, ExistingFiles.Overwrite);
        Assert.Equal((2, 7), (restored.Files, restored.FilesFailed));
        Assert.Equal(["Same.txt", "plain.txt"], Directory.EnumerateFiles(lab.Two).Select(path => Path.GetFileName(path)!).Order(StringComparer.Ordinal));
        Assert.Equal(("Same.txt", "plain.txt"), (Text(lab, "Same.txt"), Text(lab, "plain.txt")));
        foreach (var name in impossible) Assert.Contains(restored.Problems, problem => problem.Path.ToString() == name && problem.What.Contains("cannot be one over SMB", StringComparison.Ordinal));
        Assert.Contains(restored.Problems, problem => problem.Path.ToString() == "same.txt" && problem.What.Contains("capitals only", StringComparison.Ordinal));
        Assert.Contains(restored.Problems, problem => problem.Path.ToString() == "link" && problem.What.Contains("symbolic links", StringComparison.Ordinal));
        Assert.Contains(restored.Problems, problem => problem.What.StartsWith("3 files and folders had owners", StringComparison.Ordinal));
        Assert.Equal(8, restored.ProblemCount);
    }

    [Fact(Timeout = 600_000)]
    public async Task A_server_that_dies_fails_the_restore_and_the_next_one_is_whole()
    {
        await using var lab = await SmbLab.StartAsync();
        var content = new byte[2 << 20];
        for (var i = 0; i < 30; i++)
        {
            new Random(i).NextBytes(content);
            File.WriteAllBytes(Path.Combine(lab.One, $"{i:00}.bin"), content);
        }

        var (backup, _) = await lab.BackUpAsync("one");
        await using (var target = await lab.Fabric.OpenTargetAsync(await lab.ShareAsync("two"), CancellationToken.None))
        {
            var killed = 0;
            var progress = new Callback(at =>
            {
                if (at.Bytes > 10 << 20 && Interlocked.Exchange(ref killed, 1) == 0) lab.Samba.KillAsync().GetAwaiter().GetResult();
            });
            var failure = await Assert.ThrowsAsync<ShareException>(() => target.RestoreAsync(lab.Local.Vault, backup.Tree, [new(default, default)], new() { Existing = ExistingFiles.Skip }, progress, CancellationToken.None));
            Assert.Equal(ShareProblem.ServerFailed, failure.Problem);
        }

        // What has a name is whole.
        var early = Directory.EnumerateFiles(lab.Two, "??.bin").ToList();
        Assert.InRange(early.Count, 5, 29);
        await lab.Samba.StartAgainAsync("two");
        var restored = await RestoreAsync(lab, backup.Tree, ExistingFiles.Skip);
        Assert.Equal((30 - early.Count, early.Count, 0), (restored.Files, restored.FilesSkipped, restored.FilesFailed));
        for (var i = 0; i < 30; i++)
        {
            new Random(i).NextBytes(content);
            Assert.True(File.ReadAllBytes(Path.Combine(lab.Two, $"{i:00}.bin")).AsSpan().SequenceEqual(content));
        }
    }

    /// <summary>A recovery point of docs/apart.txt, docs/free.txt and docs/taken.txt ("old"), and a target with another docs/taken.txt ("new") and docs/other.txt.</summary>
    private static async Task<TreeRef> TwoFilesAsync(SmbLab lab)
    {
        foreach (var share in new[] { lab.One, lab.Two }) Directory.CreateDirectory(Path.Combine(share, "docs"));
        foreach (var name in new[] { "apart", "free", "taken" }) File.WriteAllText(Path.Combine(lab.One, "docs", $"{name}.txt"), "old");
        var (backup, _) = await lab.BackUpAsync("one");
        File.WriteAllText(Path.Combine(lab.Two, "docs", "taken.txt"), "new");
        File.WriteAllText(Path.Combine(lab.Two, "docs", "other.txt"), "other");
        return backup.Tree;
    }

    /// <summary>What a client is told, without the time of birth within a second, and without when metadata changed: Samba tells the time of the last write for it.</summary>
    private static async Task<string> ShownAsync(SmbLab lab, string share, string[] paths) =>
        string.Join('\n', (await lab.LookAsync(share, paths)).Split('\n').Where(line => !line.StartsWith("create_time", StringComparison.Ordinal)));

    private static async Task<TreeRestoreResult> RestoreAsync(SmbLab lab, TreeRef tree, ExistingFiles existing, params TreeSelection[] parts)
    {
        await using var target = await lab.Fabric.OpenTargetAsync(await lab.ShareAsync("two"), CancellationToken.None);
        return await target.RestoreAsync(lab.Local.Vault, tree, parts is [] ? [new(default, default)] : parts, new() { Existing = existing }, null, CancellationToken.None);
    }

    private static string Text(SmbLab lab, string path) => File.ReadAllText(Path.Combine(lab.Two, path));

    private sealed class Callback(Action<TreeProgress> at) : IProgress<TreeProgress>
    {
        public void Report(TreeProgress value) => at(value);
    }
}
