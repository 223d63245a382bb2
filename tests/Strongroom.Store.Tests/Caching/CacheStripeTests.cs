using CsCheck;
using Strongroom.Store.Caching;
using Strongroom.Store.Packs;

namespace Strongroom.Store.Tests.Caching;

public sealed class CacheStripeTests
{
    [Fact]
    public void A_piece_that_is_found_is_the_one_that_was_added_and_there_are_never_more_than_fit() =>
        Gen.Select(Gen.Int[4, 12], Gen.Select(Gen.Int[0, 30], Gen.Int[1, 40]).Array[1, 120]).Sample((capacity, steps) =>
        {
            var cache = new CacheStripe(capacity);
            var known = new Dictionary<int, int>();
            foreach (var (key, length) in steps)
            {
                var target = new byte[1];
                if (cache.TryRead(KeyOf(key), 0, target))
                {
                    Assert.Equal((byte)key, target[0]);
                    Assert.True(cache.TryRead(KeyOf(key), known[key] - 1, target));
                    Assert.False(cache.TryRead(KeyOf(key), known[key], target));
                    continue;
                }

                Assert.False(cache.Contains(KeyOf(key)));
                cache.Add(KeyOf(key), Content(key, length));
                known[key] = length;
                Assert.True(cache.Contains(KeyOf(key)));
                Assert.InRange(cache.Statistics.Pieces, 1, capacity);
                Assert.InRange(cache.Statistics.Bytes, 1, (long)capacity * ReadCache.PieceLengthBytes);
            }
        }, iter: 300);

    [Fact]
    public void As_long_as_all_fits_nothing_leaves()
    {
        var cache = new CacheStripe(40);
        for (var round = 0; round < 3; round++)
        {
            for (var key = 0; key < 40; key++)
                cache.Add(KeyOf(key), Content(key, 10));
        }

        Assert.All(Enumerable.Range(0, 40), key => Assert.True(cache.Contains(KeyOf(key))));
    }

    [Fact]
    public void A_long_read_in_small_steps_leaves_what_is_wanted_often()
    {
        var cache = new CacheStripe(40);
        int[] hot = [.. Enumerable.Range(0, 25)];

        // Wanted again after they left the queue, as what is read at random is.
        for (var round = 0; round < 4; round++)
        {
            foreach (var key in hot)
                Want(cache, key);
            for (var other = 0; other < 30; other++)
                Want(cache, 1000 + (round * 100) + other);
        }

        for (var key = 5000; key < 6000; key++)
        {
            for (var step = 0; step < 16; step++)
                Want(cache, key);
        }

        Assert.True(hot.Count(key => cache.Contains(KeyOf(key))) >= 20, $"{hot.Count(key => cache.Contains(KeyOf(key)))}");
    }

    [Fact]
    public void What_belongs_to_a_closed_vault_is_gone_and_its_room_is_used_again()
    {
        var cache = new CacheStripe(10);
        for (var i = 0; i < 10; i++)
            cache.Add(KeyOf(i, vault: i % 2), Content(i, 10));
        var before = cache.Statistics.Bytes;
        cache.Forget(1);
        Assert.Equal(5, cache.Statistics.Pieces);
        Assert.All(Enumerable.Range(0, 10), i => Assert.Equal(i % 2 == 0, cache.Contains(KeyOf(i, vault: i % 2))));
        for (var i = 10; i < 15; i++)
            cache.Add(KeyOf(i, vault: 2), Content(i, 10));
        Assert.Equal(10, cache.Statistics.Pieces);
        Assert.Equal(before, cache.Statistics.Bytes);
    }

    [Fact]
    public void Readers_beside_each_other_never_see_a_piece_that_was_overwritten()
    {
        var cache = new CacheStripe(3);
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

    private static void Want(CacheStripe cache, int key)
    {
        if (!cache.TryRead(KeyOf(key), 0, new byte[1]))
            cache.Add(KeyOf(key), Content(key, 10));
    }

    /// <summary>Ids are spread evenly, as those of chunks are.</summary>
    private static PieceKey KeyOf(int key, long vault = 0) => new(new(vault, new ChunkId(TestId(key)), (uint)key, 0), key % 4);

    private static byte[] TestId(int key)
    {
        var id = new byte[ChunkId.LengthBytes];
        new Random(key).NextBytes(id);
        return id;
    }

    private static byte[] Content(int key, int length)
    {
        var content = new byte[length];
        Array.Fill(content, (byte)key);
        return content;
    }
}
