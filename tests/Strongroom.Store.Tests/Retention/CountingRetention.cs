using System.Collections.Concurrent;

namespace Strongroom.Store.Tests.Retention;

/// <summary>Memory that counts how often each blob is retained.</summary>
internal sealed class CountingRetention(MemoryBackend inner) : IBlobBackend, IRetainingBackend
{
    private readonly ConcurrentDictionary<string, int> counts = [];

    public int CountOf(string name) => counts.GetValueOrDefault(name);

    public ValueTask<IBlobWriter> CreateAsync(string name, CancellationToken cancellationToken) => inner.CreateAsync(name, cancellationToken);

    public ValueTask<bool> PutIfAbsentAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) => inner.PutIfAbsentAsync(name, content, cancellationToken);

    public ValueTask<int> ReadAsync(string name, long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken) => inner.ReadAsync(name, offsetBytes, buffer, cancellationToken);

    public ValueTask<long?> GetLengthAsync(string name, CancellationToken cancellationToken) => inner.GetLengthAsync(name, cancellationToken);

    public IAsyncEnumerable<BlobInfo> ListAsync(string prefix, CancellationToken cancellationToken) => inner.ListAsync(prefix, cancellationToken);

    public ValueTask<bool> DeleteAsync(string name, CancellationToken cancellationToken) => inner.DeleteAsync(name, cancellationToken);

    public ValueTask SyncAsync(string prefix, CancellationToken cancellationToken) => inner.SyncAsync(prefix, cancellationToken);

    public ValueTask RemoveLeftoversAsync(CancellationToken cancellationToken) => inner.RemoveLeftoversAsync(cancellationToken);

    public ValueTask<RetentionSupport> GetSupportAsync(CancellationToken cancellationToken) => inner.GetSupportAsync(cancellationToken);

    public ValueTask RetainUntilAsync(string name, DateTimeOffset until, CancellationToken cancellationToken)
    {
        counts.AddOrUpdate(name, 1, (_, count) => count + 1);
        return inner.RetainUntilAsync(name, until, cancellationToken);
    }

    public ValueTask<DateTimeOffset?> GetRetainedUntilAsync(string name, CancellationToken cancellationToken) => inner.GetRetainedUntilAsync(name, cancellationToken);
}
