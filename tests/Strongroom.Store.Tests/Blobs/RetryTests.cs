using Microsoft.Extensions.Time.Testing;
using Strongroom.Store.Tests.Fakes;

namespace Strongroom.Store.Tests.Blobs;

public sealed class RetryTests
{
    private static readonly RetryOptions Quick = new() { Patience = TimeSpan.FromSeconds(20), FirstPause = TimeSpan.FromMilliseconds(1), LongestPause = TimeSpan.FromMilliseconds(2) };
    private readonly Shaky shaky = new();
    private readonly RetryingBackend backend;

    public RetryTests() => backend = new(shaky, Quick, TimeProvider.System);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_retrying_back_end_keeps_every_rule() => await Conformance.RequireAsync(backend);

    [Fact]
    public async Task A_back_end_whose_every_seventh_call_fails_keeps_every_rule_still()
    {
        shaky.FailEvery = 7;
        var report = await Conformance.RunAsync(backend);

        // Whether it was a lost deletion that removed something, nobody can tell afterwards.
        Assert.DoesNotContain(report.Results, result => !result.HasPassed && result.Rule != "delete");
        Assert.True(shaky.Failures > 100);
    }

    [Fact]
    public async Task A_creation_whose_answer_was_lost_is_found_to_have_happened()
    {
        shaky.LosesAnswers = true;
        shaky.FailNext = 1;
        Assert.True(await backend.PutIfAbsentAsync("mine", "mine"u8.ToArray(), Token));
        shaky.FailNext = 1;
        Assert.True(await backend.DeleteAsync("mine", Token));
        Assert.Equal(2, shaky.Failures);
    }

    [Fact]
    public async Task Who_waits_is_told_once_for_each_call_that_is_repeated()
    {
        var told = new List<string>();
        var telling = new RetryingBackend(shaky, Quick with { OnWaiting = failure => told.Add(failure.Message) }, TimeProvider.System);
        shaky.FailNext = 3;
        Assert.True(await telling.PutIfAbsentAsync("mine", "mine"u8.ToArray(), Token));
        Assert.Single(told);
        shaky.FailNext = 1;
        await telling.GetLengthAsync("mine", Token);
        Assert.Equal(2, told.Count);
        await telling.GetLengthAsync("mine", Token);
        Assert.Equal(2, told.Count);
        for (var i = 0; i < 5; i++)
            await shaky.Inner.PutIfAbsentAsync($"n{i}", "x"u8.ToArray(), Token);
        shaky.BreakListAfter = 1;
        Assert.Equal(6, (await telling.ListAsync("", Token).ToListAsync(Token)).Count);
        Assert.Equal(3, told.Count);
    }

    [Fact]
    public async Task A_creation_that_failed_and_then_found_anothers_bytes_did_not_happen()
    {
        await shaky.Inner.PutIfAbsentAsync("taken", "theirs"u8.ToArray(), Token);
        shaky.FailNext = 1;
        Assert.False(await backend.PutIfAbsentAsync("taken", "mine!!"u8.ToArray(), Token));
        shaky.FailNext = 1;
        Assert.False(await backend.PutIfAbsentAsync("taken", "mine"u8.ToArray(), Token));
        Assert.False(await backend.PutIfAbsentAsync("taken", "theirs"u8.ToArray(), Token));
    }

    [Fact]
    public async Task A_commit_whose_answer_was_lost_is_found_to_have_happened()
    {
        await using var writer = await backend.CreateAsync("mine", Token);
        await writer.AppendAsync("mine"u8.ToArray(), Token);
        shaky.LosesAnswers = true;
        shaky.FailNext = 1;
        Assert.True(await writer.CommitAsync(Token));
        Assert.Equal("mine"u8.ToArray(), await shaky.Inner.ContentAsync("mine"));
    }

