using System.Buffers.Binary;
using System.Security.Cryptography;
using Strongroom.Store.Keys;
using Strongroom.Store.Packs;

namespace Strongroom.Store.Collection;

/// <summary>The bytes of a relocation table (<c>docs/store-format.md</c> section 10).</summary>
internal static class RelocationFormat
{
    public const int HeaderLengthBytes = 64;
    public const int RecordLengthBytes = 20;
    public const int RecordsPerPage = SealedPage.PayloadLengthBytes / RecordLengthBytes;
    public const int FenceLengthBytes = 6;
    public const int FencesPerPage = SealedPage.PayloadLengthBytes / FenceLengthBytes;

    /// <summary>No table has more: 5 GiB.</summary>
    public const int GreatestRecords = 1 << 28;

    public static int PagesOf(int items, int itemsPerPage) => (items + itemsPerPage - 1) / itemsPerPage;

    public static long LengthOf(int records)
    {
        var pages = PagesOf(records, RecordsPerPage);
        return HeaderLengthBytes + ((pages + (long)PagesOf(pages, FencesPerPage)) * SealedPage.LengthBytes);
    }

    /// <summary>Makes a table durable.</summary>
    /// <param name="backend">Where to.</param>
    /// <param name="ring">The vault's keys.</param>
    /// <param name="id">Its name.</param>
    /// <param name="records">At least one, ordered by pack and ordinal.</param>
    /// <param name="cancellationToken">Leaves nothing visible.</param>
    /// <exception cref="StoreException">Unsupported: more than <see cref="GreatestRecords"/>. Conflict, Full, Io.</exception>
    public static async Task WriteAsync(
        IBlobBackend backend, KeyRing ring, RelocationTableId id, IReadOnlyList<Relocation> records, CancellationToken cancellationToken)
    {
        if (records.Count > GreatestRecords)
            throw new StoreException(StoreErrorKind.Unsupported, $"A relocation table has room for {GreatestRecords} chunks, and {records.Count} were moved.");

        // Taken once: another epoch may begin at any time.
        var epoch = ring.CurrentEpoch;
        var salt = RandomNumberGenerator.GetBytes(16);
        var header = new byte[HeaderLengthBytes];
        "SRRELOC1"u8.CopyTo(header);
        BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(8), 1);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(12), epoch);
        salt.CopyTo(header.AsSpan(16));
        ring.VaultId.TryWriteBytes(header.AsSpan(32), bigEndian: true, out _);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(48), records.Count);
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(52), id.CondemnSequence);
        await using var blob = await backend.CreateAsync(id.Name, cancellationToken);
        await blob.AppendAsync(header, cancellationToken);
        using var aes = new AesGcm(DeriveKey(ring, epoch, salt), PackFormat.TagLengthBytes);
        var pages = PagesOf(records.Count, RecordsPerPage);
        for (var page = 0; page < pages; page++)
        {
            var first = page * RecordsPerPage;
            await WritePageAsync(
                blob, aes, header, page, Math.Min(RecordsPerPage, records.Count - first), RecordLengthBytes,
                (target, i) => WriteRecord(target, records[first + i]), cancellationToken);
        }

        for (var i = 0; i < pages; i += FencesPerPage)
        {
            var first = i;
            await WritePageAsync(
                blob, aes, header, pages + (i / FencesPerPage), Math.Min(FencesPerPage, pages - first), FenceLengthBytes,
                (target, j) =>
                {
                    var record = records[(first + j) * RecordsPerPage];
                    BinaryPrimitives.WriteUInt32LittleEndian(target, record.From);
                    BinaryPrimitives.WriteUInt16LittleEndian(target[4..], record.FromOrdinal);
                },
                cancellationToken);
        }

        await blob.FlushAsync(cancellationToken);
        if (!await blob.CommitAsync(cancellationToken))
            throw new StoreException(StoreErrorKind.Conflict, "A relocation table of this random name exists.");
    }

    /// <summary>The epoch that a header names, before anything vouches for it.</summary>
    public static uint EpochOf(ReadOnlySpan<byte> header) => BinaryPrimitives.ReadUInt32LittleEndian(header[12..]);

    /// <summary>Checks a header; the table's key and its count of records.</summary>
    public static (byte[] Key, int Records) ReadHeader(ReadOnlySpan<byte> header, KeyRing ring, RelocationTableId id)
    {
        if (header.Length != HeaderLengthBytes || !header.StartsWith("SRRELOC1"u8)
            || new Guid(header.Slice(32, 16), bigEndian: true) != ring.VaultId
            || BinaryPrimitives.ReadInt64LittleEndian(header[52..]) != id.CondemnSequence)
            throw StoreException.Corrupt($"The header of the relocation table {id.Name} is damaged");
        if (BinaryPrimitives.ReadUInt16LittleEndian(header[8..]) != 1)
            throw new StoreException(StoreErrorKind.Unsupported, $"The relocation table {id.Name} is of a newer format. Use a newer Strongroom.");
        var records = BinaryPrimitives.ReadInt32LittleEndian(header[48..]);
        if (records is < 1 or > GreatestRecords)
            throw StoreException.Corrupt($"The header of the relocation table {id.Name} is damaged");
        return (DeriveKey(ring, EpochOf(header), header.Slice(16, 16)), records);
    }

    public static Relocation ReadRecord(ReadOnlySpan<byte> source) => new(
        BinaryPrimitives.ReadUInt32LittleEndian(source),
        BinaryPrimitives.ReadUInt16LittleEndian(source[4..]),
        BinaryPrimitives.ReadUInt32LittleEndian(source[8..]),
        BinaryPrimitives.ReadUInt16LittleEndian(source[6..]),
        BinaryPrimitives.ReadUInt32LittleEndian(source[12..]),
        (int)(BinaryPrimitives.ReadUInt32LittleEndian(source[16..]) & 0xFFFFFF),
        (ChunkCodec)source[19]);

    private delegate void WriteItem(Span<byte> target, int index);

    private static async ValueTask WritePageAsync(
        IBlobWriter blob, AesGcm aes, byte[] header, int page, int items, int itemLengthBytes, WriteItem write, CancellationToken cancellationToken)
    {
        var payload = new byte[SealedPage.PayloadLengthBytes];
        for (var i = 0; i < items; i++)
            write(payload.AsSpan(i * itemLengthBytes), i);
        var stored = new byte[SealedPage.LengthBytes];
        SealedPage.Seal(aes, header, (uint)page, payload, stored);
        await blob.AppendAsync(stored, cancellationToken);
    }

    private static void WriteRecord(Span<byte> target, Relocation record)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(target, record.From);
        BinaryPrimitives.WriteUInt16LittleEndian(target[4..], record.FromOrdinal);
        BinaryPrimitives.WriteUInt16LittleEndian(target[6..], record.ToOrdinal);
        BinaryPrimitives.WriteUInt32LittleEndian(target[8..], record.To);
        BinaryPrimitives.WriteUInt32LittleEndian(target[12..], record.OffsetBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(target[16..], (uint)record.StoredLengthBytes | ((uint)record.Codec << 24));
    }

    private static byte[] DeriveKey(KeyRing ring, uint epoch, ReadOnlySpan<byte> salt) =>
        ring.DeriveDataKey(epoch, salt, "strongroom relocation v1"u8);
}
