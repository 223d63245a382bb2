using System.Collections.Concurrent;
using System.Security.Cryptography;
using Strongroom.Store.Images;

namespace Strongroom.Store.Packs;

/// <summary>What one worker needs to open frames: buffers and zstd contexts. Not for concurrent use; rent it from a pool.</summary>
internal sealed class FrameCodec : IDisposable
{
    private byte[] plain = [];
    private byte[] stored = [];

    public ChunkCompressor Compressor { get; } = new();

    /// <summary>A buffer of at least this size that stays valid until the next call.</summary>
    public Memory<byte> StoredBuffer(int lengthBytes)
    {
        if (stored.Length < lengthBytes)
            stored = GC.AllocateUninitializedArray<byte>(lengthBytes);
        return stored.AsMemory(0, lengthBytes);
    }

    /// <summary>Opens a frame into <paramref name="raw"/> and checks tag, length and id: wrong bytes are never handed out.</summary>
    /// <exception cref="StoreException">Corrupt.</exception>
    public void Open(PackKey key, Guid vaultId, byte[] idKey, Slot slot, ReadOnlySpan<byte> frame, Span<byte> raw)
    {
        if (frame.Length != slot.StoredLengthBytes || frame.Length < PackFormat.TagLengthBytes)
            throw Damaged(slot);
        var cipherLength = frame.Length - PackFormat.TagLengthBytes;
        if (slot.Codec == ChunkCodec.Raw && cipherLength != raw.Length)
            throw Damaged(slot);
        if (slot.Codec != ChunkCodec.Raw && plain.Length < cipherLength)
            plain = GC.AllocateUninitializedArray<byte>(Math.Max(cipherLength, 64 * 1024));
        var target = slot.Codec == ChunkCodec.Raw ? raw : plain.AsSpan(0, cipherLength);
        Span<byte> nonce = stackalloc byte[PackFormat.NonceLengthBytes];
        Span<byte> aad = stackalloc byte[PackFormat.FrameAadLengthBytes];
        PackFormat.WriteNonce(nonce, slot.Ordinal);
        PackFormat.WriteFrameAad(aad, vaultId, slot.PackSeq, slot.Ordinal, raw.Length, slot.Codec);
        try
        {
            // A new instance each time: AesGcm is not safe for concurrent use and costs next to nothing to make.
            using var aes = new AesGcm(key.Key, PackFormat.TagLengthBytes);
            aes.Decrypt(nonce, frame[..cipherLength], frame[cipherLength..], target, aad);
        }
        catch (AuthenticationTagMismatchException)
        {
            raw.Clear();
            throw Damaged(slot);
        }

        if (slot.Codec != ChunkCodec.Raw)
            Compressor.Decode(slot.Codec, target, raw);
        if (ChunkId.Compute(idKey, raw) != slot.Id)
        {
            raw.Clear();
            throw Damaged(slot);
        }
    }

    public void Dispose() => Compressor.Dispose();

    private static StoreException Damaged(Slot slot) =>
        StoreException.Corrupt($"Chunk {slot.Ordinal} of pack {slot.PackSeq:x8} is damaged");
}

/// <summary>Keeps a few <see cref="FrameCodec"/>s. Thread-safe.</summary>
internal sealed class FrameCodecPool : IDisposable
{
    private const int Kept = 8;
    private readonly ConcurrentBag<FrameCodec> idle = [];
    private bool isDisposed;

    public FrameCodec Rent() => idle.TryTake(out var codec) ? codec : new FrameCodec();

    public void Return(FrameCodec codec)
    {
        if (isDisposed || idle.Count >= Kept)
            codec.Dispose();
        else
            idle.Add(codec);
    }

    public void Dispose()
    {
        isDisposed = true;
        while (idle.TryTake(out var codec))
            codec.Dispose();
    }
}
