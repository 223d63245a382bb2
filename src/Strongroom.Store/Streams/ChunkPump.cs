using System.Buffers;
using System.Collections.Concurrent;
using Strongroom.Store.Manifests;
using Strongroom.Store.Packs;

namespace Strongroom.Store.Streams;

/// <summary>Identifies, compresses and stores chunks of all the streams of a session in parallel, and bounds how many are in memory. Thread-safe.</summary>
internal sealed class ChunkPump(ISessionChunks chunks, byte[] idKey, int workers) : IDisposable
{
    private readonly SemaphoreSlim permits = new(workers + 1);
    private readonly ConcurrentBag<ChunkWorkspace> idle = [];

    public ISessionChunks Chunks => chunks;

    /// <summary>Waits for room and begins. The buffer, rented from the shared pool, is the pump's from here, whatever happens.</summary>
    public async ValueTask<Task<Slot>> StartAsync(byte[] buffer, int lengthBytes, CancellationToken cancellationToken)
    {
        try
        {
            await permits.WaitAsync(cancellationToken);
        }
        catch
        {
            ArrayPool<byte>.Shared.Return(buffer);
            throw;
        }

        return Workers.StartAsync(() => StoreAsync(buffer, lengthBytes, cancellationToken));
    }

    public void Dispose()
    {
        permits.Dispose();
        while (idle.TryTake(out var workspace))
            workspace.Dispose();
    }

    private async Task<Slot> StoreAsync(byte[] buffer, int lengthBytes, CancellationToken cancellationToken)
    {
        var workspace = idle.TryTake(out var found) ? found : new ChunkWorkspace(isThorough: true);
        try
        {
            var raw = buffer.AsMemory(0, lengthBytes);
            if (raw.Span.IndexOfAnyExcept((byte)0) < 0)
            {
                chunks.Counters.AddZero(lengthBytes);
                return default;
            }

            return await chunks.StoreDataAsync(ChunkId.Compute(idKey, raw.Span), raw, workspace, cancellationToken);
        }
        finally
        {
            idle.Add(workspace);
            ArrayPool<byte>.Shared.Return(buffer);
            permits.Release();
        }
    }
}
