namespace Strongroom.Store.Index;

/// <summary>Sets of pack numbers as ranges with both ends included.</summary>
internal static class PackRanges
{
    private const long GreatestPacks = 4 << 20;

    public static List<(uint First, uint Last)> Of(IEnumerable<uint> packs)
    {
        var ranges = new List<(uint First, uint Last)>();
        foreach (var pack in packs.Order())
        {
            if (ranges.Count > 0 && pack - ranges[^1].Last <= 1)
                ranges[^1] = (ranges[^1].First, pack);
            else
                ranges.Add((pack, pack));
        }

        return ranges;
    }

    /// <summary>True when they ascend without overlap and are not more packs than a vault ever has: 4 million are 128 TiB.</summary>
    public static bool AreSound(IReadOnlyList<(uint First, uint Last)> ranges)
    {
        var packs = 0L;
        for (var i = 0; i < ranges.Count; i++)
        {
            if (ranges[i].Last < ranges[i].First || (i > 0 && ranges[i].First <= ranges[i - 1].Last))
                return false;
            packs += ranges[i].Last - (long)ranges[i].First + 1;
        }

        return packs <= GreatestPacks;
    }

    public static IEnumerable<uint> Expand(IEnumerable<(uint First, uint Last)> ranges)
    {
        foreach (var (first, last) in ranges)
        {
            for (var pack = (ulong)first; pack <= last; pack++)
                yield return (uint)pack;
        }
    }
}
