namespace Strongroom.Store.Tests.Fakes;

/// <summary>A back end that hands every call on: a test bends it at one place.</summary>
internal abstract class PassThroughBackend(IBlobBackend inner) : IBlobBackend
{
    public virtual async ValueTask<IBlobWriter> CreateAsync(string name, CancellationToken cancellationToken) =>
        new Writer(this, name, await inner.CreateAsync(name, cancellationToken));

    public virtual ValueTask<bool> PutIfAbsentAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
        inner.PutIfAbsentAsync(name, content, cancellationToken);

    public virtual ValueTask<int> ReadAsync(string name, long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken) =>
        inner.ReadAsync(name, offsetBytes, buffer, cancellationToken);

    public virtual ValueTask<long?> GetLengthAsync(string name, CancellationToken cancellationToken) => inner.GetLengthAsync(name, cancellationToken);

    public virtual IAsyncEnumerable<BlobInfo> ListAsync(string prefix, CancellationToken cancellationToken) => inner.ListAsync(prefix, cancellationToken);

    public virtual ValueTask<bool> DeleteAsync(string name, CancellationToken cancellationToken) => inner.DeleteAsync(name, cancellationToken);

    public virtual ValueTask SyncAsync(string prefix, CancellationToken cancellationToken) => inner.SyncAsync(prefix, cancellationToken);

    public virtual ValueTask RemoveLeftoversAsync(CancellationToken cancellationToken) => inner.RemoveLeftoversAsync(cancellationToken);

    /// <summary>Called with what a writer is to take.</summary>
    protected virtual ValueTask AppendAsync(string name, IBlobWriter writer, ReadOnlyMemory<byte> data, CancellationToken cancellationToken) =>
        writer.AppendAsync(data, cancellationToken);

    /// <summary>Called when what a writer gathered is to be made durable.</summary>
    protected virtual ValueTask FlushAsync(string name, IBlobWriter writer, CancellationToken cancellationToken) => writer.FlushAsync(cancellationToken);

    /// <summary>Called with what a writer gathered; what it returns is what the commit says.</summary>
    protected virtual ValueTask<bool> CommitAsync(string name, IBlobWriter writer, CancellationToken cancellationToken) => writer.CommitAsync(cancellationToken);

    /// <summary>Called when a writer is asked for what it gathered.</summary>
    protected virtual ValueTask<int> ReadBackAsync(string name, IBlobWriter writer, long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken) =>
        writer.ReadBackAsync(offsetBytes, buffer, cancellationToken);

    /// <summary>Called when a writer ends.</summary>
    protected virtual ValueTask EndAsync(string name, IBlobWriter writer) => writer.DisposeAsync();

    private sealed class Writer(PassThroughBackend owner, string name, IBlobWriter writer) : IBlobWriter
    {
        public long LengthBytes => writer.LengthBytes;

        public ValueTask AppendAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken) => owner.AppendAsync(name, writer, data, cancellationToken);

        public ValueTask<int> ReadBackAsync(long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken) =>
            owner.ReadBackAsync(name, writer, offsetBytes, buffer, cancellationToken);

        public ValueTask FlushAsync(CancellationToken cancellationToken) => owner.FlushAsync(name, writer, cancellationToken);

        public ValueTask<bool> CommitAsync(CancellationToken cancellationToken) => owner.CommitAsync(name, writer, cancellationToken);

        public ValueTask DisposeAsync() => owner.EndAsync(name, writer);
    }
}
