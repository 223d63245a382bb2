using System.Collections.Concurrent;
using Strongroom.Store;

namespace Strongroom.Workloads.Tests.FileShares;

/// <summary>Restores onto a file system that has no files without names (NTFS by FUSE): what is not complete has a name on the way.</summary>
public sealed class NamedFileTests
{
    private const string Pattern = ".strongroom-*.tmp";

    [Fact(Timeout = 600_000)]
    public async Task What_a_killed_run_has_left_is_removed_by_its_next_run_and_by_no_other_restore()
    {
        using var mount = Mount.OfImage("ntfs", 64);
        await using var lab = await ShareLab.StartAsync(mount.Path);
        lab.Write("docs/plan.txt", "the plan");
        Directory.CreateDirectory(Path.Combine(lab.Root, "spare"));
        var tree = (await lab.BackUpAsync("docs")).Result.Tree;
        var options = new TreeRestoreOptions { Existing = ExistingFiles.Skip };
        var restored = Path.Combine(lab.Root, "spare", "plan.txt");
        var left = Path.Combine(lab.Root, "spare", await FindNameAsync(Path.Combine(lab.Root, "spare"), () => RestoreAsync(lab, tree, options)));
        Assert.Equal("the plan", File.ReadAllText(restored));

        // As a kill leaves it: a part of the file under the name on the way, and none in its place.
        File.Delete(restored);
        File.WriteAllText(left, "the");
        await RestoreAsync(lab, tree, options with { Id = Guid.NewGuid() });
        Assert.Equal(("the plan", "the"), (File.ReadAllText(restored), File.ReadAllText(left)));
        File.Delete(restored);
        await RestoreAsync(lab, tree, options with { Resumes = true });
        Assert.Equal("the plan", File.ReadAllText(restored));
        Assert.Empty(Directory.GetFiles(Path.Combine(lab.Root, "spare"), Pattern));
    }

    private static async Task RestoreAsync(ShareLab lab, TreeRef tree, TreeRestoreOptions options)
    {
        await using var target = await lab.Fabric.OpenTargetAsync(await lab.ShareAsync("spare"), CancellationToken.None);
        Assert.Equal(1, (await target.RestoreAsync(lab.Vault, tree, [new(default, default)], options, null, CancellationToken.None)).Files);
    }

    /// <summary>The name that a restore gives a file on the way.</summary>
    private static async Task<string> FindNameAsync(string folder, Func<Task> restore)
    {
        var seen = new BlockingCollection<string>();
        using var watcher = new FileSystemWatcher(folder, Pattern);
        watcher.Created += (_, created) => seen.Add(created.Name!);
        watcher.EnableRaisingEvents = true;
        await restore();
        return seen.TryTake(out var name, TimeSpan.FromSeconds(20)) ? name : throw new TimeoutException("No file had a name on the way.");
    }
}
