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
    private readonly RecentlyUsed<(uint PackSeq, ushort Ordinal), byte[]> chunks;

    internal ImageReader(ImageTree tree, ImageRef image, int cachedChunks)
    {
        this.tree = tree;
        this.image = image;
        chunks = new(cachedChunks);
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
            var slot = await tree.FindAsync(image, slotIndex, 0, cancellationToken);
            if (slot.IsHole)
                buffer.Span[..count].Clear();
            else if (count == rawLength)
                await tree.Packs.ReadChunkAsync(PackContent.Data, slot, buffer[..count], cancellationToken);
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
                if (ImageTree.SlotOf(leaf, i).IsHole)
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
        chunks.Clear();
    }

    public ValueTask DisposeAsync()
    {
        Dispose();
        return default;
    }

    private async ValueTask<byte[]> ReadCachedAsync(Slot slot, int rawLength, CancellationToken cancellationToken)
    {
        var key = (slot.PackSeq, slot.Ordinal);
        if (chunks.TryGet(key, out var chunk))
            return chunk;
        chunk = GC.AllocateUninitializedArray<byte>(rawLength);
        await tree.Packs.ReadChunkAsync(PackContent.Data, slot, chunk, cancellationToken);
        chunks.TryAdd(key, chunk);
        return chunk;
    }
}
