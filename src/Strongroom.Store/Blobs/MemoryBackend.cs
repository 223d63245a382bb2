using System.Collections.Concurrent;
using System.Runtime.CompilerServices;

namespace Strongroom.Store;

/// <summary>Blobs in memory, for tests and demonstrations. Thread-safe; gone with the process.</summary>
public sealed class MemoryBackend : IBlobBackend
{
    private readonly ConcurrentDictionary<string, byte[]> blobs = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public ValueTask<IBlobWriter> CreateAsync(string name, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return new(new Writer(this, name));
    }

    /// <inheritdoc/>
    public ValueTask<bool> PutIfAbsentAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return new(blobs.TryAdd(name, content.ToArray()));
    }

    /// <inheritdoc/>
    public ValueTask<int> ReadAsync(string name, long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (!blobs.TryGetValue(name, out var content))
            throw new StoreException(StoreErrorKind.NotFound, $"The blob '{name}' is not in the vault. Run a verification of the vault.");
        return new(CopyRange(content, content.Length, offsetBytes, buffer));
    }

    /// <inheritdoc/>
    public ValueTask<long?> GetLengthAsync(string name, CancellationToken cancellationToken) =>
        new(blobs.TryGetValue(name, out var content) ? content.Length : null);

    /// <inheritdoc/>
    public async IAsyncEnumerable<BlobInfo> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.CompletedTask;
        foreach (var (name, content) in blobs.ToArray().OrderBy(blob => blob.Key, StringComparer.Ordinal))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (name.StartsWith(prefix, StringComparison.Ordinal))
                yield return new(name, content.Length);
        }
    }

    /// <inheritdoc/>
    public ValueTask<bool> DeleteAsync(string name, CancellationToken cancellationToken) => new(blobs.TryRemove(name, out _));

    /// <inheritdoc/>
    public ValueTask SyncAsync(string prefix, CancellationToken cancellationToken) => default;

    /// <inheritdoc/>
    public ValueTask RemoveLeftoversAsync(CancellationToken cancellationToken) => default;

    private static int CopyRange(byte[] content, int length, long offsetBytes, Memory<byte> buffer)
    {
        if (offsetBytes >= length)
            return 0;
        var count = (int)Math.Min(buffer.Length, length - offsetBytes);
        content.AsSpan((int)offsetBytes, count).CopyTo(buffer.Span);
        return count;
    }

    private sealed class Writer(MemoryBackend backend, string name) : IBlobWriter
    {
        private readonly MemoryStream content = new();

        public long LengthBytes => content.Length;

        public ValueTask AppendAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
        {
            cancellationToken.ThrowIfCancellationRequested();
            content.Write(data.Span);
            return default;
        }

        public ValueTask<int> ReadBackAsync(long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken) =>
            new(CopyRange(content.GetBuffer(), (int)content.Length, offsetBytes, buffer));

        public ValueTask FlushAsync(CancellationToken cancellationToken) => default;

        public ValueTask<bool> CommitAsync(CancellationToken cancellationToken)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return new(backend.blobs.TryAdd(name, content.ToArray()));
        }

        public ValueTask DisposeAsync() => default;
    }
}
