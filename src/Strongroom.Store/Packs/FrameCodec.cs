using System.Collections.Concurrent;
using System.Security.Cryptography;
using Strongroom.Store.Manifests;

namespace Strongroom.Store.Packs;

/// <summary>What one worker needs to open frames: buffers, the last pack's cipher and zstd contexts. Not for concurrent use; rent it from a pool.</summary>
internal sealed class FrameCodec : IDisposable
{
    private readonly ChunkCompressor compressor = new();
    private byte[] plain = [];
    private readonly EncodedChunk encoded = new();
    private byte[] stored = [];
    private byte[] payload = [];
    private FramePart[] parts = [];
    private AesGcm? aes;
    private PackKey? aesKey;

    /// <summary>A buffer of at least this size that stays valid until the next call.</summary>
    public Memory<byte> StoredBuffer(int lengthBytes)
    {
        if (stored.Length < lengthBytes)
            stored = GC.AllocateUninitializedArray<byte>(lengthBytes);
        return stored.AsMemory(0, lengthBytes);
    }

    /// <summary>Opens a frame into <paramref name="raw"/> and checks tags, length and id: wrong bytes are never handed out.</summary>
    /// <exception cref="StoreException">Corrupt.</exception>
    public void Open(PackKey key, Guid vaultId, byte[] idKey, Slot slot, ReadOnlySpan<byte> frame, Span<byte> raw)
    {
        if (slot.Codec == ChunkCodec.Parts)
            OpenParts(key, vaultId, slot, frame, raw.Length, 0, raw);
        else
            OpenWhole(key, vaultId, slot, frame, raw);
        if (ChunkId.Compute(idKey, raw) != slot.Id)
        {
            raw.Clear();
            throw Damaged(slot);
        }
    }

    /// <summary>Opens as many parts as <paramref name="target"/> holds, from <paramref name="firstPart"/>. Checks their tags; the id is of the whole chunk.</summary>
    /// <exception cref="StoreException">Corrupt.</exception>
    public void OpenParts(PackKey key, Guid vaultId, Slot slot, ReadOnlySpan<byte> frame, int rawLengthBytes, int firstPart, Span<byte> target)
    {
        RequireLength(slot, frame);
        var count = FrameFormat.PartCountOf(rawLengthBytes);
        if (slot.Codec != ChunkCodec.Parts || rawLengthBytes <= FrameFormat.PartLengthBytes
            || frame.Length < (count * FrameFormat.TagLengthBytes) + FrameFormat.TableLengthOf(count))
            throw Damaged(slot);
        Span<byte> aad = stackalloc byte[PackFormat.FrameAadLengthBytes];
        PackFormat.WriteFrameAad(aad, vaultId, slot.PackSeq, slot.Ordinal, rawLengthBytes, slot.Codec);
        if (parts.Length < count)
            parts = new FramePart[count];
        var cipher = CipherOf(key);
        if (!FrameFormat.TryOpenTable(cipher, slot.Ordinal, aad, frame, parts.AsSpan(0, count)))
            throw Damaged(slot);
        for (var i = firstPart; target.Length > 0; i++)
        {
            var length = FrameFormat.RawLengthOf(i, rawLengthBytes);
            var part = parts[i];
            OpenPiece(slot, (uint)i, part.IsCompressed, aad, frame.Slice(part.OffsetBytes, part.StoredLengthBytes), target[..length]);
            target = target[length..];
        }
    }

    /// <summary>Opens parts of a frame of which none was compressed; <paramref name="pieces"/> are those parts alone, without the table.</summary>
    /// <exception cref="StoreException">Corrupt.</exception>
    public void OpenUncompressedParts(PackKey key, Guid vaultId, Slot slot, ReadOnlySpan<byte> pieces, int rawLengthBytes, int firstPart, Span<byte> target)
    {
        Span<byte> aad = stackalloc byte[PackFormat.FrameAadLengthBytes];
        PackFormat.WriteFrameAad(aad, vaultId, slot.PackSeq, slot.Ordinal, rawLengthBytes, slot.Codec);
        CipherOf(key);
        for (var i = firstPart; target.Length > 0; i++)
        {
            var part = FrameFormat.UncompressedPartOf(i, rawLengthBytes);
            if (pieces.Length < part.StoredLengthBytes)
                throw Damaged(slot);
            OpenPiece(slot, (uint)i, false, aad, pieces[..part.StoredLengthBytes], target[..FrameFormat.RawLengthOf(i, rawLengthBytes)]);
            pieces = pieces[part.StoredLengthBytes..];
            target = target[FrameFormat.RawLengthOf(i, rawLengthBytes)..];
        }
    }

