using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Strongroom.Store.Keys;
using Strongroom.Store.Packs;

namespace Strongroom.Store.Index;

/// <summary>An index segment: Bloom filter and fences in memory (about 10.4 bits a record), records on disk. Thread-safe.</summary>
internal sealed class SegmentReader
{
    /// <summary>More packs than a vault ever has: 4 million are 128 TiB.</summary>
    private const long GreatestPacks = 4 << 20;
    private readonly IBlobBackend backend;
    private readonly byte[] header;
    private readonly byte[] key;
    private readonly BlockedBloom bloom;
    private readonly uint[] fences;

    private SegmentReader(
        IBlobBackend backend, string name, int level, byte[] header, byte[] key, long records, BlockedBloom bloom, uint[] fences, PackRangeSet coverage)
    {
        this.backend = backend;
        this.header = header;
        this.key = key;
        this.bloom = bloom;
        this.fences = fences;
        Name = name;
        Level = level;
        Records = records;
        Coverage = coverage;
    }

    public string Name { get; }

    public int Level { get; }

    public long Records { get; }

    /// <summary>Packs whose directories are in the segment.</summary>
    public PackRangeSet Coverage { get; }

    /// <exception cref="StoreException">Corrupt: delete the segment, it will be rebuilt.</exception>
    public static async Task<SegmentReader> OpenAsync(IBlobBackend backend, KeyRing ring, BlobInfo blob, CancellationToken cancellationToken)
    {
        var header = new byte[SegmentFormat.HeaderLengthBytes];
        var read = await backend.ReadAsync(blob.Name, 0, header, cancellationToken);
        await ring.RequireEpochAsync(SegmentFormat.EpochOf(header), cancellationToken);
        var (level, key) = SegmentFormat.ReadHeader(header.AsSpan(0, read), ring);
        var pages = (blob.LengthBytes - SegmentFormat.HeaderLengthBytes) / SealedPage.LengthBytes;
        if (pages < 1 || (blob.LengthBytes - SegmentFormat.HeaderLengthBytes) % SealedPage.LengthBytes != 0)
            throw StoreException.Corrupt("An index segment is cut short");

        async Task<byte[]> ReadSectionAsync(long firstPage, long lengthBytes)
        {
            var section = new byte[lengthBytes];
            var payload = new byte[SealedPage.PayloadLengthBytes];
            for (var offset = 0L; offset < lengthBytes; offset += payload.Length, firstPage++)
            {
                await ReadPageAsync(backend, blob.Name, header, key, firstPage, payload, cancellationToken);
                payload.AsSpan(0, (int)Math.Min(payload.Length, lengthBytes - offset)).CopyTo(section.AsSpan((int)offset));
            }

            return section;
        }

        var last = await ReadSectionAsync(pages - 1, 20);
        var records = BinaryPrimitives.ReadInt64LittleEndian(last);
        var bloomLength = BinaryPrimitives.ReadUInt32LittleEndian(last.AsSpan(8)) * 64L;
        var fenceCount = BinaryPrimitives.ReadInt32LittleEndian(last.AsSpan(12));
        var coverageCount = BinaryPrimitives.ReadInt32LittleEndian(last.AsSpan(16));
        var at = PagesOf(records, SegmentFormat.RecordsPerPage);
        if (records < 0 || records > pages * SegmentFormat.RecordsPerPage || fenceCount != at || bloomLength == 0
            || bloomLength > pages * SealedPage.PayloadLengthBytes || coverageCount < 0
            || at + PagesOf(bloomLength, SealedPage.PayloadLengthBytes) + PagesOf(fenceCount * 4L, SealedPage.PayloadLengthBytes)
                + PagesOf(coverageCount * 8L, SealedPage.PayloadLengthBytes) + 1 != pages)
            throw StoreException.Corrupt("An index segment is cut short");
        var bits = await ReadSectionAsync(at, bloomLength);
        at += PagesOf(bloomLength, SealedPage.PayloadLengthBytes);
        var fences = Unpack(await ReadSectionAsync(at, fenceCount * 4L), 4, BinaryPrimitives.ReadUInt32LittleEndian);
        at += PagesOf(fenceCount * 4L, SealedPage.PayloadLengthBytes);
        var coverage = Unpack(
            await ReadSectionAsync(at, coverageCount * 8L),
            8,
            source => (BinaryPrimitives.ReadUInt32LittleEndian(source), BinaryPrimitives.ReadUInt32LittleEndian(source[4..])));
        if (!AreSound(coverage))
            throw StoreException.Corrupt("An index segment covers packs that it cannot cover");
        return new(backend, blob.Name, level, header, key, records, new BlockedBloom(bits), fences, PackRangeSet.Of(coverage));
    }

