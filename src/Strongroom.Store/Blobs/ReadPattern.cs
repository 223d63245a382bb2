namespace Strongroom.Store;

/// <summary>How much a back end is best asked for at a time, in bytes. Nothing that is read depends on it, only how often and how much.</summary>
/// <param name="LongestRunBytes">The longest run that a restore reads at once; 1 MiB or more. Each worker keeps as much in memory.</param>
/// <param name="WidestGapBytes">Bytes that nobody wants are read along, rather than asking twice, up to so many in a row.</param>
/// <param name="BlockBytes">Nodes of manifests, and short chunks that are restored in order, are read in blocks of this length, which are kept; 0: each on its own.</param>
public sealed record ReadPattern(int LongestRunBytes, int WidestGapBytes, int BlockBytes)
{
    /// <summary>Where asking costs microseconds.</summary>
    public static ReadPattern Disk { get; } = new(1 << 20, 32 << 10, 0);

    /// <summary>Where asking costs milliseconds, or money. A service sends some 256 KiB in the time that it takes to answer.</summary>
    public static ReadPattern Service { get; } = new(4 << 20, 256 << 10, 256 << 10);
}
