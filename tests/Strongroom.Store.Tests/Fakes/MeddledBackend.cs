namespace Strongroom.Store.Tests.Fakes;

/// <summary>A backend in which, once armed, garbage takes the name of the next small blob a moment before its writer does.</summary>
internal sealed class MeddledBackend(IBlobBackend inner) : IBlobBackend
{
    public bool IsArmed { get; set; }

    public async ValueTask<bool> PutIfAbsentAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        if (IsArmed)
        {
            IsArmed = false;
            await inner.PutIfAbsentAsync(name, new byte[300], cancellationToken);
        }

        return await inner.PutIfAbsentAsync(name, content, cancellationToken);
    }

    public ValueTask<IBlobWriter> CreateAsync(string name, CancellationToken cancellationToken) => inner.CreateAsync(name, cancellationToken);

    public ValueTask<int> ReadAsync(string name, long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken) =>
        inner.ReadAsync(name, offsetBytes, buffer, cancellationToken);

    public ValueTask<long?> GetLengthAsync(string name, CancellationToken cancellationToken) => inner.GetLengthAsync(name, cancellationToken);

    public IAsyncEnumerable<BlobInfo> ListAsync(string prefix, CancellationToken cancellationToken) => inner.ListAsync(prefix, cancellationToken);

    public ValueTask<bool> DeleteAsync(string name, CancellationToken cancellationToken) => inner.DeleteAsync(name, cancellationToken);

    public ValueTask SyncAsync(string prefix, CancellationToken cancellationToken) => inner.SyncAsync(prefix, cancellationToken);

    public ValueTask RemoveLeftoversAsync(CancellationToken cancellationToken) => inner.RemoveLeftoversAsync(cancellationToken);
}
