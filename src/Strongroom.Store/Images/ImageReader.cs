using System.Buffers;
using System.Runtime.CompilerServices;
using Strongroom.Store.Images;
using Strongroom.Store.Manifests;
using Strongroom.Store.Packs;

namespace Strongroom.Store;

/// <summary>Random reads of an image: after a few cached nodes, one range read each. Thread-safe.</summary>
/// <remarks>It goes on while collections move what it reads, as long as a live snapshot has the image. It is an <see cref="IImageSource"/> itself.</remarks>
public sealed class ImageReader : IImageSource, IAsyncDisposable, IDisposable
{
    private readonly ManifestReader tree;
    private readonly ImageRef image;
    private readonly PieceCache pieces;

    internal ImageReader(ManifestReader tree, ImageRef image, int cachedChunks)
    {
        this.tree = tree;
        this.image = image;
        pieces = new(cachedChunks * NodeFormat.SubSlotCount);
    }

    /// <inheritdoc/>
    public long LengthBytes => image.LengthBytes;

    /// <summary>Fills <paramref name="buffer"/> with verified bytes.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The range is not inside the image.</exception>
    /// <exception cref="StoreException">Corrupt or NotFound: nothing in the buffer may be used.</exception>
    public async ValueTask ReadAsync(long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offsetBytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offsetBytes, LengthBytes - buffer.Length);
        while (buffer.Length > 0)
        {
            var slotIndex = offsetBytes / ImageGeometry.SlotLengthBytes;
            var within = (int)(offsetBytes % ImageGeometry.SlotLengthBytes);
            var rawLength = ImageGeometry.RawLengthOf(slotIndex, LengthBytes);
            var count = Math.Min(buffer.Length, rawLength - within);
            var leaf = await tree.FindLeafAsync(image, slotIndex, cancellationToken);
            var slot = leaf is null ? default : NodeFormat.SlotOf(leaf, ImageGeometry.ChildOf(slotIndex, 1));
            if (slot.IsHole)
                buffer.Span[..count].Clear();
            else if (slot.Kind == SlotKind.Split)
                count = await ReadSplitAsync(leaf!, slot, within, buffer[..count], cancellationToken);
            else if (count == rawLength)
                await tree.Packs.ReadChunkAsync(PackContent.Data, slot, buffer[..count], cancellationToken);
            else if (slot.Codec == ChunkCodec.Parts)
                count = await ReadPartAsync(slot, rawLength, within / FrameFormat.PartLengthBytes, within % FrameFormat.PartLengthBytes, buffer[..count], cancellationToken);
            else
                await ReadShortAsync(slot, rawLength, within, buffer[..count], cancellationToken);
            buffer = buffer[count..];
            offsetBytes += count;
        }
    }

    /// <summary>Data and holes of the image in order, adjacent, at the grain of 256 KiB.</summary>
    public async IAsyncEnumerable<ImageExtent> MapAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var start = 0L;
        var end = 0L;
        await foreach (var (firstSlot, leaf) in tree.ReadLeavesAsync(image, cancellationToken))
        {
            for (var i = 0; i < ImageGeometry.FanOut; i++)
            {
                if (NodeFormat.SlotOf(leaf, i).IsHole)
                    continue;
                var slotStart = (firstSlot + i) * ImageGeometry.SlotLengthBytes;
                if (slotStart != end)
                {
                    if (end > start)
                        yield return new(start, end - start, ExtentKind.Data);
                    yield return new(end, slotStart - end, ExtentKind.Zero);
                    start = slotStart;
                }

                end = slotStart + ImageGeometry.RawLengthOf(firstSlot + i, LengthBytes);
            }
        }

        if (end > start)
            yield return new(start, end - start, ExtentKind.Data);
        if (end < LengthBytes)
            yield return new(end, LengthBytes - end, ExtentKind.Zero);
    }

    public void Dispose()
    {
        pieces.Clear();
    }

    public ValueTask DisposeAsync()
    {
        Dispose();
        return default;
    }

    /// <summary>Reads from one sub-slot; how many bytes.</summary>
    private async ValueTask<int> ReadSplitAsync(byte[] leaf, Slot split, int within, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var sub = NodeFormat.SubSlotOf(leaf, split, within / ImageGeometry.SubSlotLengthBytes);
        within %= ImageGeometry.SubSlotLengthBytes;
        var count = Math.Min(buffer.Length, ImageGeometry.SubSlotLengthBytes - within);
        if (sub.IsHole)
            buffer.Span[..count].Clear();
        else if (sub.Part is { } part)
            return await ReadPartAsync(sub.Chunk, ImageGeometry.SlotLengthBytes, part, within, buffer[..count], cancellationToken);
        else
            await ReadShortAsync(sub, ImageGeometry.SubSlotLengthBytes, within, buffer[..count], cancellationToken);
        return count;
    }

    /// <summary>Reads from one part of a chunk; how many bytes. Who reads a part after the one before it will want the rest, and gets it with the same range read.</summary>
    private async ValueTask<int> ReadPartAsync(
        Slot chunk, int rawLength, int part, int within, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var length = FrameFormat.RawLengthOf(part, rawLength);
        var count = Math.Min(buffer.Length, length - within);
        if (pieces.TryRead(KeyOf(chunk, part), within, buffer.Span[..count]))
            return count;
        var isSequential = part > 0 && pieces.Contains(KeyOf(chunk, part - 1));
        var wanted = isSequential ? rawLength - (part * FrameFormat.PartLengthBytes) : length;
        var raw = ArrayPool<byte>.Shared.Rent(wanted);
        try
        {
            await tree.Packs.ReadPartsAsync(chunk, rawLength, part, raw.AsMemory(0, wanted), cancellationToken);
            for (var at = 0; at < wanted; at += FrameFormat.PartLengthBytes)
                pieces.Add(KeyOf(chunk, part + (at / FrameFormat.PartLengthBytes)), raw.AsSpan(at, Math.Min(FrameFormat.PartLengthBytes, wanted - at)));
            raw.AsSpan(within, count).CopyTo(buffer.Span);
            return count;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(raw);
        }
    }

    /// <summary>Reads from a chunk that is not stored in parts.</summary>
    private async ValueTask ReadShortAsync(Slot chunk, int rawLength, int within, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var key = KeyOf(chunk, 0);
        if (pieces.TryRead(key, within, buffer.Span))
            return;
        var raw = ArrayPool<byte>.Shared.Rent(rawLength);
        try
        {
            await tree.Packs.ReadChunkAsync(PackContent.Data, chunk, raw.AsMemory(0, rawLength), cancellationToken);
            pieces.Add(key, raw.AsSpan(0, rawLength));
            raw.AsSpan(within, buffer.Length).CopyTo(buffer.Span);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(raw);
        }
    }

    private static PieceKey KeyOf(Slot chunk, int part) => new(chunk.PackSeq, chunk.Ordinal, part);
}
