using System.Buffers.Binary;
using Strongroom.Bench.Disks;
using Strongroom.Store;
using Strongroom.Store.Index;
using Strongroom.Store.Keys;
using Strongroom.Store.Packs;

namespace Strongroom.Bench.Indexing;

/// <summary>The index of a vault that does not exist: real segments of made-up ids, each of which can be named again by its number.</summary>
/// <remarks>
/// Within a segment the range of ids is cut into as many pieces as there are records, with one id at a random place of each: sorted without
/// sorting, and as even as the ids of real chunks, which are keyed hashes.
/// </remarks>
internal sealed class SyntheticIndex(long records)
{
    private const int BufferRecords = 64 * 1024;
    private const int MergeWidth = 8;

    // 32 MiB hold about 200 chunks of 256 KiB at the usual ratio of 1.6.
    private const int ChunksPerPack = 200;

    /// <summary>Segments as the merging of eight leaves them behind: level, first record, records; the oldest and greatest first.</summary>
    public IReadOnlyList<(int Level, long First, long Count)> Segments { get; } = Divide(records);

    public long Records => records;

    public long Packs => (records + ChunksPerPack - 1) / ChunksPerPack;

    /// <summary>An id that is in the index, from 0 to <see cref="Records"/>.</summary>
    public ChunkId IdOf(long number)
    {
        var (_, first, count) = Segments.Last(segment => segment.First <= number);
        return IdOf(number, number - first, count);
    }

    /// <summary>An id that is not in the index, but for one chance in 2^128.</summary>
    public static ChunkId Absent(ulong number) => Make(SequenceRandom.At(3, number), number, seed: 4);

    public async Task BuildAsync(IBlobBackend backend, KeyRing ring, CancellationToken cancellationToken)
    {
        foreach (var (level, first, count) in Segments)
        {
            var packs = (First: (uint)(first / ChunksPerPack) + 1, Last: (uint)((first + count - 1) / ChunksPerPack) + 1);
            await using var writer = await SegmentWriter.CreateAsync(backend, ring, level, packs.First, packs.Last, count, cancellationToken);
            for (var i = 0L; i < count; i++)
            {
                // Neighbours by id are strangers by pack.
                var chunk = first + (long)(SequenceRandom.At(1, (ulong)(first + i)) % (ulong)count);
                var record = new IndexRecord(IdOf(first + i, i, count), (uint)(chunk / ChunksPerPack) + 1, (ushort)(chunk % ChunksPerPack));
                await writer.AddAsync(record, cancellationToken);
            }

            await writer.CompleteAsync(PackRangeSet.Of([packs]), cancellationToken);
        }
    }

    private static ChunkId IdOf(long number, long place, long count)
    {
        var width = ulong.MaxValue / (ulong)count;
        return Make(((ulong)place * width) + (SequenceRandom.At(2, (ulong)number) % width), (ulong)number, seed: 5);
    }

    private static ChunkId Make(ulong first, ulong number, ulong seed)
    {
        Span<byte> bytes = stackalloc byte[ChunkId.LengthBytes];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, first);
        for (var word = 1; word < 4; word++)
            BinaryPrimitives.WriteUInt64BigEndian(bytes[(word * 8)..], SequenceRandom.At(seed, (number * 3) + (ulong)word));
        return new(bytes);
    }

    private static List<(int Level, long First, long Count)> Divide(long records)
    {
        var segments = new List<(int, long, long)>();
        var level = 0;
        var size = (long)BufferRecords;
        while (size * MergeWidth <= records)
            (level, size) = (level + 1, size * MergeWidth);
        var first = 0L;
        for (; level >= 0; level--, size /= MergeWidth)
        {
            for (; records - first >= size; first += size)
                segments.Add((level, first, size));
        }

        if (first < records)
            segments.Add((0, first, records - first));
        return segments;
    }
}
