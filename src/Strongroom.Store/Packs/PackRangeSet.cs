namespace Strongroom.Store.Packs;

/// <summary>A set of pack numbers, kept as sorted ranges. Changed by one thread at a time; read by any at any time.</summary>
/// <remarks>Memory: 8 bytes a range. Numbers are given out in order and die in runs, so ranges are few.</remarks>
internal sealed class PackRangeSet
{
    private volatile (uint First, uint Last)[] ranges = [];

    public IReadOnlyList<(uint First, uint Last)> Ranges => ranges;

    public bool IsEmpty => ranges.Length == 0;

    /// <summary>How many numbers are in the set.</summary>
    public long Count => ranges.Sum(range => (long)range.Last - range.First + 1);

    /// <summary>The numbers themselves, ascending.</summary>
    public IEnumerable<uint> Numbers
    {
        get
        {
            foreach (var (first, last) in ranges)
            {
                for (var pack = (ulong)first; pack <= last; pack++)
                    yield return (uint)pack;
            }
        }
    }

    public bool Contains(uint packSeq)
    {
        var found = ranges;
        int low = 0, high = found.Length - 1;
        while (low <= high)
        {
            var middle = (low + high) / 2;
            if (packSeq < found[middle].First)
                high = middle - 1;
            else if (packSeq > found[middle].Last)
                low = middle + 1;
            else
                return true;
        }

        return false;
    }

    public void UnionWith(IEnumerable<(uint First, uint Last)> others)
    {
        var merged = new List<(uint First, uint Last)>();
        foreach (var range in ranges.Concat(others).OrderBy(range => range.First))
        {
            if (merged.Count > 0 && range.First <= (ulong)merged[^1].Last + 1)
                merged[^1] = (merged[^1].First, Math.Max(merged[^1].Last, range.Last));
            else
                merged.Add(range);
        }

        ranges = [.. merged];
    }

    /// <summary>The numbers that are not in <paramref name="others"/>.</summary>
    public PackRangeSet Except(PackRangeSet others)
    {
        var left = new List<(uint First, uint Last)>();
        foreach (var (first, last) in ranges)
        {
            var next = (ulong)first;
            foreach (var taken in others.ranges.Where(taken => taken.First <= last && taken.Last >= first))
            {
                if (taken.First > next)
                    left.Add(((uint)next, taken.First - 1));
                next = Math.Max(next, (ulong)taken.Last + 1);
            }

            if (next <= last)
                left.Add(((uint)next, last));
        }

        return Of(left);
    }

    public static PackRangeSet Of(IEnumerable<(uint First, uint Last)> ranges)
    {
        var set = new PackRangeSet();
        set.UnionWith(ranges);
        return set;
    }

    public static PackRangeSet OfPacks(IEnumerable<uint> packs) => Of(packs.Select(pack => (pack, pack)));
}