    [Fact]
    public async Task A_list_that_breaks_off_goes_on_where_it_was()
    {
        for (var i = 0; i < 50; i++)
            await shaky.Inner.PutIfAbsentAsync($"a/{i:d2}", new byte[1], Token);
        shaky.BreakListAfter = 7;
        Assert.Equal(await shaky.Inner.AllAsync("a/"), await backend.AllAsync("a/"));
        Assert.True(shaky.Failures > 5);
    }

    [Fact(Timeout = 300_000)]
    public async Task Patience_ends_and_the_pauses_grow()
    {
        var time = new FakeTimeProvider();
        var patient = new RetryingBackend(shaky, new() { Patience = TimeSpan.FromSeconds(60) }, time);
        shaky.FailEvery = 1;
        var begun = time.GetUtcNow();
        var call = patient.GetLengthAsync("a", Token).AsTask();
        while (!call.IsCompleted)
        {
            time.Advance(TimeSpan.FromMilliseconds(250));
            await Task.Delay(1, Token);
        }

        Assert.Equal(StoreErrorKind.Io, (await Assert.ThrowsAsync<StoreException>(() => call)).Kind);
        Assert.InRange((time.GetUtcNow() - begun).TotalSeconds, 20, 75);
        Assert.InRange(shaky.Failures, 6, 16);
    }

    [Fact]
    public async Task What_does_not_pass_is_not_repeated()
    {
        shaky.Kind = StoreErrorKind.Full;
        shaky.FailEvery = 1;
        await Assert.ThrowsAsync<StoreException>(async () => await backend.PutIfAbsentAsync("a", new byte[1], Token));
        Assert.Equal(1, shaky.Failures);
    }

    /// <summary>Fails now and then, before doing what was asked or after.</summary>
    private sealed class Shaky : BentBackend
    {
        private int calls;
        private int failures;

        public int FailEvery { get; set; }

        public int FailNext { get; set; }

        public bool LosesAnswers { get; set; }

        public int BreakListAfter { get; set; }

        public StoreErrorKind Kind { get; set; } = StoreErrorKind.Io;

        public int Failures => failures;

        public override ValueTask<bool> PutIfAbsentAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
            ShakeAsync(() => base.PutIfAbsentAsync(name, content, cancellationToken));

        public override ValueTask<int> ReadAsync(string name, long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken) =>
            ShakeAsync(() => base.ReadAsync(name, offsetBytes, buffer, cancellationToken));

        public override ValueTask<long?> GetLengthAsync(string name, CancellationToken cancellationToken) =>
            ShakeAsync(() => base.GetLengthAsync(name, cancellationToken));

        public override ValueTask<bool> DeleteAsync(string name, CancellationToken cancellationToken) =>
            ShakeAsync(() => base.DeleteAsync(name, cancellationToken));

        public override ValueTask<IBlobWriter> CreateAsync(string name, CancellationToken cancellationToken) =>
            ShakeAsync(() => base.CreateAsync(name, cancellationToken));

        public override async IAsyncEnumerable<BlobInfo> ListAsync(string prefix, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
        {
            var count = 0;
            await foreach (var blob in Inner.ListAsync(prefix, cancellationToken))
            {
                // Each attempt gets further than the last.
                if (BreakListAfter > 0 && ++count > BreakListAfter * (failures + 1))
                    throw Fail();
                yield return blob;
            }
        }

        protected override ValueTask<bool> CommitAsync(string name, IBlobWriter inner, CancellationToken cancellationToken) =>
            ShakeAsync(() => inner.CommitAsync(cancellationToken));

        private async ValueTask<T> ShakeAsync<T>(Func<ValueTask<T>> call)
        {
            var isFailing = FailNext-- > 0 || (FailEvery > 0 && Interlocked.Increment(ref calls) % FailEvery == 0);
            if (isFailing && !LosesAnswers)
                throw Fail();
            var result = await call();
            return isFailing ? throw Fail() : result;
        }

        private StoreException Fail()
        {
            Interlocked.Increment(ref failures);
            return new(Kind, "The network is shaky.");
        }
    }
}
