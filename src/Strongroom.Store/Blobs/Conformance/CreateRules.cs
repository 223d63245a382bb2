namespace Strongroom.Store.Blobs.Conformance;

/// <summary>A name is created once, whole, and for good.</summary>
internal static class CreateRules
{
    public static IReadOnlyList<ConformanceRule> All { get; } =
    [
        new("create-only", "A taken name keeps its bytes, and whoever comes second is told.", CreateOnlyAsync),
        new("create-race", "Of many that create a name at once exactly one is told that it won, and its bytes stay.", RaceAsync),
        new("commit-race", "The same holds for blobs written in pieces.", CommitRaceAsync),
        new("visible-whole", "A blob that can be seen is whole.", VisibleWholeAsync),
        new("read-after-create", "A blob whose creation has returned is seen by every read and list.", ReadAfterCreateAsync),
        new("zero-length", "A blob may be empty.", ZeroLengthAsync),
        new("names", "Names may be long and deep, and differ by their last character alone.", NamesAsync),
        new("delete", "A deleted blob is gone at once, its name is free, and a second deletion says that there was none.", DeleteAsync),
    ];

    private static async Task CreateOnlyAsync(Scratch scratch, CancellationToken cancellationToken)
    {
        var first = Scratch.Bytes(1, 1000);
        await scratch.PutAsync("put", first, cancellationToken);
        Scratch.Require(!await scratch.Backend.PutIfAbsentAsync(scratch["put"], Scratch.Bytes(2, 900), cancellationToken), "A second creation of a name was reported as done.");
        await scratch.RequireContentAsync("put", first, cancellationToken);
        Scratch.Require(!await scratch.WriteAsync("put", Scratch.Bytes(3, 1100), 300, cancellationToken), "A commit on a taken name was reported as done.");
        await scratch.RequireContentAsync("put", first, cancellationToken);

        Scratch.Require(await scratch.WriteAsync("written", first, 300, cancellationToken), "A commit on a new name was reported as taken.");
        Scratch.Require(!await scratch.Backend.PutIfAbsentAsync(scratch["written"], Scratch.Bytes(4, 1000), cancellationToken), "A creation on a committed name was reported as done.");
        await scratch.RequireContentAsync("written", first, cancellationToken);

        // Also one with the same bytes: who is told that it won must be the only one.
        Scratch.Require(!await scratch.Backend.PutIfAbsentAsync(scratch["put"], first, cancellationToken), "A second creation with the same bytes was reported as done.");
    }

    private static Task RaceAsync(Scratch scratch, CancellationToken cancellationToken) =>
        RaceAsync(scratch, (name, content) => scratch.Backend.PutIfAbsentAsync(scratch[name], content, cancellationToken).AsTask(), cancellationToken);

    private static Task CommitRaceAsync(Scratch scratch, CancellationToken cancellationToken) =>
        RaceAsync(scratch, (name, content) => scratch.WriteAsync(name, content, 1000, cancellationToken), cancellationToken);

    private static async Task RaceAsync(Scratch scratch, Func<string, byte[], Task<bool>> createAsync, CancellationToken cancellationToken)
    {
        for (var round = 0; round < scratch.Options.RaceRounds; round++)
        {
            var name = $"race-{round}";
            using var start = new SemaphoreSlim(0);
            var racers = Enumerable.Range(0, scratch.Options.Racers).Select(racer => Task.Run(
                async () =>
                {
                    await start.WaitAsync(cancellationToken);
                    return await createAsync(name, Scratch.Bytes(racer, 2000 + racer));
                },
                cancellationToken)).ToList();
            start.Release(scratch.Options.Racers);
            var wins = await Task.WhenAll(racers);
            Scratch.Require(wins.Count(win => win) == 1, $"{wins.Count(win => win)} of {wins.Length} racing creations were reported as done.");
            var winner = Array.IndexOf(wins, true);
            await scratch.RequireContentAsync(name, Scratch.Bytes(winner, 2000 + winner), cancellationToken);
        }
    }

