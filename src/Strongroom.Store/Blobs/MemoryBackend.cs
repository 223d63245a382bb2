using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Strongroom.Store.Blobs;

namespace Strongroom.Store;

/// <summary>Blobs in memory, for tests and demonstrations. Thread-safe; gone with the process.</summary>
/// <param name="retentionClock">The clock that retention goes by; null for a place that retains nothing.</param>
public sealed class MemoryBackend(TimeProvider? retentionClock = null) : IBlobBackend, IRetainingBackend
{
    private readonly ConcurrentDictionary<string, byte[]> blobs = new(StringComparer.Ordinal);
    private readonly Dictionary<string, DateTimeOffset> retained = new(StringComparer.Ordinal);

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
            throw StoreException.BlobMissing(name);
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
    public ValueTask<bool> DeleteAsync(string name, CancellationToken cancellationToken)
    {
        lock (retained)
        {
            if (retained.TryGetValue(name, out var until) && retentionClock!.GetUtcNow() < until)
                throw NoRetention.Retained(name, until);
            retained.Remove(name);
            return new(blobs.TryRemove(name, out _));
        }
    }

    /// <inheritdoc/>
    public ValueTask SyncAsync(string prefix, CancellationToken cancellationToken) => default;

    /// <inheritdoc/>
    public ValueTask RemoveLeftoversAsync(CancellationToken cancellationToken) => default;

    /// <inheritdoc/>
    public ValueTask<RetentionSupport> GetSupportAsync(CancellationToken cancellationToken) => new(retentionClock is null
        ? new RetentionSupport(false, "this memory was made without it")
        : new RetentionSupport(true, "the memory of this process refuses deletions"));

    /// <inheritdoc/>
    public ValueTask RetainUntilAsync(string name, DateTimeOffset until, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (retentionClock is null)
            throw NoRetention.NotAvailable("this memory was made without it");
        lock (retained)
        {
            if (!blobs.ContainsKey(name))
                throw StoreException.BlobMissing(name);
            until = NoRetention.RoundUp(until);
            retained[name] = retained.TryGetValue(name, out var before) && before > until ? before : until;
        }

        return default;
    }

    /// <inheritdoc/>
    public ValueTask<DateTimeOffset?> GetRetainedUntilAsync(string name, CancellationToken cancellationToken)
    {
        lock (retained)
            return new(retained.TryGetValue(name, out var until) ? until : null);
    }

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
        private bool? isCreated;

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
            isCreated ??= backend.blobs.TryAdd(name, content.ToArray());
            return new(isCreated.Value);
        }

        public ValueTask DisposeAsync() => default;
    }
}
