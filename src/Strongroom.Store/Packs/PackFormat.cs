using System.Buffers.Binary;
using System.Globalization;
using System.IO.Hashing;
using System.Security.Cryptography;
using Strongroom.Store.Keys;
using Strongroom.Store.Manifests;

namespace Strongroom.Store.Packs;

/// <summary>What the chunks of a pack are.</summary>
internal enum PackContent : byte
{
    Data = 1,
    Nodes = 2,
}

/// <summary>One line of a pack's directory. The ordinal is its place.</summary>
internal readonly record struct PackEntry(ChunkId Id, uint OffsetBytes, int StoredLengthBytes, int RawLengthBytes, ChunkCodec Codec)
{
    public Slot ToSlot(uint packSeq, int ordinal) =>
        new(SlotKind.Whole, Codec, StoredLengthBytes, packSeq, (ushort)ordinal, 0, OffsetBytes, Id);
}

/// <summary>What a reader must know of a pack before it can open a frame.</summary>
internal sealed record PackKey(uint PackSeq, PackContent Content, byte[] Key);

/// <summary>The bytes of a pack (<c>docs/store-format.md</c> section 4).</summary>
internal static class PackFormat
{
    public const int HeaderLengthBytes = 64;
    public const int TrailerLengthBytes = 64;
    public const int EntryLengthBytes = 44;
    public const int TagLengthBytes = 16;
    public const int NonceLengthBytes = 12;
    public const int FrameAadLengthBytes = 29;
    public const int GreatestFrameCount = 65_535;

    /// <summary>Where writers stop: it bounds the memory that a cached directory takes where chunks compress to almost nothing.</summary>
    public const int WriterFrameCount = 8_192;
    public const uint DirectoryOrdinal = uint.MaxValue;
    private const int DirectoryAadLengthBytes = 24;
    public const int DigestOffsetBytes = 24;
    private const int DigestLengthBytes = 16;

    private static ReadOnlySpan<byte> Magic => "SRPACK01"u8;

    public static string NameOf(PackContent content, uint packSeq) => string.Create(
        CultureInfo.InvariantCulture, $"{InnerFolderOf(content, packSeq)}{packSeq:x8}");

    /// <summary>The folder in which a pack lies, one of 256.</summary>
    public static string InnerFolderOf(PackContent content, uint packSeq) => string.Create(CultureInfo.InvariantCulture, $"{FolderOf(content)}{packSeq & 0xFF:x2}/");

    /// <summary>The length of a pack of so many frames that take so many bytes.</summary>
    public static long LengthOf(int frames, long frameBytes) =>
        HeaderLengthBytes + frameBytes + ((long)frames * EntryLengthBytes) + TagLengthBytes + TrailerLengthBytes;

    public static string FolderOf(PackContent content) => content == PackContent.Data ? "packs/" : "meta/";

    /// <summary>The number in a pack's name, or null when it is not a pack's name.</summary>
    public static uint? ParseName(string name) =>
        uint.TryParse(name.AsSpan(name.LastIndexOf('/') + 1), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var packSeq)
            && (name == NameOf(PackContent.Data, packSeq) || name == NameOf(PackContent.Nodes, packSeq))
            ? packSeq
            : null;

