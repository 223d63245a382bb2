using Microsoft.Extensions.Time.Testing;
using Strongroom.Store.Tests.Fakes;

namespace Strongroom.Store.Tests.Trees.Sources;

/// <summary>Trees of what is no folder of this machine.</summary>
public sealed class SourceTests
{
    private readonly MemoryFiles files = new();

    [Fact]
    public async Task A_tree_is_stored_and_restored()
    {
        var large = new string('x', 3 << 20);
        files.Put("docs", null);
        files.Put("docs/a.txt", "a").Rights = "mine";
        files.Put("docs/large", large);
        files.Put("empty", null);
        files.Put("nothing", "");
        await using var vault = await TestVault.CreateAsync(new MemoryBackend());
        var (result, statistics) = await StoreAsync(vault);
        Assert.Empty(result.Problems);
        Assert.Equal((new TreeStatistics(3, 3, 0, large.Length + 1L), large.Length + 1L), (result.Statistics, statistics.BytesRead));

        var target = new MemoryFiles();
        var restored = await RestoreAsync(vault, result.Tree, target, ExistingFiles.FailOnConflict);
        Assert.Empty(restored.Problems);
        Assert.Equal((3, 3, large.Length + 1L), (restored.Folders, restored.Files, restored.Bytes));
        Assert.Equal(files.Nodes.Keys, target.Nodes.Keys);
        Assert.Equal(("a", large, ""), (target.Text("docs/a.txt"), target.Text("docs/large"), target.Text("nothing")));
        Assert.Equal(("mine", true), (target.Nodes["docs/a.txt"].Rights, target.Nodes["docs/a.txt"].IsSealed));
        Assert.All(target.Nodes.Where(node => node.Key.Length > 0), node => Assert.Equal(MemoryFiles.Time, node.Value.ModifiedAt));
    }

    [Fact]
    public async Task What_is_unchanged_is_not_read()
    {
        for (var i = 0; i < 10; i++)
            files.Put($"{i}", new string((char)('a' + i), 1000));
        await using var vault = await TestVault.CreateAsync(new MemoryBackend());
        var (first, _) = await StoreAsync(vault);
        var (second, statistics) = await StoreAsync(vault, first.Tree);
        Assert.Equal((first.Tree, 0L, 10L, 10), (second.Tree, statistics.BytesRead, second.Statistics.FilesUnchanged, files.Opened));

        files.Put("3", new string('z', 1000));
        files.Nodes["4"].ModifiedAt = new(1_600_000_001, 0);
        files.Nodes["5"].ChangedAt = new(1_600_000_001, 0);
        files.Nodes.Remove("6");
        var (third, _) = await StoreAsync(vault, first.Tree);
        Assert.Equal((6L, 13), (third.Statistics.FilesUnchanged, files.Opened));
        Assert.Equal(9, (await vault.ListAsync(third.Tree)).Count);
    }

    [Fact]
    public async Task Rights_are_asked_for_unless_a_change_time_vouches_for_them()
    {
        files.Put("vouched", "x", new FileTime(1_600_000_005, 0));
        files.Put("open", "x");
        await using var vault = await TestVault.CreateAsync(new MemoryBackend());
        var (first, _) = await StoreAsync(vault);
        files.Nodes["open"].Rights = "others";
        files.Nodes["vouched"].Rights = "not looked at: the server says that nothing has changed";
        var before = files.AttributesRead;
        var (second, statistics) = await StoreAsync(vault, first.Tree);
        Assert.Equal((2, 0L), (files.AttributesRead - before, statistics.BytesRead));
        var entries = await vault.ListAsync(second.Tree);
        Assert.Equal(["others", "rights"], entries.Select(entry => System.Text.Encoding.UTF8.GetString(entry.Attributes[0].Value.Span)));
    }

    [Fact]
    public async Task What_fails_is_named_and_a_lost_server_ends_the_backup()
    {
        files.Put("a", "a");
        files.Put("b", "b");
        files.Put("b2", "b2");
        files.Put("folder", null);
        files.Put("junction", null).Obstacle = "a link";
        files.Failures["a"] = new IOException("locked");
        files.Failures["b!"] = files.Failures["b/!"] = new IOException("denied");
        files.Failures["folder"] = new IOException("denied");
        await using var vault = await TestVault.CreateAsync(new MemoryBackend());
        var (result, _) = await StoreAsync(vault);
        Assert.Equal(["a", "b", "folder", "junction"], result.Problems.Select(problem => problem.Path.ToString()).Order());
        Assert.Equal(["a", "folder", "junction"], (await vault.ListAsync(result.Tree)).Where(entry => !entry.HasContent).Select(entry => entry.NameText));

        files.Failures.Clear();
        var (next, _) = await StoreAsync(vault, result.Tree);
        Assert.Equal((1, 1L), (next.Problems.Count, next.Statistics.FilesUnchanged));

        files.Failures["b"] = new TimeoutException("gone");
        files.Nodes["b"].ModifiedAt = default;
        await Assert.ThrowsAsync<TimeoutException>(() => StoreAsync(vault, result.Tree));
        files.Failures[""] = new IOException("gone");
        Assert.Equal(StoreErrorKind.Io, (await Assert.ThrowsAsync<StoreException>(() => StoreAsync(vault))).Kind);
    }

