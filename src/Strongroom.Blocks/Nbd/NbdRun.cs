namespace Strongroom.Blocks.Nbd;

/// <summary>A run of an export of which all contexts say one thing.</summary>
/// <param name="IsClean">The dirty bitmap has no writes there.</param>
/// <param name="IsZero">It reads as zeros.</param>
internal readonly record struct NbdRun(long OffsetBytes, long LengthBytes, bool IsClean, bool IsZero)
{
    public BlockExtent AsZeroOrData => new(OffsetBytes, LengthBytes, IsZero ? BlockKind.Zero : BlockKind.Data);

    public BlockExtent AsUnchangedOrData => IsClean ? new(OffsetBytes, LengthBytes, BlockKind.Unchanged) : AsZeroOrData;
}

/// <summary>Makes extents of runs, distrusting the bitmap of a disk that may have been cut off and grown again.</summary>
/// <remarks>
/// A cut leaves no mark in a bitmap: what was beyond reads as zeros, and is clean. But then no clean data can follow: all data there have been written since. So
/// clean zeros are called unchanged only if clean data come after them. In the middle of a disk they are, since a map with many borders costs the reader much.
/// </remarks>
internal static class NbdRuns
{
    /// <summary>How many runs are kept until it is known what follows. If that is too few, zeros are called zeros, which they are.</summary>
    private const int MostWaiting = 64 * 1024;

    public static async IAsyncEnumerable<BlockExtent> ToExtentsAsync(this IAsyncEnumerable<NbdRun> runs)
    {
        var waiting = new List<NbdRun>();
        await foreach (var run in runs.ConfigureAwait(false))
        {
            if (run is { IsClean: true, IsZero: false })
            {
                foreach (var earlier in waiting)
                    yield return earlier.AsUnchangedOrData;
                waiting.Clear();
                yield return run.AsUnchangedOrData;
                continue;
            }

            if (waiting.Count == 0 && !run.IsClean)
            {
                yield return run.AsZeroOrData;
                continue;
            }

            waiting.Add(run);
            if (waiting.Count < MostWaiting)
                continue;
            foreach (var earlier in waiting)
                yield return earlier.AsZeroOrData;
            waiting.Clear();
        }

        foreach (var earlier in waiting)
            yield return earlier.AsZeroOrData;
    }
}
