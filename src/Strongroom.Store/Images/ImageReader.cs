using System.Buffers;
using System.Runtime.CompilerServices;
using Strongroom.Store.Blobs;
using Strongroom.Store.Images;
using Strongroom.Store.Packs;

namespace Strongroom.Store;

/// <summary>Random reads of an image: after a few cached nodes, one range read each. Thread-safe.</summary>
/// <remarks>It goes on while collections move what it reads, as long as a live snapshot has the image. It is an <see cref="IImageSource"/> itself.</remarks>
public sealed class ImageReader : IImageSource, IAsyncDisposable, IDisposable
{
    private readonly ImageTree tree;
    private readonly ImageRef image;
    private readonly RecentlyUsed<(uint PackSeq, ushort Ordinal, int Part), byte[]> pieces;

    internal ImageReader(ImageTree tree, ImageRef image, int cachedChunks)
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
                (await ReadCachedAsync(slot, rawLength, cancellationToken)).AsSpan(within, count).CopyTo(buffer.Span);
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
            (await ReadCachedAsync(sub, ImageGeometry.SubSlotLengthBytes, cancellationToken)).AsSpan(within, count).CopyTo(buffer.Span);
        return count;
    }

    /// <summary>Reads from one part of a chunk; how many bytes. Who reads a part after the one before it will want the rest, and gets it with the same range read.</summary>
    private async ValueTask<int> ReadPartAsync(
        Slot chunk, int rawLength, int part, int within, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var length = FrameFormat.RawLengthOf(part, rawLength);
        var count = Math.Min(buffer.Length, length - within);
        if (!pieces.TryGet(KeyOf(chunk, part), out var piece))
        {
            var isSequential = part > 0 && pieces.TryGet(KeyOf(chunk, part - 1), out _);
            var next = isSequential ? rawLength : (part * FrameFormat.PartLengthBytes) + length;
            var raw = ArrayPool<byte>.Shared.Rent(next - (part * FrameFormat.PartLengthBytes));
            try
            {
                var target = raw.AsMemory(0, next - (part * FrameFormat.PartLengthBytes));
                await tree.Packs.ReadPartsAsync(chunk, rawLength, part, target, cancellationToken);
                piece = target[..length].ToArray();
                for (var i = FrameFormat.PartCountOf(next) - 1; i > part; i--)
                    pieces.TryAdd(KeyOf(chunk, i), target.Slice((i - part) * FrameFormat.PartLengthBytes, FrameFormat.RawLengthOf(i, rawLength)).ToArray());
                pieces.TryAdd(KeyOf(chunk, part), piece);
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(raw);
            }
        }

        piece.AsSpan(within, count).CopyTo(buffer.Span);
        return count;
    }

    private static (uint PackSeq, ushort Ordinal, int Part) KeyOf(Slot chunk, int part) => (chunk.PackSeq, chunk.Ordinal, part);

    private async ValueTask<byte[]> ReadCachedAsync(Slot slot, int rawLength, CancellationToken cancellationToken)
    {
        var key = KeyOf(slot, 0);
        if (pieces.TryGet(key, out var chunk) && chunk.Length == rawLength)
            return chunk;
        chunk = GC.AllocateUninitializedArray<byte>(rawLength);
        await tree.Packs.ReadChunkAsync(PackContent.Data, slot, chunk, cancellationToken);
        pieces.TryAdd(key, chunk);
        return chunk;
    }
}
