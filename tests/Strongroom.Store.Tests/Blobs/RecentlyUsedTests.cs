using Strongroom.Store.Blobs;

namespace Strongroom.Store.Tests.Blobs;

public sealed class RecentlyUsedTests
{
    [Fact]
    public void A_cache_by_weight_keeps_to_its_weight_and_always_keeps_the_newest()
    {
        var gone = new List<string>();
        var cache = new RecentlyUsed<int, string>(10, gone.Add, value => value.Length);
        cache.TryAdd(1, "four");
        cache.TryAdd(2, "four.");
        Assert.True(cache.TryGet(1, out _));
        cache.TryAdd(3, "six...");
        Assert.Equal(["four."], gone);
        cache.TryAdd(4, "much longer than the cache");
        Assert.Equal(["four.", "four", "six..."], gone);
        Assert.True(cache.TryGet(4, out _));
        cache.Remove(4);
        cache.TryAdd(5, "12345");
        cache.TryAdd(6, "12345");
        Assert.True(cache.TryGet(5, out _) && cache.TryGet(6, out _));
    }
}
