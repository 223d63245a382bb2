using System.Collections.Concurrent;

namespace Strongroom.Store.Collection;

/// <summary>Which chunks are live: a bit for each (pack, ordinal), and the live bytes of each pack, each chunk counted once. Thread-safe.</summary>
/// <remarks>Memory: 32 bytes for each number in a run of 1,024 that is used, and about 40 bytes + 1 bit a chunk for each pack.</remarks>
internal sealed class LiveMap
{
    private const int RunBits = 10;
    private readonly ConcurrentDictionary<uint, Run> runs = [];

    /// <summary>Marks a chunk; false when it was marked before.</summary>
    public bool Mark(uint packSeq, ushort ordinal, int storedLengthBytes)
    {
        // Snapshots share most of what they hold, so most chunks are marked already. A bit is never taken back: seen without the lock it is set.
        var run = RunOf(packSeq);
        if (run.Packs[packSeq & ((1 << RunBits) - 1)].IsLive(ordinal))
            return false;
        lock (run)
            return run.Packs[packSeq & ((1 << RunBits) - 1)].Mark(ordinal, storedLengthBytes);
    }

    public bool IsLive(uint packSeq, ushort ordinal) =>
        Find(packSeq) is { } run && run.Packs[packSeq & ((1 << RunBits) - 1)].IsLive(ordinal);

    /// <summary>Live chunks of a pack and the bytes that they take.</summary>
    public (int Chunks, long Bytes) LiveIn(uint packSeq)
    {
        if (Find(packSeq) is not { } run)
            return default;
        var pack = run.Packs[packSeq & ((1 << RunBits) - 1)];
        return (pack.Chunks, pack.Bytes);
    }

    public IEnumerable<ushort> LiveOrdinals(uint packSeq)
    {
        if (Find(packSeq)?.Packs[packSeq & ((1 << RunBits) - 1)].Bits is not { } bits)
            yield break;
        for (var ordinal = 0; ordinal < bits.Length * 64; ordinal++)
        {
            if ((bits[ordinal >> 6] & (1UL << (ordinal & 63))) != 0)
                yield return (ushort)ordinal;
        }
    }

    private Run? Find(uint packSeq) => runs.GetValueOrDefault(packSeq >> RunBits);

    private Run RunOf(uint packSeq) => runs.TryGetValue(packSeq >> RunBits, out var run) ? run : runs.GetOrAdd(packSeq >> RunBits, _ => new());

    private sealed class Run
    {
        public PackBits[] Packs { get; } = new PackBits[1 << RunBits];
    }

    private struct PackBits
    {
        public ulong[]? Bits { get; private set; }

        public int Chunks { get; private set; }

        public long Bytes { get; private set; }

        public readonly bool IsLive(ushort ordinal) =>
            Bits is { } bits && ordinal >> 6 < bits.Length && (bits[ordinal >> 6] & (1UL << (ordinal & 63))) != 0;

        public bool Mark(ushort ordinal, int storedLengthBytes)
        {
            var word = ordinal >> 6;
            var bits = Bits ?? [];
            if (word >= bits.Length)
            {
                Array.Resize(ref bits, Math.Max(word + 1, Math.Min(bits.Length * 2, 1024)));
                Bits = bits;
            }

            var bit = 1UL << (ordinal & 63);
            if ((bits[word] & bit) != 0)
                return false;
            bits[word] |= bit;
            Chunks++;
            Bytes += storedLengthBytes;
            return true;
        }
    }
}
