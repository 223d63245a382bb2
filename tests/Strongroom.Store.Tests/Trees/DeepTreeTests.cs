using System.Globalization;
using System.Text;
using Strongroom.Store.Tests.Fakes;
using Strongroom.Store.Trees;

namespace Strongroom.Store.Tests.Trees;

/// <summary>Folders far deeper than a path may be long or a process may hold files open.</summary>
public sealed class DeepTreeTests
{
    private const int Depth = 5000;

    [Fact]
    public async Task Five_thousand_levels_are_backed_up_found_and_restored()
    {
        using var folder = new TemporaryFolder();
        Grow(folder["source"]);
        await using var vault = await TestVault.CreateAsync(new MemoryBackend());
        var first = (await vault.StoreTreeAsync(folder["source"])).Result;
        Assert.Empty(first.Problems);
        Assert.Equal((Depth + 1L, 2L * Depth), (first.Statistics.Folders, first.Statistics.Files));

        var restored = await vault.RestoreTreeAsync(first.Tree, folder["target"]);
        Assert.Empty(restored.Problems);
        Assert.Equal((Depth + 1L, 2L * Depth, 0L), (restored.Folders, restored.Files, restored.FilesFailed));
        Compare(folder["source"], folder["target"]);
        restored = await vault.RestoreTreeAsync(first.Tree, folder["target"], existing: ExistingFiles.Overwrite);
        Assert.Empty(restored.Problems);
        restored = await vault.RestoreTreeAsync(first.Tree, folder["target"], existing: ExistingFiles.Skip);
        Assert.Equal((0L, 2L * Depth), (restored.Files, restored.FilesSkipped));
        Compare(folder["source"], folder["target"]);

        var (second, statistics) = await vault.StoreTreeAsync(folder["source"], first.Tree);
        Assert.Equal((first.Tree, 0L, 2L * Depth), (second.Tree, statistics.BytesRead, second.Statistics.FilesUnchanged));
        Assert.True((await vault.VerifyAsync(readData: true, null, CancellationToken.None)).IsHealthy);

        // One file from the bottom, to its own place and to another.
        var bottom = TreePath.Of(string.Join('/', Enumerable.Range(0, Depth).Select(Name)));
        var file = bottom.Join("a"u8);
        Assert.Equal(["a", "z"], (await vault.ListAsync(first.Tree, bottom.ToString())).Select(entry => entry.NameText));
        await using (var stream = await vault.OpenTreeFileAsync(first.Tree, file, CancellationToken.None))
            Assert.Equal(Depth.ToString(CultureInfo.InvariantCulture), await new StreamReader(stream).ReadToEndAsync(CancellationToken.None));
        var single = await vault.RestoreTreeAsync(
            first.Tree, [new(file, bottom), new(file, TreePath.Of("here"))], folder["single"], new() { Existing = ExistingFiles.FailOnConflict }, null, CancellationToken.None);
        Assert.Equal((2L, 0L), (single.Files, single.ProblemCount));
        Assert.Equal($"{Depth}", await File.ReadAllTextAsync(folder["single/here/a"], CancellationToken.None));

        // A collection walks all of it, too, and takes nothing of it away.
        await vault.DeleteSnapshotAsync(vault.Snapshots.First().Id, CancellationToken.None);
        await vault.CollectAsync(null, TestVault.AtOnce, CancellationToken.None);
        Assert.True((await vault.VerifyAsync(readData: true, null, CancellationToken.None)).IsHealthy);
    }

    private static string Name(int level) => $"level {level} of many, with a name that is long";

    private static void Grow(string path)
    {
        Directory.CreateDirectory(path);
        var at = FolderHandle.Open(path);
        for (var level = 0; level <= Depth; level++)
        {
            foreach (var name in level == 0 ? [] : (byte[][])["a"u8.ToArray(), "z"u8.ToArray()])
            {
                using var file = at.CreateFile(name);
                RandomAccess.Write(file, Encoding.ASCII.GetBytes($"{level}"), 0);
            }

            if (level == Depth)
                break;
            var below = Encoding.ASCII.GetBytes(Name(level));
            Assert.True(at.TryMakeFolder(below));
            var next = at.OpenFolder(below);
            at.Dispose();
            at = next;
        }

        at.Dispose();
    }

    /// <summary>Both at once, level by level.</summary>
    private static void Compare(string one, string other)
    {
        var (left, right) = (FolderHandle.Open(one), FolderHandle.Open(other));
        for (var level = 0; ; level++)
        {
            var names = left.ReadNames(CancellationToken.None);
            Assert.Equal(names, right.ReadNames(CancellationToken.None));
            foreach (var name in names)
            {
                var (expected, found) = (left.Stat(name), right.Stat(name));
                Assert.Equal((expected.Kind, expected.Mode, expected.ModifiedAt, expected.Kind == TreeEntryKind.File ? expected.LengthBytes : 0), (found.Kind, found.Mode, found.ModifiedAt, found.Kind == TreeEntryKind.File ? found.LengthBytes : 0));
            }

            if (level == Depth)
                break;
            var below = Encoding.ASCII.GetBytes(Name(level));
            var (nextLeft, nextRight) = (left.OpenFolder(below), right.OpenFolder(below));
            left.Dispose();
            right.Dispose();
            (left, right) = (nextLeft, nextRight);
        }

        left.Dispose();
        right.Dispose();
    }
}
