namespace Strongroom.Store.Blobs.Conformance;

/// <summary>Ranges are what was asked for.</summary>
internal static class ReadRules
{
    public static IReadOnlyList<ConformanceRule> All { get; } =
    [
        new("absent", "What is not there has no length, and reading it says that it is not there.", AbsentAsync),
        new("ranges", "A read gives the bytes from the offset until the buffer is full or the blob ends, and none after the end.", RangesAsync),
        new("concurrent-readers", "Many readers at once each get the bytes they asked for.", ConcurrentReadersAsync),
    ];

    private static async Task AbsentAsync(Scratch scratch, CancellationToken cancellationToken)
    {
        await scratch.RequireAbsentAsync("absent", cancellationToken);
        await scratch.RequireAbsentAsync("no/such/folder/absent", cancellationToken);
        try
        {
            await scratch.Backend.ReadAsync(scratch["absent"], 0, Memory<byte>.Empty, cancellationToken);
        }
        catch (StoreException failure) when (failure.Kind == StoreErrorKind.NotFound)
        {
            return;
        }

        throw new RuleViolationException("An empty read of an absent blob does not say that it is absent.");
    }

    private static async Task RangesAsync(Scratch scratch, CancellationToken cancellationToken)
    {
        var content = Scratch.Bytes(7, 100_000);
        await scratch.PutAsync("blob", content, cancellationToken);
        (long OffsetBytes, int Count)[] ranges =
        [
            (0, 0), (0, 1), (0, 100_000), (0, 200_000), (1, 1), (65_535, 2), (99_999, 1), (99_999, 2), (50_000, 50_001), (100_000, 0), (100_000, 1),
            (100_001, 1), (100_001, 0), (1L << 31, 10), (1L << 40, 10),
        ];
        foreach (var (offset, count) in ranges)
        {
            var start = (int)Math.Min(offset, content.Length);
            var expected = content.AsSpan(start, Math.Min(count, content.Length - start)).ToArray();
            var found = await scratch.ReadAsync("blob", offset, count, cancellationToken);
            Scratch.Require(found.AsSpan().SequenceEqual(expected), $"A read of {count} bytes at {offset} of {content.Length} gave {found.Length} bytes, or others than are there.");
        }

        await scratch.PutAsync("empty", [], cancellationToken);
        Scratch.Require((await scratch.ReadAsync("empty", 0, 10, cancellationToken)).Length == 0, "An empty blob gave bytes.");
        Scratch.Require((await scratch.ReadAsync("empty", 5, 10, cancellationToken)).Length == 0, "An empty blob gave bytes.");
    }

    private static async Task ConcurrentReadersAsync(Scratch scratch, CancellationToken cancellationToken)
    {
        var contents = Enumerable.Range(0, 4).Select(seed => Scratch.Bytes(seed, 300_000 + seed)).ToList();
        foreach (var (index, content) in contents.Index())
            await scratch.PutAsync($"blob-{index}", content, cancellationToken);
        await Task.WhenAll(Enumerable.Range(0, 16).Select(reader => Task.Run(
            async () =>
            {
                var random = new Random(reader);
                for (var i = 0; i < 20; i++)
                {
                    var which = random.Next(contents.Count);
                    var offset = random.Next(contents[which].Length);
                    var count = random.Next(1, 70_000);
                    var expected = contents[which].AsMemory(offset, Math.Min(count, contents[which].Length - offset));
                    var found = await scratch.ReadAsync($"blob-{which}", offset, count, cancellationToken);
                    Scratch.Require(found.AsSpan().SequenceEqual(expected.Span), $"One of many readers got other bytes than are at {offset} of its blob.");
                }
            },
            cancellationToken)));
    }
}
