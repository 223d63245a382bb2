using CsCheck;
using Strongroom.Store.Blobs;
using Strongroom.Store.Images;

namespace Strongroom.Store.Tests.Images;

public sealed class PieceCacheTests
{
    [Fact]
    public void A_piece_that_is_found_is_the_one_that_was_added_whatever_left_in_between() =>
        Gen.Select(Gen.Int[1, 5], Gen.Select(Gen.Int[0, 8], Gen.Int[1, 40]).Array[1, 60]).Sample((capacity, steps) =>
        {
            var cache = new PieceCache(capacity);
            var recent = new List<(int Key, int Length)>();
            foreach (var (key, length) in steps)
            {
                var target = new byte[4];
                var place = recent.FindIndex(piece => piece.Key == key);
                Assert.Equal(place >= 0, cache.Contains(KeyOf(key)));
                if (place >= 0)
                {
                    var known = recent[place];
                    var count = Math.Min(4, known.Length);
                    Assert.False(cache.TryRead(KeyOf(key), known.Length, target.AsSpan(0, 1)));
                    Assert.True(cache.TryRead(KeyOf(key), known.Length - count, target.AsSpan(0, count)));
                    Assert.Equal(Content(key, count), target[..count]);
                    recent.RemoveAt(place);
                    recent.Insert(0, known);
                    continue;
                }

                cache.Add(KeyOf(key), Content(key, length));
                recent.Insert(0, (key, length));
                if (recent.Count > capacity)
                    recent.RemoveAt(recent.Count - 1);
            }
        }, iter: 300);

    [Fact]
    public void Readers_beside_each_other_never_see_a_piece_that_was_overwritten()
    {
        var cache = new PieceCache(3);
        Parallel.For(0, 4, worker =>
        {
            var random = new Random(worker);
            var target = new byte[1000];
            for (var i = 0; i < 20_000; i++)
            {
                var key = random.Next(6);
                if (cache.TryRead(KeyOf(key), 24, target))
                    Assert.True(target.AsSpan().IndexOfAnyExcept((byte)key) < 0);
                else
                    cache.Add(KeyOf(key), Content(key, 1024));
            }
        });
    }

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

    private static PieceKey KeyOf(int key) => new((uint)key, 0, 0);

    private static byte[] Content(int key, int length)
    {
        var content = new byte[length];
        Array.Fill(content, (byte)key);
        return content;
    }
}
