namespace Strongroom.Store.Tests.Fakes;

/// <summary>A backend with a fault that no one foresaw: packs cannot be made visible.</summary>
internal sealed class BrokenCommits(IBlobBackend inner) : IBlobBackend
{
    public bool IsBroken { get; set; }

    /// <summary>Appending fails so many times with an I/O error, and then works again.</summary>
    public int FailingAppends { get; set; }

    public async ValueTask<IBlobWriter> CreateAsync(string name, CancellationToken cancellationToken) =>
        new Writer(this, await inner.CreateAsync(name, cancellationToken));

    public ValueTask<bool> PutIfAbsentAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
        inner.PutIfAbsentAsync(name, content, cancellationToken);

    public ValueTask<int> ReadAsync(string name, long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken) =>
        inner.ReadAsync(name, offsetBytes, buffer, cancellationToken);

    public ValueTask<long?> GetLengthAsync(string name, CancellationToken cancellationToken) => inner.GetLengthAsync(name, cancellationToken);

    public IAsyncEnumerable<BlobInfo> ListAsync(string prefix, CancellationToken cancellationToken) => inner.ListAsync(prefix, cancellationToken);

    public ValueTask<bool> DeleteAsync(string name, CancellationToken cancellationToken) => inner.DeleteAsync(name, cancellationToken);

    public ValueTask SyncAsync(string prefix, CancellationToken cancellationToken) => inner.SyncAsync(prefix, cancellationToken);

    public ValueTask RemoveLeftoversAsync(CancellationToken cancellationToken) => inner.RemoveLeftoversAsync(cancellationToken);

    private sealed class Writer(BrokenCommits owner, IBlobWriter writer) : IBlobWriter
    {
        public long LengthBytes => writer.LengthBytes;

        public ValueTask AppendAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
        {
            if (owner.FailingAppends-- > 0)
                throw new StoreException(StoreErrorKind.Io, "The disk did not answer.");
            return writer.AppendAsync(data, cancellationToken);
        }

        public ValueTask<int> ReadBackAsync(long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken) =>
            writer.ReadBackAsync(offsetBytes, buffer, cancellationToken);

        public ValueTask FlushAsync(CancellationToken cancellationToken) => writer.FlushAsync(cancellationToken);

        public ValueTask<bool> CommitAsync(CancellationToken cancellationToken) =>
            owner.IsBroken ? throw new InvalidOperationException("A fault of the backend.") : writer.CommitAsync(cancellationToken);

        public ValueTask DisposeAsync() => writer.DisposeAsync();
    }
}
