using System.Buffers.Binary;
using System.Globalization;
using Strongroom.Store.Keys;
using Strongroom.Store.Packs;

namespace Strongroom.Store.Index;

/// <summary>One line of the index: in which pack a chunk is, and where in it.</summary>
internal readonly record struct IndexRecord(ChunkId Id, uint PackSeq, ushort Ordinal);

/// <summary>The bytes of an index segment (<c>docs/store-format.md</c> section 7).</summary>
internal static class SegmentFormat
{
    public const string Folder = "idx/";
    public const int HeaderLengthBytes = 64;
    public const int RecordLengthBytes = 44;
    public const int RecordsPerPage = SealedPage.PayloadLengthBytes / RecordLengthBytes;

    public static string NameOf(int level, uint firstPack, uint lastPack, ReadOnlySpan<byte> random) => string.Create(
        CultureInfo.InvariantCulture, $"{Folder}{level}-{firstPack:x8}-{lastPack:x8}-{Convert.ToHexStringLower(random)}");

    public static byte[] WriteHeader(int level, uint epoch, ReadOnlySpan<byte> salt, Guid vaultId)
    {
        var header = new byte[HeaderLengthBytes];
        "SRINDEX1"u8.CopyTo(header);
        BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(8), 1);
        BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(10), (ushort)level);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(12), epoch);
        salt.CopyTo(header.AsSpan(16));
        vaultId.TryWriteBytes(header.AsSpan(32), bigEndian: true, out _);
        return header;
    }

    /// <summary>The epoch that a header names, before anything vouches for it.</summary>
    public static uint EpochOf(ReadOnlySpan<byte> header) => BinaryPrimitives.ReadUInt32LittleEndian(header[12..]);

    /// <summary>Checks a header; its level and the segment's key.</summary>
    public static (int Level, byte[] Key) ReadHeader(ReadOnlySpan<byte> header, KeyRing ring)
    {
        if (header.Length != HeaderLengthBytes || !header.StartsWith("SRINDEX1"u8)
            || BinaryPrimitives.ReadUInt16LittleEndian(header[8..]) != 1
            || new Guid(header.Slice(32, 16), bigEndian: true) != ring.VaultId)
            throw StoreException.Corrupt("The header of an index segment is damaged");
        var key = DeriveKey(ring, BinaryPrimitives.ReadUInt32LittleEndian(header[12..]), header.Slice(16, 16));
        return (BinaryPrimitives.ReadUInt16LittleEndian(header[10..]), key);
    }

    public static byte[] DeriveKey(KeyRing ring, uint epoch, ReadOnlySpan<byte> salt) =>
        ring.DeriveDataKey(epoch, salt, "strongroom index v1"u8);

    public static void WriteRecord(Span<byte> target, IndexRecord record)
    {
        record.Id.WriteTo(target);
        BinaryPrimitives.WriteUInt32LittleEndian(target[32..], record.PackSeq);
        BinaryPrimitives.WriteUInt16LittleEndian(target[36..], record.Ordinal);
        target.Slice(38, 6).Clear();
    }

    public static IndexRecord ReadRecord(ReadOnlySpan<byte> source) => new(
        new ChunkId(source[..ChunkId.LengthBytes]),
        BinaryPrimitives.ReadUInt32LittleEndian(source[32..]),
        BinaryPrimitives.ReadUInt16LittleEndian(source[36..]));
}
