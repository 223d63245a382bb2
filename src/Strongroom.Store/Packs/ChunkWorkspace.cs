using System.Buffers;

namespace Strongroom.Store.Packs;

/// <summary>One worker's compressor and output buffer. Not for concurrent use.</summary>
/// <param name="isThorough">True for files and streams: chunks are not divided into parts, which nobody would read alone, and compressed harder.</param>
internal sealed class ChunkWorkspace(bool isThorough = false) : IDisposable
{
    private readonly int partLengthBytes = isThorough ? int.MaxValue : FrameFormat.PartLengthBytes;
    private readonly ChunkCompressor compressor = new(isThorough ? ChunkCompressor.ThoroughLevel : ChunkCompressor.FastLevel);
    private readonly EncodedChunk encoded = new();
    private byte[] buffer = [];

    /// <summary>What to store for a chunk; it refers to <paramref name="raw"/> where that does not compress. Valid until the next call.</summary>
    public EncodedChunk Encode(ReadOnlyMemory<byte> raw)
    {
        var bound = ChunkCompressor.BoundOf(Math.Min(raw.Length, partLengthBytes));
        var room = isThorough ? bound : bound * Math.Max(1, FrameFormat.PartCountOf(raw.Length));
        if (buffer.Length < room)
        {
            ReturnBuffer();
            buffer = ArrayPool<byte>.Shared.Rent(room);
        }

        encoded.Begin(raw.Length);
        var used = 0;
        do
        {
            var part = raw[..Math.Min(raw.Length, partLengthBytes)];
            raw = raw[part.Length..];
            if (compressor.TryCompress(part.Span, buffer.AsSpan(used), out var length))
            {
                encoded.Add(new(buffer.AsMemory(used, length), true));
                used += length;
            }
            else
            {
                encoded.Add(new(part, false));
            }
        }
        while (raw.Length > 0);
        encoded.Complete();
        return encoded;
    }

    public void Dispose()
    {
        compressor.Dispose();
        ReturnBuffer();
    }

    private void ReturnBuffer()
    {
        if (buffer.Length > 0)
            ArrayPool<byte>.Shared.Return(buffer);
        buffer = [];
    }
}