    public async ValueTask<IndexRecord?> FindAsync(ChunkId id, CancellationToken cancellationToken)
    {
        if (!bloom.MayContain(id))
            return null;
        var prefix = (uint)(id.First >> 32);
        var page = LastPageFrom(prefix);
        var payload = ArrayPool<byte>.Shared.Rent(SealedPage.PayloadLengthBytes);
        try
        {
            // Ids that share 32 bits may stand on both sides of a page's edge.
            for (; page >= 0; page--)
            {
                await ReadPageAsync(backend, Name, header, key, page, payload, cancellationToken);
                if (Search(payload, CountOn(page), id) is { } record)
                    return record;
                if (fences[page] != prefix)
                    break;
            }

            return null;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(payload);
        }
    }

    /// <summary>All records in order, one page in memory.</summary>
    public async IAsyncEnumerable<IndexRecord> ReadAllAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var payload = new byte[SealedPage.PayloadLengthBytes];
        for (var page = 0; page < fences.Length; page++)
        {
            await ReadPageAsync(backend, Name, header, key, page, payload, cancellationToken);
            for (var i = 0; i < CountOn(page); i++)
                yield return SegmentFormat.ReadRecord(payload.AsSpan(i * SegmentFormat.RecordLengthBytes));
        }
    }

    private delegate T ReadItem<T>(ReadOnlySpan<byte> source);

    private static T[] Unpack<T>(byte[] section, int itemLengthBytes, ReadItem<T> read)
    {
        var items = new T[section.Length / itemLengthBytes];
        for (var i = 0; i < items.Length; i++)
            items[i] = read(section.AsSpan(i * itemLengthBytes));
        return items;
    }

    /// <summary>True when they ascend without overlap and are not more than <see cref="GreatestPacks"/>.</summary>
    private static bool AreSound((uint First, uint Last)[] ranges)
    {
        var packs = 0L;
        for (var i = 0; i < ranges.Length; i++)
        {
            if (ranges[i].Last < ranges[i].First || (i > 0 && ranges[i].First <= ranges[i - 1].Last))
                return false;
            packs += ranges[i].Last - (long)ranges[i].First + 1;
        }

        return packs <= GreatestPacks;
    }

    private static long PagesOf(long things, int perPage) => (things + perPage - 1) / perPage;

    private static async ValueTask ReadPageAsync(
        IBlobBackend backend, string name, byte[] header, byte[] key, long page, byte[] payload, CancellationToken cancellationToken)
    {
        if (!await SealedPage.TryReadAsync(backend, name, header, key, page, payload, cancellationToken))
            throw StoreException.Corrupt($"Page {page} of an index segment is damaged");
    }

    private static IndexRecord? Search(byte[] payload, int count, ChunkId id)
    {
        var low = 0;
        var high = count - 1;
        while (low <= high)
        {
            var middle = (low + high) / 2;
            var record = SegmentFormat.ReadRecord(payload.AsSpan(middle * SegmentFormat.RecordLengthBytes));
            var order = record.Id.CompareTo(id);
            if (order == 0)
                return record;
            if (order < 0)
                low = middle + 1;
            else
                high = middle - 1;
        }

        return null;
    }

    private int CountOn(int page) => (int)Math.Min(SegmentFormat.RecordsPerPage, Records - ((long)page * SegmentFormat.RecordsPerPage));

    /// <summary>The last page whose first id begins at or before <paramref name="prefix"/>; -1 when there is none.</summary>
    private int LastPageFrom(uint prefix)
    {
        var low = 0;
        var high = fences.Length;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (fences[middle] <= prefix)
                low = middle + 1;
            else
                high = middle;
        }

        return low - 1;
    }
}