    public static byte[] WriteHeader(PackContent content, uint packSeq, uint epoch, ReadOnlySpan<byte> salt, Guid vaultId)
    {
        var header = new byte[HeaderLengthBytes];
        Magic.CopyTo(header);
        BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(8), 1);
        header[10] = (byte)content;
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(12), packSeq);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(16), epoch);
        salt.CopyTo(header.AsSpan(24));
        vaultId.TryWriteBytes(header.AsSpan(40), bigEndian: true, out _);
        return header;
    }

    /// <summary>The epoch that a header names, before anything vouches for it.</summary>
    public static uint EpochOf(ReadOnlySpan<byte> header) => BinaryPrimitives.ReadUInt32LittleEndian(header[16..]);

    /// <summary>The vault that a header names, before anything vouches for it.</summary>
    public static Guid VaultIdOf(ReadOnlySpan<byte> header) => new(header.Slice(40, 16), bigEndian: true);

    /// <summary>True for bytes that begin with the header of this pack.</summary>
    public static bool IsHeaderOf(ReadOnlySpan<byte> bytes, PackContent content, uint packSeq, Guid vaultId) =>
        bytes.Length >= HeaderLengthBytes && bytes.StartsWith(Magic) && bytes[10] == (byte)content
        && BinaryPrimitives.ReadUInt32LittleEndian(bytes[12..]) == packSeq && VaultIdOf(bytes) == vaultId;

    /// <summary>Checks a header and derives the pack's key.</summary>
    public static PackKey ReadHeader(ReadOnlySpan<byte> header, PackContent content, uint packSeq, KeyRing ring)
    {
        if (header.Length != HeaderLengthBytes || !IsHeaderOf(header, content, packSeq, ring.VaultId))
            throw StoreException.Corrupt($"The header of pack {packSeq:x8} is damaged");
        if (BinaryPrimitives.ReadUInt16LittleEndian(header[8..]) != 1 || header[11] != 0)
            throw new StoreException(StoreErrorKind.Unsupported, $"Pack {packSeq:x8} is of a newer format. Use a newer Strongroom.");
        var epoch = BinaryPrimitives.ReadUInt32LittleEndian(header[16..]);
        if (!ring.HasDataKey(epoch))
            throw StoreException.Corrupt($"The header of pack {packSeq:x8} names epoch {epoch}, of which the key ring has no data key");
        return new(packSeq, content, DeriveKey(ring, epoch, packSeq, header.Slice(24, 16)));
    }

    public static byte[] DeriveKey(KeyRing ring, uint epoch, uint packSeq, ReadOnlySpan<byte> salt)
    {
        Span<byte> keySalt = stackalloc byte[20];
        BinaryPrimitives.WriteUInt32LittleEndian(keySalt, packSeq);
        salt.CopyTo(keySalt[4..]);
        return ring.DeriveDataKey(epoch, keySalt, "strongroom pack v1"u8);
    }

    public static void WriteNonce(Span<byte> nonce, uint ordinal)
    {
        nonce[..8].Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(nonce[8..], ordinal);
    }

    public static void WriteFrameAad(Span<byte> aad, Guid vaultId, uint packSeq, uint ordinal, int rawLengthBytes, ChunkCodec codec)
    {
        vaultId.TryWriteBytes(aad, bigEndian: true, out _);
        BinaryPrimitives.WriteUInt32LittleEndian(aad[16..], packSeq);
        BinaryPrimitives.WriteUInt32LittleEndian(aad[20..], ordinal);
        BinaryPrimitives.WriteInt32LittleEndian(aad[24..], rawLengthBytes);
        aad[28] = (byte)codec;
    }

    public static byte[] SealDirectory(AesGcm aes, Guid vaultId, uint packSeq, IReadOnlyList<PackEntry> entries)
    {
        var plain = new byte[entries.Count * EntryLengthBytes];
        for (var i = 0; i < entries.Count; i++)
            WriteEntry(plain.AsSpan(i * EntryLengthBytes), entries[i]);
        var directory = new byte[plain.Length + TagLengthBytes];
        Span<byte> nonce = stackalloc byte[NonceLengthBytes];
        Span<byte> aad = stackalloc byte[DirectoryAadLengthBytes];
        WriteNonce(nonce, DirectoryOrdinal);
        WriteDirectoryAad(aad, vaultId, packSeq, entries.Count);
        aes.Encrypt(nonce, plain, directory.AsSpan(0, plain.Length), directory.AsSpan(plain.Length), aad);
        return directory;
    }

    public static PackEntry[] OpenDirectory(PackKey key, Guid vaultId, ReadOnlySpan<byte> directory, int count)
    {
        if (directory.Length != (count * EntryLengthBytes) + TagLengthBytes)
            throw StoreException.Corrupt($"The directory of pack {key.PackSeq:x8} has a wrong length");
        var plain = new byte[count * EntryLengthBytes];
        Span<byte> nonce = stackalloc byte[NonceLengthBytes];
        Span<byte> aad = stackalloc byte[DirectoryAadLengthBytes];
        WriteNonce(nonce, DirectoryOrdinal);
        WriteDirectoryAad(aad, vaultId, key.PackSeq, count);
        using var aes = new AesGcm(key.Key, TagLengthBytes);
        try
        {
            aes.Decrypt(nonce, directory[..plain.Length], directory[plain.Length..], plain, aad);
        }
        catch (AuthenticationTagMismatchException)
        {
            throw StoreException.Corrupt($"The directory of pack {key.PackSeq:x8} is damaged");
        }

        var entries = new PackEntry[count];
        for (var i = 0; i < count; i++)
            entries[i] = ReadEntry(plain.AsSpan(i * EntryLengthBytes));
        return entries;
    }

    /// <summary>The trailer without its digest: <paramref name="hash"/> has taken every byte before the trailer, and takes its head here.</summary>
    public static byte[] WriteTrailer(uint directoryOffset, int directoryLength, int count, uint packSeq, uint epoch, XxHash128 hash)
    {
        var trailer = new byte[TrailerLengthBytes];
        BinaryPrimitives.WriteUInt32LittleEndian(trailer, directoryOffset);
        BinaryPrimitives.WriteInt32LittleEndian(trailer.AsSpan(4), directoryLength);
        BinaryPrimitives.WriteInt32LittleEndian(trailer.AsSpan(8), count);
        BinaryPrimitives.WriteUInt32LittleEndian(trailer.AsSpan(12), packSeq);
        BinaryPrimitives.WriteUInt32LittleEndian(trailer.AsSpan(16), epoch);
        hash.Append(trailer.AsSpan(0, DigestOffsetBytes));
        hash.GetHashAndReset(trailer.AsSpan(DigestOffsetBytes, DigestLengthBytes));
        "SRPKEND1"u8.CopyTo(trailer.AsSpan(56));
        return trailer;
    }

    public static PackTrailer ReadTrailer(ReadOnlySpan<byte> trailer, uint packSeq, long packLengthBytes)
    {
        if (trailer.Length == TrailerLengthBytes && trailer[56..].SequenceEqual("SRPKEND1"u8)
            && BinaryPrimitives.ReadUInt32LittleEndian(trailer[12..]) == packSeq
            && trailer[(DigestOffsetBytes + DigestLengthBytes)..56].IndexOfAnyExcept((byte)0) < 0)
        {
            var found = new PackTrailer(
                BinaryPrimitives.ReadUInt32LittleEndian(trailer),
                BinaryPrimitives.ReadInt32LittleEndian(trailer[4..]),
                BinaryPrimitives.ReadInt32LittleEndian(trailer[8..]),
                trailer.Slice(DigestOffsetBytes, DigestLengthBytes).ToArray());
            if (found.Count is > 0 and <= GreatestFrameCount
                && found.DirectoryLengthBytes == (found.Count * EntryLengthBytes) + TagLengthBytes
                && found.DirectoryOffsetBytes + (long)found.DirectoryLengthBytes + TrailerLengthBytes == packLengthBytes)
                return found;
        }

        throw StoreException.Corrupt($"The trailer of pack {packSeq:x8} is damaged or the pack is cut short");
    }

    private static void WriteDirectoryAad(Span<byte> aad, Guid vaultId, uint packSeq, int count)
    {
        vaultId.TryWriteBytes(aad, bigEndian: true, out _);
        BinaryPrimitives.WriteUInt32LittleEndian(aad[16..], packSeq);
        BinaryPrimitives.WriteInt32LittleEndian(aad[20..], count);
    }

    private static void WriteEntry(Span<byte> target, PackEntry entry)
    {
        entry.Id.WriteTo(target);
        BinaryPrimitives.WriteUInt32LittleEndian(target[32..], entry.OffsetBytes);
        WriteUInt24(target[36..], entry.StoredLengthBytes);
        WriteUInt24(target[39..], entry.RawLengthBytes);
        target[42] = (byte)entry.Codec;
        target[43] = 0;
    }

    private static PackEntry ReadEntry(ReadOnlySpan<byte> source) => new(
        new ChunkId(source[..ChunkId.LengthBytes]),
        BinaryPrimitives.ReadUInt32LittleEndian(source[32..]),
        ReadUInt24(source[36..]),
        ReadUInt24(source[39..]),
        (ChunkCodec)source[42]);

    public static void WriteUInt24(Span<byte> target, int value)
    {
        target[0] = (byte)value;
        target[1] = (byte)(value >> 8);
        target[2] = (byte)(value >> 16);
    }

    public static int ReadUInt24(ReadOnlySpan<byte> source) => source[0] | (source[1] << 8) | (source[2] << 16);
}

/// <summary>The end of a pack.</summary>
internal sealed record PackTrailer(uint DirectoryOffsetBytes, int DirectoryLengthBytes, int Count, byte[] Digest)
{
    /// <summary>How many bytes, from the pack's first, the digest covers.</summary>
    public long DigestedLengthBytes => DirectoryOffsetBytes + (long)DirectoryLengthBytes + PackFormat.DigestOffsetBytes;
}
