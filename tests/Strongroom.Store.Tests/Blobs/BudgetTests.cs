using Microsoft.Extensions.Time.Testing;
using Strongroom.Store.Blobs;

namespace Strongroom.Store.Tests.Blobs;

public sealed class BudgetTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact(Timeout = 30_000)]
    public async Task A_second_s_worth_goes_at_once_and_the_rest_at_its_rate()
    {
        var time = new FakeTimeProvider();
        var bucket = new TokenBucket(100, time);
        Assert.True(bucket.TakeAsync(100, Token).AsTask().IsCompleted);
        var late = bucket.TakeAsync(50, Token).AsTask();
        time.Advance(TimeSpan.FromMilliseconds(499));
        Assert.False(late.IsCompleted);
        time.Advance(TimeSpan.FromMilliseconds(2));
        await late;
    }

    [Fact(Timeout = 30_000)]
    public async Task More_than_a_bucket_holds_passes_and_whoever_comes_next_pays_for_it()
    {
        var time = new FakeTimeProvider();
        var bucket = new TokenBucket(10, time);
        var large = bucket.TakeAsync(50, Token).AsTask();
        var small = bucket.TakeAsync(10, Token).AsTask();
        time.Advance(TimeSpan.FromSeconds(4.1));
        await large;
        Assert.False(small.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(1));
        await small;
    }

    [Fact(Timeout = 30_000)]
    public async Task Time_that_nobody_used_is_not_saved_up()
    {
        var time = new FakeTimeProvider();
        var bucket = new TokenBucket(10, time);
        time.Advance(TimeSpan.FromHours(1));
        await bucket.TakeAsync(10, Token);
        Assert.False(bucket.TakeAsync(1, Token).AsTask().IsCompleted);
    }

    [Fact(Timeout = 30_000)]
    public async Task Reads_writes_and_requests_each_have_their_own()
    {
        var time = new FakeTimeProvider();
        var inner = new MemoryBackend();
        await inner.PutIfAbsentAsync("a", new byte[1000], Token);
        var budget = new BackendBudget(new(ReadBytesPerSecond: 100, WriteBytesPerSecond: 1000, RequestsPerSecond: 5), time);
        var backend = new BudgetedBackend(inner, budget);

        var read = backend.ReadAsync("a", 0, new byte[400], Token).AsTask();
        Assert.True(backend.PutIfAbsentAsync("b", new byte[1000], Token).AsTask().IsCompletedSuccessfully);
        Assert.False(backend.PutIfAbsentAsync("c", new byte[500], Token).AsTask().IsCompleted);
        Assert.False(read.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(3.1));
        Assert.Equal(400, await read);

        for (var i = 0; i < 5; i++)
            await backend.GetLengthAsync("a", Token);
        Assert.False(backend.GetLengthAsync("a", Token).AsTask().IsCompleted);
    }

    [Fact(Timeout = 30_000)]
    public async Task What_a_blob_did_not_have_is_not_charged()
    {
        var time = new FakeTimeProvider();
        var inner = new MemoryBackend();
        await inner.PutIfAbsentAsync("a", new byte[10], Token);
        var backend = new BudgetedBackend(inner, new(new(ReadBytesPerSecond: 2000), time));
        for (var i = 0; i < 50; i++)
            Assert.Equal(10, await backend.ReadAsync("a", 0, new byte[1000], Token));
    }

    [Fact(Timeout = 30_000)]
    public async Task Limits_may_change_while_work_goes_on()
    {
        var time = new FakeTimeProvider();
        var budget = new BackendBudget(new(WriteBytesPerSecond: 1), time);
        var backend = new BudgetedBackend(new MemoryBackend(), budget);
        Assert.False(backend.PutIfAbsentAsync("a", new byte[100], Token).AsTask().IsCompleted);
        budget.Limits = BackendLimits.None;
        Assert.True(await backend.PutIfAbsentAsync("b", new byte[100], Token));
        Assert.Equal(StoreErrorKind.InvalidRequest, Assert.Throws<StoreException>(() => budget.Limits = new(RequestsPerSecond: 0)).Kind);
    }

    [Fact(Timeout = 30_000)]
    public async Task A_budgeted_back_end_keeps_every_rule() =>
        await Conformance.RequireAsync(new BudgetedBackend(new MemoryBackend(), new(new(1L << 30, 1L << 30, 1_000_000), TimeProvider.System)));
}
