using System.Buffers;
using System.Runtime.CompilerServices;
using Strongroom.Store.Caching;
using Strongroom.Store.Images;
using Strongroom.Store.Manifests;
using Strongroom.Store.Packs;

namespace Strongroom.Store;

/// <summary>Random reads of an image: after a few cached nodes, one range read each. Thread-safe.</summary>
/// <remarks>It goes on while collections move what it reads, as long as a live snapshot has the image. It is an <see cref="IImageSource"/> itself.</remarks>
public sealed class ImageReader : IImageSource, IAsyncDisposable
{
    private readonly ManifestReader tree;
    private readonly ImageRef image;
    private readonly ChunkReads chunks;
    private readonly ReadAhead? ahead;

    internal ImageReader(ManifestReader tree, ImageRef image, ChunkReads chunks, bool readsAhead)
    {
        this.tree = tree;
        this.image = image;
        this.chunks = chunks;
        ahead = readsAhead ? new(chunks.Cache, image.LengthBytes, FetchAsync) : null;
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
        ahead?.Note(offsetBytes, buffer.Length);
        while (buffer.Length > 0)
        {
            var slotIndex = offsetBytes / ImageGeometry.SlotLengthBytes;
            var within = (int)(offsetBytes % ImageGeometry.SlotLengthBytes);
            var count = Math.Min(buffer.Length, ImageGeometry.RawLengthOf(slotIndex, LengthBytes) - within);
            await ReadSlotAsync(slotIndex, within, buffer[..count], cancellationToken);
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

    /// <summary>Ends what is read ahead. What was read stays in the vault's cache.</summary>
    public ValueTask DisposeAsync() => ahead?.DisposeAsync() ?? default;

    private async ValueTask ReadSlotAsync(long slotIndex, int within, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var (leaf, slot) = await FindSlotAsync(slotIndex, cancellationToken);
        if (slot.IsHole)
        {
            buffer.Span.Clear();
            return;
        }

        if (slot.Kind != SlotKind.Split)
        {
            PackReader.RequireWhole(slot);
            await chunks.ReadAsync(slot, ImageGeometry.RawLengthOf(slotIndex, LengthBytes), within, buffer, cancellationToken);
            return;
        }

        while (buffer.Length > 0)
        {
            var count = await ReadSplitAsync(leaf!, slot, within, buffer, cancellationToken);
            (within, buffer) = (within + count, buffer[count..]);
        }
    }

    /// <summary>What an image says of 256 KiB, and the leaf that says it; a hole where there is no leaf.</summary>
    private async ValueTask<(byte[]? Leaf, Slot Slot)> FindSlotAsync(long slotIndex, CancellationToken cancellationToken)
    {
        var leaf = await tree.FindLeafAsync(image, slotIndex, cancellationToken);
        return (leaf, leaf is null ? default : NodeFormat.SlotOf(leaf, ImageGeometry.ChildOf(slotIndex, 1)));
    }

    /// <summary>Reads from one sub-slot, and from those after it that are the next parts of the same chunk; how many bytes.</summary>
    private async ValueTask<int> ReadSplitAsync(byte[] leaf, Slot split, int within, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var index = within / ImageGeometry.SubSlotLengthBytes;
        var sub = NodeFormat.SubSlotOf(leaf, split, index);
        var end = (index + 1) * ImageGeometry.SubSlotLengthBytes;
        for (var next = index + 1; sub.Part is { } first && end < within + buffer.Length; next++)
        {
            if (NodeFormat.SubSlotOf(leaf, split, next) != sub.ToPart(first + next - index))
                break;
            end += ImageGeometry.SubSlotLengthBytes;
        }

        buffer = buffer[..Math.Min(buffer.Length, end - within)];
        within %= ImageGeometry.SubSlotLengthBytes;
        if (sub.IsHole)
            buffer.Span.Clear();
        else if (sub.Part is { } part)
            await chunks.ReadAsync(sub.Chunk, ImageGeometry.SlotLengthBytes, (part * ImageGeometry.SubSlotLengthBytes) + within, buffer, cancellationToken);
        else
            await chunks.ReadAsync(sub, ImageGeometry.SubSlotLengthBytes, within, buffer, cancellationToken);
        return buffer.Length;
    }

    /// <summary>Brings a slot into the cache.</summary>
    private async Task FetchAsync(long slotIndex, CancellationToken cancellationToken)
    {
        var slot = await FindSlotAsync(slotIndex, cancellationToken);
        if (slot.Slot.IsHole || (slot.Slot.Kind == SlotKind.Whole && chunks.Holds(slot.Slot, ImageGeometry.RawLengthOf(slotIndex, LengthBytes))))
            return;
        var buffer = ArrayPool<byte>.Shared.Rent(ImageGeometry.SlotLengthBytes);
        try
        {
            await ReadSlotAsync(slotIndex, 0, buffer.AsMemory(0, ImageGeometry.RawLengthOf(slotIndex, LengthBytes)), cancellationToken);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