    [Fact]
    public async Task Attributes_that_an_earlier_backup_could_not_ask_for_are_asked_for_again()
    {
        files.Put("vouched", "x", new FileTime(1_600_000_005, 0));
        files.Put("folder", null, new FileTime(1_600_000_005, 0));
        await using var vault = await TestVault.CreateAsync(new MemoryBackend());
        var (first, _) = await StoreAsync(vault);
        var before = files.AttributesRead;
        files.AreWhole = static _ => false;
        var (_, statistics) = await StoreAsync(vault, first.Tree);
        // The tree's own folder shows no changes and is asked for each time.
        Assert.Equal((3, 0L), (files.AttributesRead - before, statistics.BytesRead));
    }

    [Fact]
    public async Task A_file_that_was_not_settled_when_its_reading_began_is_read_again()
    {
        files.Put("long", new string('x', 100_000));
        var time = new FakeTimeProvider(DateTimeOffset.FromUnixTimeSeconds(MemoryFiles.Time.Seconds));
        files.Reading = _ => time.SetUtcNow(StoredTrees.Settled.Clock.GetUtcNow());
        await using var vault = await TestVault.CreateAsync(new MemoryBackend());
        var (first, _) = await StoreAsync(vault, options: new() { Clock = time });
        Assert.Equal(TreeEntryFlags.NotSettled, Assert.Single(await vault.ListAsync(first.Tree)).Flags);
        var (second, _) = await StoreAsync(vault, first.Tree);
        Assert.Equal((2, 0L), (files.Opened, second.Statistics.FilesUnchanged));
    }

