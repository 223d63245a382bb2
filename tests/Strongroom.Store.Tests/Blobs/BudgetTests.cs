using System.Collections.Concurrent;
using Microsoft.Extensions.Time.Testing;
using Strongroom.Store.Blobs;
using Strongroom.Store.Tests.Fakes;

namespace Strongroom.Store.Tests.Blobs;

public sealed class BudgetTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact(Timeout = 300_000)]
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

    [Fact(Timeout = 300_000)]
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

    [Fact(Timeout = 300_000)]
    public async Task Time_that_nobody_used_is_not_saved_up()
    {
        var time = new FakeTimeProvider();
        var bucket = new TokenBucket(10, time);
        time.Advance(TimeSpan.FromHours(1));
        await bucket.TakeAsync(10, Token);
        Assert.False(bucket.TakeAsync(1, Token).AsTask().IsCompleted);
    }

    [Fact(Timeout = 300_000)]
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

    [Fact(Timeout = 300_000)]
    public async Task What_a_blob_did_not_have_is_not_charged()
    {
        var time = new FakeTimeProvider();
        var inner = new MemoryBackend();
        await inner.PutIfAbsentAsync("a", new byte[10], Token);
        var backend = new BudgetedBackend(inner, new(new(ReadBytesPerSecond: 2000), time));
        for (var i = 0; i < 50; i++)
            Assert.Equal(10, await backend.ReadAsync("a", 0, new byte[1000], Token));
    }

    [Fact(Timeout = 300_000)]
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

    [Fact(Timeout = 600_000)]
    public async Task Whatever_a_vault_does_its_storage_never_sees_more_than_the_budget()
    {
        const int Rate = 400_000;
        const int Requests = 20;
        var time = new FakeTimeProvider(new DateTimeOffset(2026, 11, 1, 12, 0, 0, TimeSpan.Zero));
        var meter = new Metering(time);
        var backend = new BudgetedBackend(meter, new(new(Rate, Rate, Requests), time));
        var work = Task.Run(
            async () =>
            {
                await using var vault = await VaultStore.CreateAsync(backend, TestVault.Key, TestVault.Small, time, Token);
                var disk = new SparseDisk(6L << 20);
                disk.Write(0, TestVault.Noise(1, 2 << 20));
                var snapshot = await vault.BackUpAsync(disk);
                await vault.AssertRestoresAsync(snapshot.Images[0].Image, disk);
            },
            Token);
        while (!work.IsCompleted)
        {
            time.Advance(TimeSpan.FromMilliseconds(20));
            await Task.Delay(1, Token);
        }

        await work;
        Assert.True(meter.Total.Written > 2 << 20 && meter.Total.Read > 2 << 20 && meter.Total.Requests > 20);
        foreach (var (at, total) in meter.Seen)
        {
            // A second's worth may go at once, and what the clock gained while a call got through.
            var seconds = at.TotalSeconds + 1.1;
            Assert.True(total.Written <= Rate * seconds && total.Read <= Rate * seconds && total.Requests <= Requests * seconds, $"{total} after {at}.");
        }
    }

    [Fact(Timeout = 300_000)]
    public async Task A_budgeted_back_end_keeps_every_rule() =>
        await Conformance.RequireAsync(new BudgetedBackend(new MemoryBackend(), new(new(1L << 30, 1L << 30, 1_000_000), TimeProvider.System)));

    /// <summary>Sums up what gets through, and when.</summary>
    private sealed class Metering(TimeProvider time) : BentBackend
    {
        private readonly Lock gate = new();
        private readonly long begun = time.GetTimestamp();

        public ConcurrentQueue<(TimeSpan At, (long Written, long Read, long Requests) Total)> Seen { get; } = new();

        public (long Written, long Read, long Requests) Total { get; private set; }

        public override ValueTask<bool> PutIfAbsentAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
        {
            Count(content.Length, 0, 1);
            return base.PutIfAbsentAsync(name, content, cancellationToken);
        }

        public override async ValueTask<int> ReadAsync(string name, long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken)
        {
            var read = await base.ReadAsync(name, offsetBytes, buffer, cancellationToken);
            Count(0, read, 1);
            return read;
        }

        public override ValueTask<long?> GetLengthAsync(string name, CancellationToken cancellationToken)
        {
            Count(0, 0, 1);
            return base.GetLengthAsync(name, cancellationToken);
        }

        protected override ValueTask<bool> CommitAsync(string name, IBlobWriter inner, CancellationToken cancellationToken)
        {
            Count(inner.LengthBytes, 0, 1);
            return base.CommitAsync(name, inner, cancellationToken);
        }

        private void Count(long written, long read, long requests)
        {
            lock (gate)
            {
                Total = (Total.Written + written, Total.Read + read, Total.Requests + requests);
                Seen.Enqueue((time.GetElapsedTime(begun), Total));
            }
        }
    }
}
