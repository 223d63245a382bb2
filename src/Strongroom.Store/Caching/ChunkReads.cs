using System.Buffers;
using Strongroom.Store.Manifests;
using Strongroom.Store.Packs;

namespace Strongroom.Store.Caching;

/// <summary>Reads bytes of data chunks of one vault through the cache; of two that want the same chunk at a time one reads it. Thread-safe.</summary>
internal sealed class ChunkReads(PackReader packs, ReadCache cache) : IDisposable
{
    private const int PieceLengthBytes = ReadCache.PieceLengthBytes;
    private readonly long vault = cache.NewVault();

    /// <summary>A service takes as long for a chunk as for a part of it.</summary>
    private readonly bool prefersWhole = packs.Backend.Reads.BlockBytes > 0;
    private volatile bool isClosed;

    public ReadCache Cache => cache;

    /// <summary>Fills <paramref name="target"/> from byte <paramref name="offset"/> of a chunk of <paramref name="rawLength"/> bytes.</summary>
    /// <exception cref="StoreException">As of <see cref="PackReader.ReadChunkAsync(PackContent, Slot, Memory{byte}, CancellationToken)"/>.</exception>
    public ValueTask ReadAsync(Slot chunk, int rawLength, int offset, Memory<byte> target, CancellationToken cancellationToken)
    {
        var taken = TakeCached(ChunkKey.Of(vault, chunk), offset, target.Span);
        return taken == target.Length ? default : ReadMissingAsync(chunk, rawLength, offset + taken, target[taken..], cancellationToken);
    }

    /// <summary>True when the cache has all of a chunk.</summary>
    public bool Holds(Slot chunk, int rawLength)
    {
        var key = ChunkKey.Of(vault, chunk);
        for (var part = 0; part * PieceLengthBytes < rawLength; part++)
        {
            if (!cache.Contains(new(key, part)))
                return false;
        }

        return true;
    }

    /// <summary>Wipes what the cache has of the vault.</summary>
    public void Dispose()
    {
        isClosed = true;
        cache.Forget(vault);
    }

    private async ValueTask ReadMissingAsync(Slot chunk, int rawLength, int offset, Memory<byte> target, CancellationToken cancellationToken)
    {
        var key = ChunkKey.Of(vault, chunk);
        while (cache.Flights.Enter(key) is { } other)
        {
            // However that ends: failures and cancellations are the other's own.
            await other.WaitAsync(cancellationToken);
            var taken = TakeCached(key, offset, target.Span);
            (offset, target) = (offset + taken, target[taken..]);
            if (target.IsEmpty)
                return;
        }

        try
        {
            // Somebody may have read it between the look into the cache and this.
            var taken = TakeCached(key, offset, target.Span);
            (offset, target) = (offset + taken, target[taken..]);
            if (!target.IsEmpty)
                await FetchAsync(chunk, rawLength, offset, target, cancellationToken);
        }
        finally
        {
            cache.Flights.Leave(key);
        }
    }

    private ValueTask FetchAsync(Slot chunk, int rawLength, int offset, Memory<byte> target, CancellationToken cancellationToken)
    {
        var start = offset / PieceLengthBytes * PieceLengthBytes;
        var end = Math.Min((offset + target.Length + PieceLengthBytes - 1) / PieceLengthBytes * PieceLengthBytes, rawLength);
        return chunk.Codec != ChunkCodec.Parts || end - start == rawLength
            ? FetchAsync(chunk, rawLength, 0, rawLength, offset, target, cancellationToken)
            : prefersWhole
                ? FetchWholeOrPartAsync(chunk, rawLength, start, end, offset, target, cancellationToken)
                : FetchAsync(chunk, rawLength, start, end, offset, target, cancellationToken);
    }

    /// <summary>Damage to parts that nobody asked for keeps nobody from the others.</summary>
    private async ValueTask FetchWholeOrPartAsync(Slot chunk, int rawLength, int start, int end, int offset, Memory<byte> target, CancellationToken cancellationToken)
    {
        try
        {
            await FetchAsync(chunk, rawLength, 0, rawLength, offset, target, cancellationToken);
        }
        catch (StoreException failure) when (failure.Kind == StoreErrorKind.Corrupt)
        {
            await FetchAsync(chunk, rawLength, start, end, offset, target, cancellationToken);
        }
    }

    /// <summary>Reads the pieces from <paramref name="start"/> to <paramref name="end"/> of a chunk, and takes from them what is wanted.</summary>
    private async ValueTask FetchAsync(Slot chunk, int rawLength, int start, int end, int offset, Memory<byte> target, CancellationToken cancellationToken)
    {
        if (target.Length == end - start)
        {
            await ReadPiecesAsync(chunk, rawLength, start, target, cancellationToken);
            Keep(chunk, start, target.Span);
            return;
        }

        var buffer = ArrayPool<byte>.Shared.Rent(end - start);
        try
        {
            var raw = buffer.AsMemory(0, end - start);
            await ReadPiecesAsync(chunk, rawLength, start, raw, cancellationToken);
            Keep(chunk, start, raw.Span);
            raw.Slice(offset - start, target.Length).CopyTo(target);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private ValueTask ReadPiecesAsync(Slot chunk, int rawLength, int start, Memory<byte> raw, CancellationToken cancellationToken) => raw.Length == rawLength
        ? packs.ReadChunkAsync(PackContent.Data, chunk, raw, cancellationToken)
        : packs.ReadPartsAsync(chunk, rawLength, start / PieceLengthBytes, raw, cancellationToken);

    private void Keep(Slot chunk, int start, ReadOnlySpan<byte> raw)
    {
        for (var part = start / PieceLengthBytes; raw.Length > 0 && !isClosed; part++)
        {
            var length = Math.Min(PieceLengthBytes, raw.Length);
            cache.Add(new(ChunkKey.Of(vault, chunk), part), raw[..length]);
            raw = raw[length..];
        }

        // Closed between the look and the copy: then it was wiped too early.
        if (isClosed) cache.Forget(vault);
    }

    /// <summary>Copies what the cache has, up to the first piece that it does not have; how many bytes.</summary>
    private int TakeCached(in ChunkKey key, int offset, Span<byte> target)
    {
        var taken = 0;
        while (taken < target.Length)
        {
            var within = (offset + taken) % PieceLengthBytes;
            var count = Math.Min(target.Length - taken, PieceLengthBytes - within);
            if (!cache.TryRead(new(key, (offset + taken) / PieceLengthBytes), within, target.Slice(taken, count)))
                break;
            taken += count;
        }

        return taken;
    }
}
