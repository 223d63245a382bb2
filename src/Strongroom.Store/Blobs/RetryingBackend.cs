using System.Runtime.CompilerServices;
using Strongroom.Store.Blobs;

namespace Strongroom.Store;

/// <summary>How long failures of the storage are waited out. Immutable.</summary>
public sealed record RetryOptions
{
    /// <summary>What is done without further thought.</summary>
    public static RetryOptions Default { get; } = new();

    /// <summary>A call that still fails after this long fails.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>The first pause; each is twice the one before, less up to half of it at random.</summary>
    public TimeSpan FirstPause { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>The longest pause.</summary>
    public TimeSpan LongestPause { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Told of the first failure of each call that is repeated; on changing threads.</summary>
    public Action<StoreException>? OnWaiting { get; init; }
}

/// <summary>Repeats calls that failed for reasons that pass (<see cref="StoreErrorKind.Io"/>): a network that was away, a service that is busy. Thread-safe.</summary>
/// <remarks>
/// A creation whose answer was lost may have happened. When its repetition finds the name taken, what is there is compared with what was to be
/// written, and the same bytes count as created: the store's blobs hold random bytes of their writer, or mean the same whoever wrote them.
/// </remarks>
public sealed class RetryingBackend(IBlobBackend inner, RetryOptions options, TimeProvider time) : IBlobBackend, IRetainingBackend
{
    private const int ComparedBytes = 64 << 10;

    /// <inheritdoc/>
    public ReadPattern Reads => inner.Reads;

    /// <inheritdoc/>
    public async ValueTask<IBlobWriter> CreateAsync(string name, CancellationToken cancellationToken) =>
        new Writer(this, await RepeatAsync(_ => inner.CreateAsync(name, cancellationToken), cancellationToken));

    /// <inheritdoc/>
    public ValueTask<bool> PutIfAbsentAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
        RepeatAsync(
            async isRepeated => await inner.PutIfAbsentAsync(name, content, cancellationToken) || (isRepeated && await HoldsAsync(name, content, cancellationToken)),
            cancellationToken);

    /// <inheritdoc/>
    public ValueTask<int> ReadAsync(string name, long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken) =>
        RepeatAsync(_ => inner.ReadAsync(name, offsetBytes, buffer, cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<long?> GetLengthAsync(string name, CancellationToken cancellationToken) =>
        RepeatAsync(_ => inner.GetLengthAsync(name, cancellationToken), cancellationToken);

    /// <inheritdoc/>
    /// <remarks>A list that breaks off is begun anew, and what was handed out already is passed over.</remarks>
    public async IAsyncEnumerable<BlobInfo> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        string? last = null;
        var pauses = new Pauses(options, time);
        while (true)
        {
            StoreException failure;
            await using var list = inner.ListAsync(prefix, cancellationToken).GetAsyncEnumerator(cancellationToken);
            while (true)
            {
                try
                {
                    if (!await list.MoveNextAsync())
                        yield break;
                }
                catch (StoreException broken) when (broken.Kind == StoreErrorKind.Io && pauses.HasNext)
                {
                    failure = broken;
                    break;
                }

                if (last is not null && string.CompareOrdinal(list.Current.Name, last) <= 0)
                    continue;
                last = list.Current.Name;
                pauses = new(options, time);
                yield return list.Current;
            }

            await pauses.WaitAsync(failure, cancellationToken);
        }
    }

    /// <inheritdoc/>
    /// <remarks>A deletion whose answer was lost counts as done when nothing is there afterwards.</remarks>
    public ValueTask<bool> DeleteAsync(string name, CancellationToken cancellationToken) =>
        RepeatAsync(async isRepeated => await inner.DeleteAsync(name, cancellationToken) || isRepeated, cancellationToken);

    /// <inheritdoc/>
    public async ValueTask SyncAsync(string prefix, CancellationToken cancellationToken) =>
        await RepeatAsync(async _ => { await inner.SyncAsync(prefix, cancellationToken); return true; }, cancellationToken);

    /// <inheritdoc/>
    public async ValueTask RemoveLeftoversAsync(CancellationToken cancellationToken) =>
        await RepeatAsync(async _ => { await inner.RemoveLeftoversAsync(cancellationToken); return true; }, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<RetentionSupport> GetSupportAsync(CancellationToken cancellationToken) =>
        RepeatAsync(_ => NoRetention.Or(inner).GetSupportAsync(cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public async ValueTask RetainUntilAsync(string name, DateTimeOffset until, CancellationToken cancellationToken) => await RepeatAsync(
        async _ => { await NoRetention.Or(inner).RetainUntilAsync(name, until, cancellationToken); return true; }, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<DateTimeOffset?> GetRetainedUntilAsync(string name, CancellationToken cancellationToken) =>
        RepeatAsync(_ => NoRetention.Or(inner).GetRetainedUntilAsync(name, cancellationToken), cancellationToken);

    private async ValueTask<T> RepeatAsync<T>(Func<bool, ValueTask<T>> call, CancellationToken cancellationToken)
    {
        var pauses = new Pauses(options, time);
        for (var isRepeated = false; ; isRepeated = true)
        {
            try
            {
                return await call(isRepeated);
            }
            catch (StoreException failure) when (failure.Kind == StoreErrorKind.Io && pauses.HasNext)
            {
                await pauses.WaitAsync(failure, cancellationToken);
            }
        }
    }

    private async ValueTask<bool> HoldsAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        if (await inner.GetLengthAsync(name, cancellationToken) != content.Length)
            return false;
        var buffer = new byte[Math.Min(content.Length, ComparedBytes)];
        for (var offset = 0; offset < content.Length; offset += buffer.Length)
        {
            var read = await inner.ReadAsync(name, offset, buffer, cancellationToken);
            if (!buffer.AsSpan(0, read).SequenceEqual(content.Span[offset..Math.Min(offset + buffer.Length, content.Length)]))
                return false;
        }

        return true;
    }

    /// <summary>The pauses of one call.</summary>
    private sealed class Pauses
    {
        private readonly RetryOptions options;
        private readonly TimeProvider time;
        private readonly long begun;
        private TimeSpan next;
        private bool isTold;

        public Pauses(RetryOptions options, TimeProvider time)
        {
            this.options = options;
            this.time = time;
            begun = time.GetTimestamp();
            next = options.FirstPause;
        }

        public bool HasNext => time.GetElapsedTime(begun) + next <= options.Patience;

        public Task WaitAsync(StoreException failure, CancellationToken cancellationToken)
        {
            if (!isTold)
                options.OnWaiting?.Invoke(failure);
            isTold = true;

            // Jitter keeps many writers, which failed at one moment, from coming back at one moment.
            var pause = next * (1 - (Random.Shared.NextDouble() / 2));
            next = TimeSpan.FromTicks(Math.Min(next.Ticks * 2, options.LongestPause.Ticks));
            return Task.Delay(pause, time, cancellationToken);
        }
    }

    /// <summary>Only the commit may be repeated: an append that failed has left nobody knows what.</summary>
    private sealed class Writer(RetryingBackend owner, IBlobWriter inner) : IBlobWriter
    {
        public long LengthBytes => inner.LengthBytes;

        public ValueTask AppendAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken) => inner.AppendAsync(data, cancellationToken);

        public ValueTask<int> ReadBackAsync(long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken) =>
            inner.ReadBackAsync(offsetBytes, buffer, cancellationToken);

        public ValueTask FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

        public ValueTask<bool> CommitAsync(CancellationToken cancellationToken) =>
            owner.RepeatAsync(_ => inner.CommitAsync(cancellationToken), cancellationToken);

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
