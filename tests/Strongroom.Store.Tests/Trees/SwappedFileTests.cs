using System.Text;
using Strongroom.Store.Tests.Fakes;
using Strongroom.Store.Tests.Trees.Truth;

namespace Strongroom.Store.Tests.Trees;

/// <summary>Files that take each other's names while a folder is backed up.</summary>
public sealed class SwappedFileTests
{
    private const int Pairs = 150;
    private const int Rounds = 12;

    [Fact]
    public async Task A_further_name_never_gets_the_content_of_another_file_that_took_the_first()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder["source"]);
        Directory.CreateDirectory(folder["beside"]);
        var (source, beside) = (new RawPath(folder["source"]), new RawPath(folder["beside"]));
        for (var i = 0; i < Pairs; i++)
        {
            await File.WriteAllTextAsync(folder[$"source/a{i}"], $"right {i}" + new string('r', 30_000), CancellationToken.None);
            RawCalls.Require(RawCalls.Link(source.Join(Encoding.ASCII.GetBytes($"a{i}")).Terminated, source.Join(Encoding.ASCII.GetBytes($"z{i}")).Terminated), "link");
            await File.WriteAllTextAsync(folder[$"beside/a{i}"], $"wrong {i}" + new string('w', 30_000), CancellationToken.None);
        }

        await using var vault = await TestVault.CreateAsync(new MemoryBackend());
        using var end = new CancellationTokenSource();
        var swapping = Task.Factory.StartNew(() => Swap(source, beside, end.Token), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        var trees = new List<TreeRef>();
        for (var round = 0; round < Rounds; round++)
            trees.Add((await vault.StoreTreeAsync(folder["source"])).Result.Tree);
        await end.CancelAsync();
        Assert.True(await swapping > Rounds, "Nothing was swapped while the backups ran.");
        foreach (var tree in trees)
        {
            for (var i = 0; i < Pairs; i++)
            {
                await using var file = await vault.OpenTreeFileAsync(tree, TreePath.Of($"z{i}"), CancellationToken.None);
                using var reader = new StreamReader(file);
                Assert.StartsWith($"right {i}r", await reader.ReadToEndAsync(CancellationToken.None), StringComparison.Ordinal);
            }
        }
    }

    /// <summary>How often all have changed places.</summary>
    private static int Swap(RawPath source, RawPath beside, CancellationToken end)
    {
        var count = 0;
        for (; !end.IsCancellationRequested; count++)
        {
            for (var i = 0; i < Pairs; i++)
            {
                var name = Encoding.ASCII.GetBytes($"a{i}");
                RawCalls.Require(
                    RawCalls.Rename(RawCalls.AtCurrentFolder, source.Join(name).Terminated, RawCalls.AtCurrentFolder, beside.Join(name).Terminated, RawCalls.Exchange), "rename");
            }
        }

        return count;
    }
}