    /// <summary>What was sealed in a frame, compressed as it is, so that it can be sealed elsewhere. Checks the tags and nothing more. Valid until the next call.</summary>
    /// <exception cref="StoreException">Corrupt.</exception>
    public EncodedChunk OpenEncoded(PackKey key, Guid vaultId, Slot slot, ReadOnlySpan<byte> frame, int rawLengthBytes)
    {
        RequireLength(slot, frame);
        if (payload.Length < frame.Length)
            payload = GC.AllocateUninitializedArray<byte>(frame.Length);
        Span<byte> aad = stackalloc byte[PackFormat.FrameAadLengthBytes];
        PackFormat.WriteFrameAad(aad, vaultId, slot.PackSeq, slot.Ordinal, rawLengthBytes, slot.Codec);
        var cipher = CipherOf(key);
        ReadOnlySpan<FramePart> pieces = [new(0, frame.Length, slot.Codec == ChunkCodec.Zstd)];
        if (slot.Codec == ChunkCodec.Parts)
        {
            var count = FrameFormat.PartCountOf(rawLengthBytes);
            if (parts.Length < count)
                parts = new FramePart[count];
            if (!FrameFormat.TryOpenTable(cipher, slot.Ordinal, aad, frame, parts.AsSpan(0, count)))
                throw Damaged(slot);
            pieces = parts.AsSpan(0, count);
        }

        encoded.Begin(rawLengthBytes);
        for (var i = 0; i < pieces.Length; i++)
        {
            var piece = pieces[i];
            var target = payload.AsMemory(piece.OffsetBytes, piece.StoredLengthBytes - FrameFormat.TagLengthBytes);
            if (!FrameFormat.TryOpen(cipher, (uint)i, slot.Ordinal, aad, frame.Slice(piece.OffsetBytes, piece.StoredLengthBytes), target.Span))
                throw Damaged(slot);
            encoded.Add(new(target, piece.IsCompressed));
        }

        encoded.Complete();
        return encoded;
    }

    public void Dispose()
    {
        compressor.Dispose();
        aes?.Dispose();
    }

    private static StoreException Damaged(Slot slot) =>
        StoreException.Corrupt($"Chunk {slot.Ordinal} of pack {slot.PackSeq:x8} is damaged");

    private static void RequireLength(Slot slot, ReadOnlySpan<byte> frame)
    {
        if (frame.Length != slot.StoredLengthBytes || frame.Length < FrameFormat.TagLengthBytes)
            throw Damaged(slot);
    }

    private void OpenWhole(PackKey key, Guid vaultId, Slot slot, ReadOnlySpan<byte> frame, Span<byte> raw)
    {
        RequireLength(slot, frame);
        if (slot.Codec is not (ChunkCodec.Raw or ChunkCodec.Zstd))
            throw Damaged(slot);
        Span<byte> aad = stackalloc byte[PackFormat.FrameAadLengthBytes];
        PackFormat.WriteFrameAad(aad, vaultId, slot.PackSeq, slot.Ordinal, raw.Length, slot.Codec);
        CipherOf(key);
        OpenPiece(slot, 0, slot.Codec == ChunkCodec.Zstd, aad, frame, raw);
    }

    private void OpenPiece(Slot slot, uint part, bool isCompressed, ReadOnlySpan<byte> aad, ReadOnlySpan<byte> piece, Span<byte> raw)
    {
        if (!isCompressed)
        {
            if (!FrameFormat.TryOpen(aes!, part, slot.Ordinal, aad, piece, raw))
                throw Damaged(slot);
            return;
        }

        var cipherLength = piece.Length - FrameFormat.TagLengthBytes;
        if (plain.Length < cipherLength)
            plain = GC.AllocateUninitializedArray<byte>(Math.Max(cipherLength, FrameFormat.PartLengthBytes));
        var target = plain.AsSpan(0, cipherLength);
        if (!FrameFormat.TryOpen(aes!, part, slot.Ordinal, aad, piece, target))
            throw Damaged(slot);
        compressor.Decompress(target, raw);
    }

    /// <summary>Frames come in runs of one pack; its cipher is set up once for them.</summary>
    private AesGcm CipherOf(PackKey key)
    {
        if (aes is null || !ReferenceEquals(key, aesKey))
        {
            aes?.Dispose();
            aes = new AesGcm(key.Key, FrameFormat.TagLengthBytes);
            aesKey = key;
        }

        return aes;
    }
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
