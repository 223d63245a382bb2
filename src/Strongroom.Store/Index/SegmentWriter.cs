using System.Buffers.Binary;
using System.Security.Cryptography;
using Strongroom.Store.Keys;
using Strongroom.Store.Packs;

namespace Strongroom.Store.Index;

/// <summary>Writes an index segment from records in the order of their ids. Not for concurrent use.</summary>
internal sealed class SegmentWriter : IAsyncDisposable
{
    private const int PagesPerWrite = 16;
    private readonly IBlobWriter blob;
    private readonly byte[] header;
    private readonly AesGcm aes;
    private readonly BlockedBloom bloom;
    private readonly List<uint> fences = [];
    private readonly byte[] payload = new byte[SealedPage.PayloadLengthBytes];
    private readonly byte[] buffer = new byte[PagesPerWrite * SealedPage.LengthBytes];
    private int filled;
    private int buffered;
    private uint page;
    private long records;

    private SegmentWriter(IBlobWriter blob, string name, byte[] header, byte[] key, long expectedRecords)
    {
        this.blob = blob;
        this.header = header;
        Name = name;
        aes = new AesGcm(key, PackFormat.TagLengthBytes);
        bloom = new(expectedRecords);
    }

    public string Name { get; }

    /// <param name="backend">Where to.</param>
    /// <param name="ring">The vault's keys.</param>
    /// <param name="level">0, or one more than that of what is merged.</param>
    /// <param name="firstPack">The least number covered.</param>
    /// <param name="lastPack">The greatest number covered.</param>
    /// <param name="expectedRecords">At least as many as will come; sizes the Bloom filter.</param>
    /// <param name="cancellationToken">Leaves nothing visible.</param>
    public static async Task<SegmentWriter> CreateAsync(
        IBlobBackend backend, KeyRing ring, int level, uint firstPack, uint lastPack, long expectedRecords, CancellationToken cancellationToken)
    {
        var salt = RandomNumberGenerator.GetBytes(16);
        var name = SegmentFormat.NameOf(level, firstPack, lastPack, RandomNumberGenerator.GetBytes(8));
        var epoch = ring.CurrentEpoch;
        var header = SegmentFormat.WriteHeader(level, epoch, salt, ring.VaultId);
        var blob = await backend.CreateAsync(name, cancellationToken);
        await blob.AppendAsync(header, cancellationToken);
        return new(blob, name, header, SegmentFormat.DeriveKey(ring, epoch, salt), expectedRecords);
    }

    public async ValueTask AddAsync(IndexRecord record, CancellationToken cancellationToken)
    {
        if (filled == SegmentFormat.RecordsPerPage * SegmentFormat.RecordLengthBytes)
            await EndPageAsync(cancellationToken);
        if (filled == 0)
            fences.Add((uint)(record.Id.First >> 32));
        SegmentFormat.WriteRecord(payload.AsSpan(filled), record);
        filled += SegmentFormat.RecordLengthBytes;
        bloom.Add(record.Id);
        records++;
    }

    /// <summary>Writes the sections after the records and makes the segment visible.</summary>
    public async Task CompleteAsync(PackRangeSet coverage, CancellationToken cancellationToken)
    {
        if (filled > 0)
            await EndPageAsync(cancellationToken);
        await AddSectionAsync(bloom.Bits, cancellationToken);
        await AddSectionAsync(Pack(fences.Count, 4, (target, i) => BinaryPrimitives.WriteUInt32LittleEndian(target, fences[i])), cancellationToken);
        await AddSectionAsync(
            Pack(coverage.Ranges.Count, 8, (target, i) =>
            {
                BinaryPrimitives.WriteUInt32LittleEndian(target, coverage.Ranges[i].First);
                BinaryPrimitives.WriteUInt32LittleEndian(target[4..], coverage.Ranges[i].Last);
            }),
            cancellationToken);
        var last = new byte[20];
        BinaryPrimitives.WriteInt64LittleEndian(last, records);
        BinaryPrimitives.WriteUInt32LittleEndian(last.AsSpan(8), bloom.Blocks);
        BinaryPrimitives.WriteInt32LittleEndian(last.AsSpan(12), fences.Count);
        BinaryPrimitives.WriteInt32LittleEndian(last.AsSpan(16), coverage.Ranges.Count);
        await AddSectionAsync(last, cancellationToken);
        await FlushAsync(cancellationToken);
        if (!await blob.CommitAsync(cancellationToken))
            throw new StoreException(StoreErrorKind.Conflict, "An index segment of this random name exists.");
    }

    public async ValueTask DisposeAsync()
    {
        aes.Dispose();
        await blob.DisposeAsync();
    }

    private delegate void WriteItem(Span<byte> target, int index);

    private static byte[] Pack(int count, int itemLengthBytes, WriteItem write)
    {
        var bytes = new byte[count * itemLengthBytes];
        for (var i = 0; i < count; i++)
            write(bytes.AsSpan(i * itemLengthBytes), i);
        return bytes;
    }

    private async ValueTask AddSectionAsync(byte[] section, CancellationToken cancellationToken)
    {
        for (var offset = 0; offset < section.Length; offset += SealedPage.PayloadLengthBytes)
        {
            var piece = section.AsMemory(offset, Math.Min(SealedPage.PayloadLengthBytes, section.Length - offset));
            piece.CopyTo(payload);
            filled = piece.Length;
            await EndPageAsync(cancellationToken);
        }
    }

    private async ValueTask EndPageAsync(CancellationToken cancellationToken)
    {
        payload.AsSpan(filled).Clear();
        SealedPage.Seal(aes, header, page++, payload, buffer.AsSpan(buffered));
        filled = 0;
        buffered += SealedPage.LengthBytes;
        if (buffered == buffer.Length)
            await FlushAsync(cancellationToken);
    }

    private async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        await blob.AppendAsync(buffer.AsMemory(0, buffered), cancellationToken);
        buffered = 0;
    }
}
