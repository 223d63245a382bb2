namespace Strongroom.Store.Blobs.Conformance;

/// <summary>Blobs written in pieces.</summary>
internal static class WriterRules
{
    public static IReadOnlyList<ConformanceRule> All { get; } =
    [
        new("invisible", "A blob in the making is not to be seen, and reads back from its writer.", InvisibleAsync),
        new("abandoned", "A writer that ends without a commit leaves nothing, and its name is free.", AbandonedAsync),
        new("leftovers", "Removing what the dead left does not touch the work of the living.", LeftoversAsync),
        new("commit-again", "A commit that is repeated gives the same answer.", CommitAgainAsync),
        new("large", "A large blob in uneven pieces is whole afterwards, and in its ranges.", LargeAsync),
        new("large-taken", "A large blob does not replace one that is there.", LargeTakenAsync),
    ];

    private static async Task InvisibleAsync(Scratch scratch, CancellationToken cancellationToken)
    {
        var content = Scratch.Bytes(1, 200_000);
        await using var writer = await scratch.Backend.CreateAsync(scratch["blob"], cancellationToken);
        await writer.AppendAsync(content.AsMemory(0, 150_000), cancellationToken);
        await writer.AppendAsync(content.AsMemory(150_000), cancellationToken);
        await writer.FlushAsync(cancellationToken);
        await scratch.RequireAbsentAsync("blob", cancellationToken);
        Scratch.Require((await scratch.ListAsync("", cancellationToken)).Count == 0, "A blob in the making is listed.");
        var buffer = new byte[100_000];
        var read = await writer.ReadBackAsync(120_000, buffer, cancellationToken);
        Scratch.Require(buffer.AsSpan(0, read).SequenceEqual(content.AsSpan(120_000)), "What was appended does not read back.");
        Scratch.Require(await writer.CommitAsync(cancellationToken), "A commit on a new name was reported as taken.");
        await scratch.RequireContentAsync("blob", content, cancellationToken);
    }

    private static async Task AbandonedAsync(Scratch scratch, CancellationToken cancellationToken)
    {
        await using (var writer = await scratch.Backend.CreateAsync(scratch["blob"], cancellationToken))
            await writer.AppendAsync(Scratch.Bytes(1, scratch.Options.LargeBlobBytes), cancellationToken);
        await scratch.RequireAbsentAsync("blob", cancellationToken);
        Scratch.Require((await scratch.ListAsync("", cancellationToken)).Count == 0, "An abandoned blob is listed.");
        await scratch.PutAsync("blob", Scratch.Bytes(2, 10), cancellationToken);
        await scratch.RequireContentAsync("blob", Scratch.Bytes(2, 10), cancellationToken);
    }

    private static async Task LeftoversAsync(Scratch scratch, CancellationToken cancellationToken)
    {
        var content = Scratch.Bytes(1, scratch.Options.LargeBlobBytes);
        await using var writer = await scratch.Backend.CreateAsync(scratch["blob"], cancellationToken);
        await writer.AppendAsync(content, cancellationToken);
        await scratch.Backend.RemoveLeftoversAsync(cancellationToken);
        Scratch.Require(await writer.CommitAsync(cancellationToken), "A commit on a new name was reported as taken.");
        await scratch.Backend.RemoveLeftoversAsync(cancellationToken);
        await scratch.Backend.SyncAsync(scratch[""], cancellationToken);
        await scratch.RequireContentAsync("blob", content, cancellationToken);
    }

    private static async Task CommitAgainAsync(Scratch scratch, CancellationToken cancellationToken)
    {
        await using var winner = await scratch.Backend.CreateAsync(scratch["blob"], cancellationToken);
        await using var loser = await scratch.Backend.CreateAsync(scratch["blob"], cancellationToken);
        await winner.AppendAsync(Scratch.Bytes(1, 100), cancellationToken);
        await loser.AppendAsync(Scratch.Bytes(2, 100), cancellationToken);
        for (var time = 0; time < 2; time++)
        {
            Scratch.Require(await winner.CommitAsync(cancellationToken), "The commit that won says that it did not.");
            Scratch.Require(!await loser.CommitAsync(cancellationToken), "The commit that lost says that it won.");
        }

        await scratch.RequireContentAsync("blob", Scratch.Bytes(1, 100), cancellationToken);
    }

    private static async Task LargeAsync(Scratch scratch, CancellationToken cancellationToken)
    {
        var content = Scratch.Bytes(1, scratch.Options.LargeBlobBytes);
        Scratch.Require(await scratch.WriteAsync("blob", content, 777_777, cancellationToken), "A commit on a new name was reported as taken.");
        await scratch.RequireContentAsync("blob", content, cancellationToken);
        var random = new Random(3);
        for (var i = 0; i < 20; i++)
        {
            var offset = random.Next(content.Length);
            var expected = content.AsMemory(offset, Math.Min(256 << 10, content.Length - offset));
            var found = await scratch.ReadAsync("blob", offset, 256 << 10, cancellationToken);
            Scratch.Require(found.AsSpan().SequenceEqual(expected.Span), $"A range at {offset} of a large blob holds other bytes than were written.");
        }
    }

    private static async Task LargeTakenAsync(Scratch scratch, CancellationToken cancellationToken)
    {
        var content = Scratch.Bytes(1, 1000);
        await using var writer = await scratch.Backend.CreateAsync(scratch["blob"], cancellationToken);
        await writer.AppendAsync(Scratch.Bytes(2, scratch.Options.LargeBlobBytes), cancellationToken);
        await scratch.PutAsync("blob", content, cancellationToken);
        Scratch.Require(!await writer.CommitAsync(cancellationToken), "A large commit on a taken name was reported as done.");
        await scratch.RequireContentAsync("blob", content, cancellationToken);
    }
}
