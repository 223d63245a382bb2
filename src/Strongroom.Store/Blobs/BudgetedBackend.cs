using System.Runtime.CompilerServices;
using Strongroom.Store.Blobs;

namespace Strongroom.Store;

/// <summary>Keeps calls within a budget, by waiting. Thread-safe.</summary>
/// <remarks>
/// Counted are calls, not what an SDK makes of them: a large blob counts as one request and its bytes when they are appended, and a list as one
/// for each 1,000 names.
/// </remarks>
public sealed class BudgetedBackend(IBlobBackend inner, BackendBudget budget) : IBlobBackend, IRetainingBackend
{
    private const int NamesPerRequest = 1000;

    /// <inheritdoc/>
    public ReadPattern Reads => inner.Reads;

    /// <inheritdoc/>
    public async ValueTask<IBlobWriter> CreateAsync(string name, CancellationToken cancellationToken)
    {
        await RequestAsync(cancellationToken);
        return new Writer(budget, await inner.CreateAsync(name, cancellationToken));
    }

    /// <inheritdoc/>
    public async ValueTask<bool> PutIfAbsentAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        await RequestAsync(cancellationToken);
        await WriteAsync(budget, content.Length, cancellationToken);
        return await inner.PutIfAbsentAsync(name, content, cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask<int> ReadAsync(string name, long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        await RequestAsync(cancellationToken);
        if (budget.Current.Reads is not { } bucket)
            return await inner.ReadAsync(name, offsetBytes, buffer, cancellationToken);
        await bucket.TakeAsync(buffer.Length, cancellationToken);
        var read = await inner.ReadAsync(name, offsetBytes, buffer, cancellationToken);
        bucket.Return(buffer.Length - read);
        return read;
    }

    /// <inheritdoc/>
    public async ValueTask<long?> GetLengthAsync(string name, CancellationToken cancellationToken)
    {
        await RequestAsync(cancellationToken);
        return await inner.GetLengthAsync(name, cancellationToken);
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<BlobInfo> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await RequestAsync(cancellationToken);
        var count = 0;
        await foreach (var blob in inner.ListAsync(prefix, cancellationToken))
        {
            if (++count % NamesPerRequest == 0)
                await RequestAsync(cancellationToken);
            yield return blob;
        }
    }

    /// <inheritdoc/>
    public async ValueTask<bool> DeleteAsync(string name, CancellationToken cancellationToken)
    {
        await RequestAsync(cancellationToken);
        return await inner.DeleteAsync(name, cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask SyncAsync(string prefix, CancellationToken cancellationToken) => inner.SyncAsync(prefix, cancellationToken);

    /// <inheritdoc/>
    public ValueTask RemoveLeftoversAsync(CancellationToken cancellationToken) => inner.RemoveLeftoversAsync(cancellationToken);

    /// <inheritdoc/>
    public async ValueTask<RetentionSupport> GetSupportAsync(CancellationToken cancellationToken)
    {
        await RequestAsync(cancellationToken);
        return await NoRetention.Or(inner).GetSupportAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask RetainUntilAsync(string name, DateTimeOffset until, CancellationToken cancellationToken)
    {
        await RequestAsync(cancellationToken);
        await NoRetention.Or(inner).RetainUntilAsync(name, until, cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask<DateTimeOffset?> GetRetainedUntilAsync(string name, CancellationToken cancellationToken)
    {
        await RequestAsync(cancellationToken);
        return await NoRetention.Or(inner).GetRetainedUntilAsync(name, cancellationToken);
    }

    private static ValueTask WriteAsync(BackendBudget budget, int count, CancellationToken cancellationToken) =>
        budget.Current.Writes?.TakeAsync(count, cancellationToken) ?? default;

    private ValueTask RequestAsync(CancellationToken cancellationToken) => budget.Current.Requests?.TakeAsync(1, cancellationToken) ?? default;

    private sealed class Writer(BackendBudget budget, IBlobWriter inner) : IBlobWriter
    {
        public long LengthBytes => inner.LengthBytes;

        public async ValueTask AppendAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
        {
            await WriteAsync(budget, data.Length, cancellationToken);
            await inner.AppendAsync(data, cancellationToken);
        }

        public ValueTask<int> ReadBackAsync(long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken) =>
            inner.ReadBackAsync(offsetBytes, buffer, cancellationToken);

        public ValueTask FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

        public ValueTask<bool> CommitAsync(CancellationToken cancellationToken) => inner.CommitAsync(cancellationToken);

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
