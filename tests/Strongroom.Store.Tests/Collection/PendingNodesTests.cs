using Strongroom.Store.Collection;
using Strongroom.Store.Manifests;

namespace Strongroom.Store.Tests.Collection;

public sealed class PendingNodesTests
{
    private const int FanOut = 20;

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public async Task What_waits_grows_with_the_depth_of_manifests_and_not_with_what_they_hold(int workers)
    {
        using var pending = new PendingNodes(workers);
        var taken = 0;
        pending.Add(Node(4));
        pending.Done();
        await Task.WhenAll(Enumerable.Range(0, workers).Select(_ => Task.Run(async () =>
        {
            while (await pending.TakeAsync(CancellationToken.None) is { } node)
            {
                Interlocked.Increment(ref taken);
                for (var i = 0; i < FanOut && node.Level > 1; i++)
                    pending.Add(Node(node.Level - 1));
                pending.Done();
            }
        })));
        Assert.Equal(1 + FanOut + (FanOut * FanOut) + (FanOut * FanOut * FanOut), taken);
        Assert.InRange(pending.GreatestCount, FanOut, workers * 3 * FanOut);
    }

    [Fact]
    public async Task Where_there_is_nothing_to_do_nobody_waits()
    {
        using var pending = new PendingNodes(2);
        pending.Done();
        Assert.Null(await pending.TakeAsync(CancellationToken.None));
        Assert.Null(await pending.TakeAsync(CancellationToken.None));
    }

    private static ManifestPointer Node(int level) => new(default(Slot), ManifestKind.Image, level, 0);
}