    private static async Task VisibleWholeAsync(Scratch scratch, CancellationToken cancellationToken)
    {
        var content = Scratch.Bytes(1, 4 << 20);
        for (var round = 0; round < 3; round++)
        {
            var name = $"whole-{round}";
            var isPut = round == 0;
            var creation = Task.Run(
                async () => isPut
                    ? await scratch.Backend.PutIfAbsentAsync(scratch[name], content, cancellationToken)
                    : await scratch.WriteAsync(name, content, 64 << 10, cancellationToken),
                cancellationToken);
            while (true)
            {
                var isOver = creation.IsCompleted;
                var length = await scratch.Backend.GetLengthAsync(scratch[name], cancellationToken);
                Scratch.Require(length is null || length == content.Length, $"A blob of {content.Length} bytes was seen with {length}.");
                if (length is not null)
                {
                    var end = await scratch.ReadAsync(name, content.Length - 100, 200, cancellationToken);
                    Scratch.Require(end.AsSpan().SequenceEqual(content.AsSpan(content.Length - 100)), "A blob was seen before its last bytes.");
                }

                if (isOver)
                    break;
                await Task.Yield();
            }

            Scratch.Require(await creation, "A new name was reported as taken.");
            await scratch.RequireContentAsync(name, content, cancellationToken);
        }
    }

    private static async Task ReadAfterCreateAsync(Scratch scratch, CancellationToken cancellationToken)
    {
        for (var round = 0; round < 12; round++)
        {
            var name = $"seen/{round:d2}";
            var content = Scratch.Bytes(round, 100);

            // Asked for before: an answer that nothing is there must not be remembered.
            await scratch.RequireAbsentAsync(name, cancellationToken);
            if (round % 2 == 0)
                await scratch.PutAsync(name, content, cancellationToken);
            else
                Scratch.Require(await scratch.WriteAsync(name, content, 30, cancellationToken), "A commit on a new name was reported as taken.");
            await scratch.RequireContentAsync(name, content, cancellationToken);
            Scratch.Require((await scratch.ListAsync("seen/", cancellationToken)).Contains(new(name, 100)), $"'{name}' is missing from a list that was begun after its creation.");
        }
    }

    private static async Task ZeroLengthAsync(Scratch scratch, CancellationToken cancellationToken)
    {
        await scratch.PutAsync("put", [], cancellationToken);
        Scratch.Require(await scratch.WriteAsync("written", [], 1, cancellationToken), "An empty commit was reported as taken.");
        await scratch.RequireContentAsync("put", [], cancellationToken);
        await scratch.RequireContentAsync("written", [], cancellationToken);
        Scratch.Require(!await scratch.Backend.PutIfAbsentAsync(scratch["put"], new byte[1], cancellationToken), "An empty blob did not keep its name.");
        Scratch.Require((await scratch.ListAsync("", cancellationToken)).SequenceEqual([new("put", 0), new("written", 0)]), "Empty blobs are not listed as they are.");
    }

    private static async Task NamesAsync(Scratch scratch, CancellationToken cancellationToken)
    {
        var room = BlobName.GreatestLength - scratch[""].Length;
        string[] names =
        [
            "00000000000000000001", "a", "a-b", "a.b", "a.json", "a1", "b/c/d/e/f/g/h/i/j/k/l/m/n/o/p",
            new string('x', room), new string('x', room - 1) + "y",
        ];
        foreach (var (index, name) in names.Index())
            await scratch.PutAsync(name, Scratch.Bytes(index, 50 + index), cancellationToken);
        foreach (var (index, name) in names.Index())
            await scratch.RequireContentAsync(name, Scratch.Bytes(index, 50 + index), cancellationToken);
        await scratch.RequireAbsentAsync("a.", cancellationToken);
        await scratch.RequireAbsentAsync("b/c", cancellationToken);
    }

    private static async Task DeleteAsync(Scratch scratch, CancellationToken cancellationToken)
    {
        for (var round = 0; round < 5; round++)
        {
            var content = Scratch.Bytes(round, 500 + round);
            await scratch.PutAsync("gone", content, cancellationToken);
            await scratch.PutAsync("gone.stays", content, cancellationToken);
            await scratch.RequireContentAsync("gone", content, cancellationToken);
            Scratch.Require(await scratch.Backend.DeleteAsync(scratch["gone"], cancellationToken), "A deletion says that there was nothing.");
            await scratch.RequireAbsentAsync("gone", cancellationToken);
            Scratch.Require((await scratch.ListAsync("", cancellationToken)).SequenceEqual([new("gone.stays", content.Length)]), "A list shows what was deleted, or lacks what was not.");
            Scratch.Require(!await scratch.Backend.DeleteAsync(scratch["gone"], cancellationToken), "A second deletion says that there was something.");
            await scratch.RequireContentAsync("gone.stays", content, cancellationToken);
            await scratch.Backend.DeleteAsync(scratch["gone.stays"], cancellationToken);
        }
    }
}
