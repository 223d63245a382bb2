using CsCheck;
using Strongroom.Store.Tests.Fakes;
using Strongroom.Store.Tests.Trees.Truth;

namespace Strongroom.Store.Tests.Trees;

/// <summary>Random trees with all that Linux knows, changed at random between backups, against a walk that shares no code with the store.</summary>
public sealed class ChangingTreeTests
{
    // Longer than a tick of the clock of older kernels: a change behind a backup bears another time.
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(20);
    private static readonly VaultStoreOptions Options = TestVault.Small with { PackSizeBytes = 4 << 20, IndexBufferRecords = 512 };

    [Fact]
    public async Task Every_backup_restores_what_was_there_whatever_changed_since_its_parent()
    {
        if (!GrownTree.IsRoot)
            TestContext.Current.AddWarning("Owners, devices and the attributes of the system are left out: not root.");
        await Check.SampleAsync(Gen.Select(Gen.Int[0, int.MaxValue - 1], Gen.Int[1, 60], Gen.Int[1, 12]), async (seed, count, changes) =>
        {
            using var folder = new TemporaryFolder();
            var grown = new GrownTree(folder["source"], seed);
            grown.Grow(count);
            await using var vault = await TestVault.CreateAsync(new MemoryBackend(), Options);
            var backups = new List<(TreeRef Tree, TreeTruth Truth)>();
            for (var round = 0; round < 4; round++)
            {
                if (round > 0)
                {
                    await Task.Delay(Tick, CancellationToken.None);
                    grown.Change(changes);
                }

                var result = (await vault.StoreTreeAsync(folder["source"], round == 0 ? null : backups[^1].Tree)).Result;
                Assert.Empty(result.Problems);
                backups.Add((result.Tree, TreeTruth.Of(folder["source"])));
            }

            for (var i = 0; i < backups.Count; i++)
            {
                var result = await vault.RestoreTreeAsync(backups[i].Tree, folder[$"target {i}"]);
                Assert.Empty(result.Problems);
                backups[i].Truth.RequireSame(TreeTruth.Of(folder[$"target {i}"]));
            }

            // Over what an interrupted restore, or anybody, has left.
            await vault.RestoreTreeAsync(backups[0].Tree, folder["target 0"], existing: ExistingFiles.Overwrite);
            backups[0].Truth.RequireSame(TreeTruth.Of(folder["target 0"]));
        }, iter: 12, threads: 1);
    }

    [Fact]
    public void The_walk_tells_trees_apart_and_the_trees_have_what_they_should()
    {
        using var folder = new TemporaryFolder();
        var grown = new GrownTree(folder["source"], 1);
        grown.Grow(80);
        Assert.True(grown.AttributesSet > 20 || !GrownTree.IsRoot, "The file system takes no attributes: they are not tested.");
        var truth = TreeTruth.Of(folder["source"]);
        truth.RequireSame(TreeTruth.Of(folder["source"]));
        grown.Change(5);
        Assert.ThrowsAny<Exception>(() => truth.RequireSame(TreeTruth.Of(folder["source"])));
    }
}
