namespace Strongroom.Store.Index;

/// <summary>Sets of pack numbers as ranges with both ends included.</summary>
internal static class PackRanges
{
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

    public static IEnumerable<uint> Expand(IEnumerable<(uint First, uint Last)> ranges)
    {
        foreach (var (first, last) in ranges)
        {
            for (var pack = (ulong)first; pack <= last; pack++)
                yield return (uint)pack;
        }
    }
}
