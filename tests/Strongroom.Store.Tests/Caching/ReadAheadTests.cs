using Strongroom.Store.Caching;

namespace Strongroom.Store.Tests.Caching;

public sealed class ReadAheadTests
{
    private const long MiB = 1 << 20;
    private const long SlotBytes = 256 << 10;
    private const long Length = 4096 * MiB;

    [Fact]
    public async Task What_follows_a_row_of_reads_is_fetched_and_ever_more_of_it()
    {
        var fetches = new Fetches();
        await using var ahead = fetches.Start();
        var counts = new List<int>();
        for (var at = 64 * MiB; at < 96 * MiB; at += 64 << 10)
        {
            ahead.Note(at, 64 << 10);
            await fetches.SettleAsync();
            counts.Add(fetches.Slots.Count(slot => slot * SlotBytes > at));
            await fetches.LetThroughAsync();
        }

        // Nothing for the first reads; each slot once, without a gap; far ahead at the end.
        Assert.Equal(0, counts[0]);
        Assert.Equal(Enumerable.Range(0, fetches.Slots.Count).Select(i => (64 * MiB / SlotBytes) + i), fetches.Slots.Order());
        Assert.InRange(fetches.Slots.Max() * SlotBytes, 99 * MiB, 105 * MiB);
    }

    [Fact]
    public async Task Several_streams_are_followed_at_a_time_out_of_order_too()
    {
        var fetches = new Fetches();
        await using var ahead = fetches.Start();
        long[] starts = [0, 500 * MiB, 1000 * MiB, 3000 * MiB];
        for (var step = 0; step < 64; step += 4)
        {
            foreach (var start in starts)
            {
                foreach (var shuffled in (int[])[2, 0, 3, 1])
                    ahead.Note(start + ((step + shuffled) * 128 * 1024L), 128 * 1024);
                await fetches.LetThroughAsync();
            }
        }

        Assert.All(starts, start => Assert.Contains((start + (9 * MiB)) / SlotBytes, fetches.Slots));
    }

    [Fact]
    public async Task Reads_all_over_the_disk_fetch_nothing()
    {
        var fetches = new Fetches();
        await using var ahead = fetches.Start();
        var random = new Random(7);
        for (var i = 0; i < 20_000; i++)
        {
            ahead.Note(random.NextInt64(Length / 4096) * 4096, 4096);
            await fetches.LetThroughAsync();
        }

        Assert.InRange(fetches.Slots.Count, 0, 20);
    }

    [Fact]
    public async Task The_end_of_the_disk_is_the_end()
    {
        var fetches = new Fetches();
        await using var ahead = fetches.Start();
        for (var at = Length - (4 * MiB); at < Length; at += MiB)
        {
            ahead.Note(at, MiB);
            await fetches.LetThroughAsync();
        }

        Assert.Equal((Length / SlotBytes) - 1, fetches.Slots.Max());
    }

    [Fact]
    public async Task All_readers_together_keep_to_the_budget_and_what_did_not_fit_is_fetched_later()
    {
        var cache = new ReadCache(256 * MiB);
        var fetches = new[] { new Fetches(), new Fetches(), new Fetches() };
        var readers = fetches.Select(one => one.Start(cache)).ToArray();
        for (var at = 0L; at < 32 * MiB; at += MiB)
        {
            foreach (var reader in readers)
                reader.Note(at, MiB);
        }

        foreach (var one in fetches)
            await one.SettleAsync();
        Assert.Equal(16, fetches.Sum(one => one.Running));
        foreach (var one in fetches)
            await one.LetThroughAsync();
        readers[2].Note(32 * MiB, MiB);
        await fetches[2].LetThroughAsync();
        Assert.Contains(33 * MiB / SlotBytes, fetches[2].Slots);
        foreach (var reader in readers)
            await reader.DisposeAsync();
    }

    [Fact]
    public async Task Closing_ends_what_is_under_way_and_gives_the_budget_back()
    {
        var cache = new ReadCache(256 * MiB);
        var fetches = new Fetches();
        var ahead = fetches.Start(cache);
        for (var at = 0L; at < 16 * MiB; at += MiB)
            ahead.Note(at, MiB);
        await ahead.DisposeAsync();
        Assert.Equal(0, fetches.Running);
        ahead.Note(16 * MiB, MiB);
        Assert.Equal(0, fetches.Running);
        Assert.All(Enumerable.Range(0, 16), _ => Assert.True(cache.TryBeginReadAhead()));
        Assert.False(cache.TryBeginReadAhead());
    }

    /// <summary>Fetches that last until they are let through.</summary>
    private sealed class Fetches
    {
        private readonly Lock gate = new();
        private readonly List<TaskCompletionSource> waiting = [];
        private readonly List<long> slots = [];
        private Func<int> underWay = () => 0;

        public IReadOnlyList<long> Slots
        {
            get
            {
                lock (gate)
                    return [.. slots];
            }
        }

        public int Running
        {
            get
            {
                lock (gate)
                    return waiting.Count;
            }
        }

        public ReadAhead Start(ReadCache? cache = null)
        {
            var reader = new ReadAhead(cache ?? new ReadCache(256 * MiB), Length, FetchAsync);
            underWay = () => reader.UnderWay;
            return reader;
        }

        /// <summary>Until all that were started have begun.</summary>
        public async Task SettleAsync()
        {
            while (Running != underWay())
                await Task.Yield();
        }

        public async Task LetThroughAsync()
        {
            await SettleAsync();
            TaskCompletionSource[] all;
            lock (gate)
            {
                all = [.. waiting];
                waiting.Clear();
            }

            foreach (var one in all)
                one.SetResult();
            await SettleAsync();
        }

        private async Task FetchAsync(long slot, CancellationToken cancellationToken)
        {
            var done = new TaskCompletionSource();
            lock (gate)
            {
                slots.Add(slot);
                waiting.Add(done);
            }

            try
            {
                await done.Task.WaitAsync(cancellationToken);
            }
            finally
            {
                lock (gate)
                    waiting.Remove(done);
            }
        }
    }
}
