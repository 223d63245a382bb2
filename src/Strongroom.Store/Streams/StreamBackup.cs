using System.Buffers;
using Strongroom.Store.Manifests;

namespace Strongroom.Store.Streams;

/// <summary>Takes one stream piece by piece: cuts it into chunks, has them stored in parallel, and keeps their order. Not for concurrent use.</summary>
/// <remarks>Memory: the chunk at hand (at most 4 MiB) and what is in the pump.</remarks>
internal sealed class StreamBackup : IAsyncDisposable
{
    private const int ReadLengthBytes = 512 << 10;
    private const int ChunksAhead = 64;
    private readonly ChunkPump pump;
    private readonly GearChunker chunker;
    private readonly StreamManifest manifest;
    private readonly Queue<(int LengthBytes, Task<Slot> Stored)> inFlight = [];
    private byte[] buffer;
    private int filled;

    /// <param name="pump">Stores the chunks.</param>
    /// <param name="gear">The vault's table.</param>
    /// <param name="manifest">Takes the records.</param>
    /// <param name="expectedLengthBytes">A guess that saves memory for what is short.</param>
    public StreamBackup(ChunkPump pump, ulong[] gear, StreamManifest manifest, long expectedLengthBytes)
    {
        this.pump = pump;
        this.manifest = manifest;
        chunker = new(gear);
        buffer = ArrayPool<byte>.Shared.Rent((int)Math.Clamp(expectedLengthBytes + 1, 4096, GearChunker.GreatestLengthBytes));
    }

    /// <summary>Where the next bytes go; never empty.</summary>
    public Memory<byte> Room
    {
        get
        {
            if (filled == buffer.Length)
                Grow();
            return buffer.AsMemory(filled, Math.Min(ReadLengthBytes, Math.Min(buffer.Length, GearChunker.GreatestLengthBytes) - filled));
        }
    }

    /// <summary>Takes so many bytes that were put into <see cref="Room"/>.</summary>
    public async ValueTask AdvanceAsync(int count, CancellationToken cancellationToken)
    {
        pump.Chunks.Counters.AddRead(count);
        filled += count;
        while (chunker.FindEnd(buffer.AsSpan(0, filled)) is var end and > 0)
            await EmitAsync(end, cancellationToken);
    }

    /// <summary>Takes a run of zeros that was not read.</summary>
    public async ValueTask AddHoleAsync(long lengthBytes, CancellationToken cancellationToken)
    {
        await EmitRestAsync(cancellationToken);
        await DrainAsync(0, cancellationToken);
        pump.Chunks.Counters.AddZero(lengthBytes);
        manifest.AddHole(lengthBytes);
    }

    public async ValueTask<StreamRef> FinishAsync(CancellationToken cancellationToken)
    {
        await EmitRestAsync(cancellationToken);
        await DrainAsync(0, cancellationToken);
        return await manifest.FinishAsync(cancellationToken);
    }

    /// <summary>Waits for what is in flight: nothing of this stream touches the session afterwards.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var (_, stored) in inFlight)
            await ((Task)stored).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        inFlight.Clear();
        if (buffer.Length > 0)
            ArrayPool<byte>.Shared.Return(buffer);
        buffer = [];
    }

    private void Grow()
    {
        var larger = ArrayPool<byte>.Shared.Rent(GearChunker.GreatestLengthBytes);
        buffer.AsSpan(0, filled).CopyTo(larger);
        if (buffer.Length > 0)
            ArrayPool<byte>.Shared.Return(buffer);
        buffer = larger;
    }

    private async ValueTask EmitRestAsync(CancellationToken cancellationToken)
    {
        if (filled > 0)
            await EmitAsync(filled, cancellationToken);
        chunker.Restart();
    }

    private async ValueTask EmitAsync(int end, CancellationToken cancellationToken)
    {
        var (chunk, rest) = (buffer, filled - end);
        if (rest > 0)
        {
            buffer = ArrayPool<byte>.Shared.Rent(GearChunker.GreatestLengthBytes);
            chunk.AsSpan(end, rest).CopyTo(buffer);
        }
        else
        {
            buffer = [];
        }

        filled = rest;
        inFlight.Enqueue((end, await pump.StartAsync(chunk, end, cancellationToken)));
        await DrainAsync(ChunksAhead, cancellationToken);
    }

    private async ValueTask DrainAsync(int keep, CancellationToken cancellationToken)
    {
        while (inFlight.Count > keep || (inFlight.TryPeek(out var next) && next.Stored.IsCompleted))
        {
            var (length, stored) = inFlight.Peek();
            var slot = await stored;
            inFlight.Dequeue();
            if (slot.IsHole)
                manifest.AddHole(length);
            else
                await manifest.AddAsync(length, slot, cancellationToken);
        }
    }
}
