using System.Buffers;
using Strongroom.Store.Packs;

namespace Strongroom.Store.Images;

/// <summary>One worker's compressor and output buffer. Not for concurrent use.</summary>
internal sealed class ChunkWorkspace : IDisposable
{
    private byte[] buffer = [];

    private ChunkCompressor Compressor { get; } = new();

    /// <summary>The bytes to store for a chunk: compressed, or <paramref name="raw"/> itself. Valid until the next call.</summary>
    public ReadOnlyMemory<byte> Encode(ReadOnlyMemory<byte> raw, out ChunkCodec codec)
    {
        var bound = ChunkCompressor.BoundOf(raw.Length);
        if (buffer.Length < bound)
        {
            ReturnBuffer();
            buffer = ArrayPool<byte>.Shared.Rent(bound);
        }

        if (Compressor.TryCompress(raw.Span, buffer, out var length))
        {
            codec = ChunkCodec.Zstd;
            return buffer.AsMemory(0, length);
        }

        codec = ChunkCodec.Raw;
        return raw;
    }

    public void Dispose()
    {
        Compressor.Dispose();
        ReturnBuffer();
    }

    private void ReturnBuffer()
    {
        if (buffer.Length > 0)
            ArrayPool<byte>.Shared.Return(buffer);
        buffer = [];
    }
}
