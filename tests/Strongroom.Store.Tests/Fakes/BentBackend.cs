namespace Strongroom.Store.Tests.Fakes;

/// <summary>A back end in memory that a test bends at one place: every call can be replaced.</summary>
internal class BentBackend : IBlobBackend
{
    public MemoryBackend Inner { get; } = new();

    public virtual async ValueTask<IBlobWriter> CreateAsync(string name, CancellationToken cancellationToken) =>
        new Writer(this, name, await Inner.CreateAsync(name, cancellationToken));

    public virtual ValueTask<bool> PutIfAbsentAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
        Inner.PutIfAbsentAsync(name, content, cancellationToken);

    public virtual ValueTask<int> ReadAsync(string name, long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken) =>
        Inner.ReadAsync(name, offsetBytes, buffer, cancellationToken);

    public virtual ValueTask<long?> GetLengthAsync(string name, CancellationToken cancellationToken) => Inner.GetLengthAsync(name, cancellationToken);

    public virtual IAsyncEnumerable<BlobInfo> ListAsync(string prefix, CancellationToken cancellationToken) => Inner.ListAsync(prefix, cancellationToken);

    public virtual ValueTask<bool> DeleteAsync(string name, CancellationToken cancellationToken) => Inner.DeleteAsync(name, cancellationToken);

    public virtual ValueTask SyncAsync(string prefix, CancellationToken cancellationToken) => Inner.SyncAsync(prefix, cancellationToken);

    public virtual ValueTask RemoveLeftoversAsync(CancellationToken cancellationToken) => Inner.RemoveLeftoversAsync(cancellationToken);

    /// <summary>Called with what a writer gathered; what it returns is what the commit says.</summary>
    protected virtual ValueTask<bool> CommitAsync(string name, IBlobWriter inner, CancellationToken cancellationToken) => inner.CommitAsync(cancellationToken);

    /// <summary>Called when a writer is asked for what it gathered.</summary>
    protected virtual ValueTask<int> ReadBackAsync(string name, IBlobWriter inner, long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken) =>
        inner.ReadBackAsync(offsetBytes, buffer, cancellationToken);

    /// <summary>Called when a writer ends.</summary>
    protected virtual ValueTask EndAsync(string name, IBlobWriter inner) => inner.DisposeAsync();

    private sealed class Writer(BentBackend owner, string name, IBlobWriter inner) : IBlobWriter
    {
        public long LengthBytes => inner.LengthBytes;

        public ValueTask AppendAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken) => inner.AppendAsync(data, cancellationToken);

        public ValueTask<int> ReadBackAsync(long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken) =>
            owner.ReadBackAsync(name, inner, offsetBytes, buffer, cancellationToken);

        public ValueTask FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

        public ValueTask<bool> CommitAsync(CancellationToken cancellationToken) => owner.CommitAsync(name, inner, cancellationToken);

        public ValueTask DisposeAsync() => owner.EndAsync(name, inner);
    }
}
