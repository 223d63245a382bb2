using System.Buffers;
using Strongroom.Store.Manifests;
using Strongroom.Store.Packs;

namespace Strongroom.Store.Streams;

/// <summary>Takes verified bytes in order; where an offset is beyond the end of what came before, zeros are between.</summary>
internal delegate ValueTask StreamSink(long offsetBytes, ReadOnlyMemory<byte> data, CancellationToken cancellationToken);

/// <summary>Reads a whole stream in order, with some chunks being read and opened ahead.</summary>
/// <remarks>Memory: (ahead + 1) chunks of at most 4 MiB.</remarks>
internal static class StreamRestore
{
    public static async Task RunAsync(ManifestReader tree, StreamRef stream, int ahead, StreamSink sink, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var inFlight = new Queue<(long OffsetBytes, int LengthBytes, Task<byte[]> Opened)>();
        try
        {
            await foreach (var (offset, record) in StreamRecords.ReadAllAsync(tree, stream, cancellationToken))
            {
                if (record.Slot.IsHole)
                    continue;
                var (slot, length) = (record.Slot, (int)record.LengthBytes);
                inFlight.Enqueue((offset, length, Workers.StartAsync(() => OpenAsync(tree, slot, length, stop.Token))));
                if (inFlight.Count > ahead)
                    await DeliverAsync(inFlight, sink, cancellationToken);
            }

            while (inFlight.Count > 0)
                await DeliverAsync(inFlight, sink, cancellationToken);
        }
        finally
        {
            await stop.CancelAsync();
            foreach (var (_, _, opened) in inFlight)
                await ((Task)opened).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static async Task<byte[]> OpenAsync(ManifestReader tree, Slot slot, int lengthBytes, CancellationToken cancellationToken)
    {
        var raw = ArrayPool<byte>.Shared.Rent(lengthBytes);
        try
        {
            await tree.Packs.ReadChunkAsync(PackContent.Data, slot, raw.AsMemory(0, lengthBytes), isAmongNeighbours: true, cancellationToken);
            return raw;
        }
        catch
        {
            ArrayPool<byte>.Shared.Return(raw);
            throw;
        }
    }

    private static async ValueTask DeliverAsync(
        Queue<(long OffsetBytes, int LengthBytes, Task<byte[]> Opened)> inFlight, StreamSink sink, CancellationToken cancellationToken)
    {
        var (offset, length, opened) = inFlight.Dequeue();
        var raw = await opened;
        try
        {
            await sink(offset, raw.AsMemory(0, length), cancellationToken);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(raw);
        }
    }
}
