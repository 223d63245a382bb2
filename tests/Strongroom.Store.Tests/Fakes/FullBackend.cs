namespace Strongroom.Store.Tests.Fakes;

/// <summary>A disk with so much room and no more.</summary>
internal sealed class FullBackend(IBlobBackend inner) : IBlobBackend
{
    private long roomBytes = long.MaxValue;

    public void SetRoom(long bytes) => Interlocked.Exchange(ref roomBytes, bytes);

    public async ValueTask<IBlobWriter> CreateAsync(string name, CancellationToken cancellationToken) =>
        new Writer(this, await inner.CreateAsync(name, cancellationToken));

    public ValueTask<bool> PutIfAbsentAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        Take(content.Length);
        return inner.PutIfAbsentAsync(name, content, cancellationToken);
    }

    public ValueTask<int> ReadAsync(string name, long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken) =>
        inner.ReadAsync(name, offsetBytes, buffer, cancellationToken);

    public ValueTask<long?> GetLengthAsync(string name, CancellationToken cancellationToken) => inner.GetLengthAsync(name, cancellationToken);

    public IAsyncEnumerable<BlobInfo> ListAsync(string prefix, CancellationToken cancellationToken) => inner.ListAsync(prefix, cancellationToken);

    public ValueTask<bool> DeleteAsync(string name, CancellationToken cancellationToken) => inner.DeleteAsync(name, cancellationToken);

    public ValueTask SyncAsync(string prefix, CancellationToken cancellationToken) => inner.SyncAsync(prefix, cancellationToken);

    public ValueTask RemoveLeftoversAsync(CancellationToken cancellationToken) => inner.RemoveLeftoversAsync(cancellationToken);

    private void Take(long bytes)
    {
        if (Interlocked.Add(ref roomBytes, -bytes) < 0)
            throw new StoreException(StoreErrorKind.Full, "No space is left. Free or add space.");
    }

    private sealed class Writer(FullBackend owner, IBlobWriter inner) : IBlobWriter
    {
        public long LengthBytes => inner.LengthBytes;

        public ValueTask AppendAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
        {
            owner.Take(data.Length);
            return inner.AppendAsync(data, cancellationToken);
        }

        public ValueTask<int> ReadBackAsync(long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken) =>
            inner.ReadBackAsync(offsetBytes, buffer, cancellationToken);

        public ValueTask FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

        public ValueTask<bool> CommitAsync(CancellationToken cancellationToken) => inner.CommitAsync(cancellationToken);

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
