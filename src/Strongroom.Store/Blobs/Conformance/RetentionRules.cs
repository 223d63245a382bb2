namespace Strongroom.Store.Blobs.Conformance;

/// <summary>What a place keeps that offers retention; tried only there.</summary>
internal static class RetentionRules
{
    private static readonly TimeSpan Shortly = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan Margin = TimeSpan.FromSeconds(2);

    public static IReadOnlyList<ConformanceRule> All { get; } =
    [
        new("retain", "A retained blob stays until its time, whoever deletes or creates it, and goes after it.", RetainAsync),
        new("retain-longer", "Retention can be prolonged and not shortened.", ProlongAsync),
        new("retain-missing", "What is not there cannot be retained.", MissingAsync),
    ];

    private static async Task RetainAsync(Scratch scratch, CancellationToken cancellationToken)
    {
        var content = Scratch.Bytes(1, 5000);
        await scratch.PutAsync("kept", content, cancellationToken);
        await scratch.PutAsync("free", content, cancellationToken);
        var until = scratch.Time.GetUtcNow() + Shortly;
        await scratch.Retention.RetainUntilAsync(scratch["kept"], until, cancellationToken);
        try
        {
            Scratch.Require(await scratch.Retention.GetRetainedUntilAsync(scratch["kept"], cancellationToken) >= until, "A blob is retained for less than it was asked.");
            Scratch.Require(await scratch.Retention.GetRetainedUntilAsync(scratch["free"], cancellationToken) is null, "A blob is retained of which nobody asked it.");
            await RequireKeptAsync(scratch, cancellationToken);
            await scratch.RequireContentAsync("kept", content, cancellationToken);
            Scratch.Require(!await scratch.Backend.PutIfAbsentAsync(scratch["kept"], Scratch.Bytes(2, 10), cancellationToken), "A second creation of a retained name was reported as done.");
            await scratch.RequireContentAsync("kept", content, cancellationToken);
            Scratch.Require(await scratch.Backend.DeleteAsync(scratch["free"], cancellationToken), "A blob beside a retained one cannot be deleted.");
        }
        finally
        {
            await WaitAsync(scratch, until);
        }

        Scratch.Require(await scratch.Backend.DeleteAsync(scratch["kept"], cancellationToken), "A deletion after the time says that there was nothing.");
        await scratch.RequireAbsentAsync("kept", cancellationToken);
        await scratch.PutAsync("kept", content, cancellationToken);
    }

    private static async Task ProlongAsync(Scratch scratch, CancellationToken cancellationToken)
    {
        await scratch.PutAsync("kept", Scratch.Bytes(1, 100), cancellationToken);
        var begun = scratch.Time.GetUtcNow();
        var until = begun + Shortly + Margin;
        try
        {
            await scratch.Retention.RetainUntilAsync(scratch["kept"], begun + Margin, cancellationToken);
            await scratch.Retention.RetainUntilAsync(scratch["kept"], until, cancellationToken);
            await scratch.Retention.RetainUntilAsync(scratch["kept"], begun + Margin, cancellationToken);
            Scratch.Require(await scratch.Retention.GetRetainedUntilAsync(scratch["kept"], cancellationToken) >= until, "Retention was shortened.");
            await WaitAsync(scratch, begun + Margin - TimeSpan.FromSeconds(1));
            await RequireKeptAsync(scratch, cancellationToken);
        }
        finally
        {
            await WaitAsync(scratch, until);
        }
    }

    private static async Task MissingAsync(Scratch scratch, CancellationToken cancellationToken)
    {
        Scratch.Require(await scratch.Retention.GetRetainedUntilAsync(scratch["none"], cancellationToken) is null, "What is not there is retained.");
        try
        {
            await scratch.Retention.RetainUntilAsync(scratch["none"], scratch.Time.GetUtcNow() + Shortly, cancellationToken);
        }
        catch (StoreException failure) when (failure.Kind == StoreErrorKind.NotFound)
        {
            return;
        }

        throw new RuleViolationException("Retaining what is not there was reported as done.");
    }

    private static async Task RequireKeptAsync(Scratch scratch, CancellationToken cancellationToken)
    {
        try
        {
            await scratch.Backend.DeleteAsync(scratch["kept"], cancellationToken);
        }
        catch (StoreException failure) when (failure.Kind == StoreErrorKind.Locked)
        {
            return;
        }

        throw new RuleViolationException("A retained blob was deleted.");
    }

    // Not ended by the caller: what is retained could not be removed sooner.
    private static async Task WaitAsync(Scratch scratch, DateTimeOffset until)
    {
        var rest = until + TimeSpan.FromSeconds(1) - scratch.Time.GetUtcNow();
        if (rest > TimeSpan.Zero)
            await Task.Delay(rest, scratch.Time, CancellationToken.None);
    }
}
