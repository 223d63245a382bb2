using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Strongroom.Store.Packs;

/// <summary>The bytes of a frame: one sealed chunk, or sealed parts of 64 KiB and a table of them (<c>docs/store-format.md</c> section 4).</summary>
internal static class FrameFormat
{
    /// <summary>Plaintext bytes of a part; longer chunks are stored in parts.</summary>
    public const int PartLengthBytes = 64 * 1024;

    public const int TagLengthBytes = PackFormat.TagLengthBytes;
    public const int TableEntryLengthBytes = 3;
    private const uint TablePart = uint.MaxValue;
    private const int ZstdBit = 1 << 23;

    public static int PartCountOf(int rawLengthBytes) => (rawLengthBytes + PartLengthBytes - 1) / PartLengthBytes;

    /// <summary>The plaintext length of a part: 64 KiB, less at the end.</summary>
    public static int RawLengthOf(int part, int rawLengthBytes) => Math.Min(PartLengthBytes, rawLengthBytes - (part * PartLengthBytes));

    public static int TableLengthOf(int parts) => (parts * TableEntryLengthBytes) + TagLengthBytes;

    /// <summary>The length of a frame of parts of which none was compressed; every other one is shorter, since compression must save something.</summary>
    public static int UncompressedLengthOf(int rawLengthBytes) =>
        rawLengthBytes + (PartCountOf(rawLengthBytes) * TagLengthBytes) + TableLengthOf(PartCountOf(rawLengthBytes));

    /// <summary>Where a part lies in such a frame.</summary>
    public static FramePart UncompressedPartOf(int part, int rawLengthBytes) =>
        new(part * (PartLengthBytes + TagLengthBytes), RawLengthOf(part, rawLengthBytes) + TagLengthBytes, false);

    /// <summary>Seals a chunk into <paramref name="target"/>, which has its stored length exactly.</summary>
    public static void Seal(AesGcm aes, Guid vaultId, uint packSeq, uint ordinal, EncodedChunk chunk, Span<byte> target)
    {
        Span<byte> aad = stackalloc byte[PackFormat.FrameAadLengthBytes];
        PackFormat.WriteFrameAad(aad, vaultId, packSeq, ordinal, chunk.RawLengthBytes, chunk.Codec);
        for (var i = 0; i < chunk.Parts.Count; i++)
        {
            var payload = chunk.Parts[i].Payload.Span;
            SealPiece(aes, (uint)i, ordinal, aad, payload, target);
            target = target[(payload.Length + TagLengthBytes)..];
        }

        if (chunk.Codec != ChunkCodec.Parts)
            return;
        Span<byte> table = stackalloc byte[chunk.Parts.Count * TableEntryLengthBytes];
        for (var i = 0; i < chunk.Parts.Count; i++)
        {
            var part = chunk.Parts[i];
            var entry = part.Payload.Length + TagLengthBytes + (part.IsCompressed ? ZstdBit : 0);
            PackFormat.WriteUInt24(table[(i * TableEntryLengthBytes)..], entry);
        }

        SealPiece(aes, TablePart, ordinal, aad, table, target);
    }

    /// <summary>Opens a frame of codec 0 or 1, or a part, into <paramref name="plain"/>. False when it is not what was sealed.</summary>
    public static bool TryOpen(AesGcm aes, uint part, uint ordinal, ReadOnlySpan<byte> aad, ReadOnlySpan<byte> piece, Span<byte> plain)
    {
        if (piece.Length != plain.Length + TagLengthBytes)
            return false;
        Span<byte> nonce = stackalloc byte[PackFormat.NonceLengthBytes];
        WriteNonce(nonce, part, ordinal);
        try
        {
            aes.Decrypt(nonce, piece[..plain.Length], piece[plain.Length..], plain, aad);
            return true;
        }
        catch (AuthenticationTagMismatchException)
        {
            plain.Clear();
            return false;
        }
    }

    /// <summary>Opens the table at the end of a frame of parts. False when it is damaged or does not add up to the frame.</summary>
    public static bool TryOpenTable(AesGcm aes, uint ordinal, ReadOnlySpan<byte> aad, ReadOnlySpan<byte> frame, Span<FramePart> parts)
    {
        var tableOffset = frame.Length - TableLengthOf(parts.Length);
        Span<byte> table = stackalloc byte[parts.Length * TableEntryLengthBytes];
        if (tableOffset < 0 || !TryOpen(aes, TablePart, ordinal, aad, frame[tableOffset..], table))
            return false;
        var offset = 0;
        for (var i = 0; i < parts.Length; i++)
        {
            var entry = PackFormat.ReadUInt24(table[(i * TableEntryLengthBytes)..]);
            var length = entry & (ZstdBit - 1);
            parts[i] = new(offset, length, (entry & ZstdBit) != 0);
            if (length < TagLengthBytes)
                return false;
            offset += length;
        }

        return offset == tableOffset;
    }

    private static void SealPiece(AesGcm aes, uint part, uint ordinal, ReadOnlySpan<byte> aad, ReadOnlySpan<byte> payload, Span<byte> target)
    {
        Span<byte> nonce = stackalloc byte[PackFormat.NonceLengthBytes];
        WriteNonce(nonce, part, ordinal);
        aes.Encrypt(nonce, payload, target[..payload.Length], target.Slice(payload.Length, TagLengthBytes), aad);
    }

    /// <summary>Part 0 of a frame and a frame without parts have the same nonce; they never share an ordinal.</summary>
    private static void WriteNonce(Span<byte> nonce, uint part, uint ordinal)
    {
        PackFormat.WriteNonce(nonce, ordinal);
        BinaryPrimitives.WriteUInt32LittleEndian(nonce, part);
    }
}

/// <summary>Where a part lies in its frame.</summary>
internal readonly record struct FramePart(int OffsetBytes, int StoredLengthBytes, bool IsCompressed);
