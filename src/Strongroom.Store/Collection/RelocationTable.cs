using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Strongroom.Store.Keys;
using Strongroom.Store.Manifests;
using Strongroom.Store.Packs;

namespace Strongroom.Store.Collection;

/// <summary>One line of a relocation table: a chunk that lay in <paramref name="From"/> lies at the other place now.</summary>
internal readonly record struct Relocation(
    uint From, ushort FromOrdinal, uint To, ushort ToOrdinal, uint OffsetBytes, int StoredLengthBytes, ChunkCodec Codec)
{
    public Slot ApplyTo(Slot slot) =>
        slot with { PackSeq = To, Ordinal = ToOrdinal, OffsetBytes = OffsetBytes, StoredLengthBytes = StoredLengthBytes, Codec = Codec };
}

/// <summary>A relocation table in the storage (<c>docs/store-format.md</c> section 10): found by one read of a page. Thread-safe.</summary>
internal sealed class RelocationTable
{
    private readonly IBlobBackend backend;
    private readonly string name;
    private readonly byte[] header;
    private readonly byte[] key;
    private readonly int pages;
    private readonly (uint From, ushort Ordinal)[] fences;
    private readonly Blobs.RecentlyUsed<int, byte[]> cache = new(64);

    private RelocationTable(IBlobBackend backend, string name, byte[] header, byte[] key, int records)
    {
        this.backend = backend;
        this.name = name;
        this.header = header;
        this.key = key;
        Records = records;
        pages = RelocationFormat.PagesOf(records, RelocationFormat.RecordsPerPage);
        fences = new (uint, ushort)[pages];
    }

    public int Records { get; }

    /// <exception cref="StoreException">NotFound, Corrupt, Unsupported, Io.</exception>
    public static async Task<RelocationTable> OpenAsync(IBlobBackend backend, KeyRing ring, RelocationTableId id, CancellationToken cancellationToken)
    {
        var header = new byte[RelocationFormat.HeaderLengthBytes];
        var read = await backend.ReadAsync(id.Name, 0, header, cancellationToken);
        await ring.RequireEpochAsync(RelocationFormat.EpochOf(header), cancellationToken);
        var (key, records) = RelocationFormat.ReadHeader(header.AsSpan(0, read), ring, id);
        if (await backend.GetLengthAsync(id.Name, cancellationToken) != RelocationFormat.LengthOf(records))
            throw StoreException.Corrupt($"The relocation table {id.Name} is cut short");
        var table = new RelocationTable(backend, id.Name, header, key, records);
        await table.ReadFencesAsync(cancellationToken);
        return table;
    }

    /// <summary>Where the chunk lies now, or null when the table does not have it: nothing live pointed to it.</summary>
    public async ValueTask<Relocation?> FindAsync(uint from, ushort ordinal, CancellationToken cancellationToken)
    {
        var page = Array.BinarySearch(fences, (from, ordinal));
        page = page >= 0 ? page : ~page - 1;
        if (page < 0)
            return null;
        var records = await ReadPageAsync(page, cancellationToken);
        int low = 0, high = Math.Min(RelocationFormat.RecordsPerPage, Records - (page * RelocationFormat.RecordsPerPage)) - 1;
        while (low <= high)
        {
            var middle = (low + high) / 2;
            var record = RelocationFormat.ReadRecord(records.AsSpan(middle * RelocationFormat.RecordLengthBytes));
            var order = (record.From, record.FromOrdinal).CompareTo((from, ordinal));
            if (order == 0)
                return record;
            if (order < 0)
                low = middle + 1;
            else
                high = middle - 1;
        }

        return null;
    }

    /// <summary>Every line, in order.</summary>
    public async IAsyncEnumerable<Relocation> ReadAllAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        for (var page = 0; page < pages; page++)
        {
            var records = await ReadAsync(page, cancellationToken);
            var count = Math.Min(RelocationFormat.RecordsPerPage, Records - (page * RelocationFormat.RecordsPerPage));
            for (var i = 0; i < count; i++)
                yield return RelocationFormat.ReadRecord(records.AsSpan(i * RelocationFormat.RecordLengthBytes));
        }
    }

    /// <summary>Reads every page.</summary>
    public async Task VerifyAsync(CancellationToken cancellationToken)
    {
        for (var page = 0; page < pages; page++)
            await ReadAsync(page, cancellationToken);
    }

    private async ValueTask<byte[]> ReadPageAsync(int page, CancellationToken cancellationToken)
    {
        if (cache.TryGet(page, out var records))
            return records;
        records = await ReadAsync(page, cancellationToken);
        cache.TryAdd(page, records);
        return records;
    }

    private async Task ReadFencesAsync(CancellationToken cancellationToken)
    {
        for (var i = 0; i < fences.Length; i += RelocationFormat.FencesPerPage)
        {
            var page = await ReadAsync(pages + (i / RelocationFormat.FencesPerPage), cancellationToken);
            for (var j = i; j < Math.Min(fences.Length, i + RelocationFormat.FencesPerPage); j++)
            {
                var fence = page.AsSpan((j - i) * RelocationFormat.FenceLengthBytes);
                fences[j] = (BinaryPrimitives.ReadUInt32LittleEndian(fence), BinaryPrimitives.ReadUInt16LittleEndian(fence[4..]));
            }
        }
    }

    private async Task<byte[]> ReadAsync(int page, CancellationToken cancellationToken)
    {
        var payload = new byte[SealedPage.PayloadLengthBytes];
        return await SealedPage.TryReadAsync(backend, name, header, key, page, payload, cancellationToken)
            ? payload
            : throw StoreException.Corrupt($"Page {page} of the relocation table {name} is damaged");
    }
}
