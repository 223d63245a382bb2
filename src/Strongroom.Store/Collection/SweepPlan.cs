using Strongroom.Store.Packs;

namespace Strongroom.Store.Collection;

/// <summary>What becomes of condemned packs (those that it does not name stay), decided from a mark that is complete up to some place in the log.</summary>
internal sealed class SweepPlan
{
    private SweepPlan(List<uint> dead, List<uint> toCopy) => (Dead, ToCopy) = (dead, toCopy);

    /// <summary>Nothing of them is live.</summary>
    public IReadOnlyList<uint> Dead { get; }

    /// <summary>Little of them is live: it is copied, and then they go.</summary>
    public IReadOnlyList<uint> ToCopy { get; }

    /// <param name="condemned">The packs in question.</param>
    /// <param name="live">The mark.</param>
    /// <param name="mayCopy">Whether a pack, some of which is live, may be compacted.</param>
    public static SweepPlan Decide(IEnumerable<uint> condemned, LiveMap live, Func<uint, bool> mayCopy)
    {
        List<uint> dead = [], toCopy = [];
        foreach (var pack in condemned)
        {
            if (live.LiveIn(pack).Chunks == 0)
                dead.Add(pack);
            else if (mayCopy(pack))
                toCopy.Add(pack);
        }

        return new(dead, toCopy);
    }

    public static SweepPlan Of(IEnumerable<uint> dead, IEnumerable<uint> toCopy) => new([.. dead], [.. toCopy]);

    /// <summary>The plan after more was marked, when copies have been made already: what has live chunks without a copy stays.</summary>
    public SweepPlan Reconcile(LiveMap live, Func<uint, ushort, bool> isCopied) => new(
        [.. Dead.Where(pack => live.LiveIn(pack).Chunks == 0)],
        [.. ToCopy.Where(pack => live.LiveOrdinals(pack).All(ordinal => isCopied(pack, ordinal)))]);

    public PackRangeSet DeadRanges => PackRangeSet.OfPacks(Dead);

    public PackRangeSet RelocatedRanges => PackRangeSet.OfPacks(ToCopy);
}