    [Fact]
    public async Task A_file_whose_replacement_fails_half_way_is_kept_under_its_other_name()
    {
        files.Put("gone", "old");
        files.Put("stays", "old");
        await using var vault = await TestVault.CreateAsync(new MemoryBackend());
        var (stored, _) = await StoreAsync(vault);
        var target = new MemoryFiles();
        target.Put("gone", "new!");
        target.Put("stays", "new!");
        target.Renaming = name =>
        {
            if (name == "gone")
                target.Nodes.Remove(name);
            return new IOException("somebody has it open");
        };
        var result = await RestoreAsync(vault, stored.Tree, target, ExistingFiles.Overwrite);
        Assert.Equal((0, 2, "new!"), (result.Files, result.FilesFailed, target.Text("stays")));
        var kept = Assert.Single(target.Nodes.Keys, name => name.EndsWith(".tmp", StringComparison.Ordinal));
        Assert.Equal("old", target.Text(kept));
        Assert.Contains(kept, Assert.Single(result.Problems, problem => problem.Path.ToString() == "gone").What, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_is_restored_into_a_folder_that_is_one_of_somewhere_else()
    {
        files.Put("junction", null);
        files.Put("junction/x", "x");
        await using var vault = await TestVault.CreateAsync(new MemoryBackend());
        var (stored, _) = await StoreAsync(vault);
        var target = new MemoryFiles();
        target.Put("junction", null).Obstacle = "it leads elsewhere";
        var whole = await RestoreAsync(vault, stored.Tree, target, ExistingFiles.Overwrite);
        var part = await vault.RestoreTreeAsync(stored.Tree, [new(TreePath.Of("junction/x"), TreePath.Of("junction"))], target, new() { Existing = ExistingFiles.Overwrite }, null, CancellationToken.None);
        Assert.Equal((0, 0), (whole.Files, part.Files));
        Assert.All((TreeRestoreResult[])[whole, part], result => Assert.Contains("elsewhere", Assert.Single(result.Problems).What, StringComparison.Ordinal));
        Assert.Equal(["", "junction"], target.Nodes.Keys);
    }

    [Fact]
    public async Task A_folder_below_itself_is_left_empty()
    {
        files.Put("a", null);
        files.Put("a/loop", null).Inode = files.Nodes["a"].Inode;
        files.Put("a/loop/file", "x");
        await using var vault = await TestVault.CreateAsync(new MemoryBackend());
        var (result, _) = await StoreAsync(vault);
        Assert.Equal("a/loop", Assert.Single(result.Problems).Path.ToString());
        Assert.Equal(0, result.Statistics.Files);
    }

    [Fact]
    public async Task A_file_that_changes_while_it_is_read_is_read_again()
    {
        files.Put("steady", "x");
        files.Put("once", "one");
        files.Put("always", "one");
        var reads = 0;
        files.Reading = node =>
        {
            if (node.Name == "always" || (node.Name == "once" && Interlocked.Increment(ref reads) == 1))
                node.ChangedAt = new(node.ChangedAt.Seconds + 1, 0);
        };
        await using var vault = await TestVault.CreateAsync(new MemoryBackend());
        var (result, _) = await StoreAsync(vault);
        Assert.Equal("always", Assert.Single(result.Problems).Path.ToString());
        Assert.Equal(
            [TreeEntryFlags.ChangedWhileRead, TreeEntryFlags.None, TreeEntryFlags.None], (await vault.ListAsync(result.Tree)).Select(entry => entry.Flags));
    }

    [Theory]
    [InlineData(ExistingFiles.Overwrite, 2, 0, 0, "old", null)]
    [InlineData(ExistingFiles.Skip, 1, 1, 0, "new!", null)]
    [InlineData(ExistingFiles.CreateCopy, 2, 0, 0, "new!", "old")]
    public async Task Existing_files_are_treated_as_asked_for(ExistingFiles existing, int restored, int skipped, int failed, string taken, string? copy)
    {
        files.Put("docs", null);
        files.Put("docs/free.txt", "old");
        files.Put("docs/taken.txt", "old");
        await using var vault = await TestVault.CreateAsync(new MemoryBackend());
        var (stored, _) = await StoreAsync(vault);
        var target = new MemoryFiles();
        target.Put("docs", null);
        target.Put("docs/taken.txt", "new!");
        var result = await RestoreAsync(vault, stored.Tree, target, existing);
        Assert.Equal((restored, skipped, failed), (result.Files, result.FilesSkipped, result.FilesFailed));
        Assert.Equal((taken, "old", copy), (target.Text("docs/taken.txt"), target.Text("docs/free.txt"), target.Text("docs/taken (1).txt")));
        // Gone on with after a kill, it restores nothing twice.
        var again = await vault.RestoreTreeAsync(stored.Tree, [new(default, default)], target, new() { Existing = existing, Resumes = true }, null, CancellationToken.None);
        Assert.Equal((restored, skipped, failed), (again.Files, again.FilesSkipped, again.FilesFailed));
        Assert.Equal(copy is null ? 4 : 5, target.Nodes.Count);
    }

    [Fact]
    public async Task A_conflict_is_found_before_anything_is_written()
    {
        files.Put("a", null);
        files.Put("a/x", "old");
        files.Put("b", "old");
        await using var vault = await TestVault.CreateAsync(new MemoryBackend());
        var (stored, _) = await StoreAsync(vault);
        var target = new MemoryFiles();
        target.Put("B", "new");
        var refused = await Assert.ThrowsAsync<StoreException>(() => RestoreAsync(vault, stored.Tree, target, ExistingFiles.FailOnConflict));
        Assert.Equal((StoreErrorKind.InvalidRequest, 2), (refused.Kind, target.Nodes.Count));
        Assert.Equal(StoreErrorKind.InvalidRequest, (await Assert.ThrowsAsync<StoreException>(() => RestoreAsync(vault, stored.Tree, target, ExistingFiles.Refuse))).Kind);
    }

    [Fact]
    public async Task What_a_target_cannot_have_is_named_and_a_full_one_ends_the_restore()
    {
        files.Put("a:b", "x");
        files.Put("folder", null);
        files.Put("folder/x", "x");
        files.Put("no:folder", null);
        files.Put("no:folder/y", "y");
        files.Put("taken", null);
        await using var vault = await TestVault.CreateAsync(new MemoryBackend());
        var (stored, _) = await StoreAsync(vault);
        var target = new MemoryFiles();
        target.Put("taken", "a file");
        target.Failures["folder/x"] = new IOException("denied");
        var result = await RestoreAsync(vault, stored.Tree, target, ExistingFiles.Skip);
        // The folder that is no name there counts, and so does the file in it; so does the file where a folder should be, as skipped.
        Assert.Equal((0, 4, 1), (result.Files, result.FilesFailed, result.FilesSkipped));
        Assert.Equal(["a:b", "folder/x", "no:folder"], result.Problems.Select(problem => problem.Path.ToString()).Order());
        Assert.Equal(["", "folder", "taken"], target.Nodes.Keys);

        const int NoRoom = 28;
        target.Failures["folder/x"] = new IOException("full", NoRoom);
        Assert.Equal(StoreErrorKind.Full, (await Assert.ThrowsAsync<StoreException>(() => RestoreAsync(vault, stored.Tree, target, ExistingFiles.Skip))).Kind);
        target.Failures["folder/x"] = new TimeoutException("gone");
        await Assert.ThrowsAsync<TimeoutException>(() => RestoreAsync(vault, stored.Tree, target, ExistingFiles.Skip));
    }

    private async Task<(TreeBackupResult Result, SessionStatistics Statistics)> StoreAsync(VaultStore vault, TreeRef? parent = null, TreeOptions? options = null)
    {
        await using var session = await vault.OpenSessionAsync(CancellationToken.None);
        var result = await session.WriteTreeAsync(files, parent, options ?? StoredTrees.Settled, null, CancellationToken.None);
        await session.CommitAsync(TestVault.Draft() with { Trees = [new("files", result.Tree)] }, CancellationToken.None);
        return (result, session.Statistics);
    }

    private static Task<TreeRestoreResult> RestoreAsync(VaultStore vault, TreeRef tree, MemoryFiles target, ExistingFiles existing) =>
        vault.RestoreTreeAsync(tree, [new(default, default)], target, new() { Existing = existing }, null, CancellationToken.None);
}
