namespace Strongroom.Store;

/// <summary>How a collection goes about its work; nothing here makes it less safe. Immutable.</summary>
public sealed record CollectOptions
{
    /// <summary>
    /// How long packs stay condemned before they are removed, 24 hours by default, at most 30 days. Backups that were under way in other processes
    /// end meanwhile instead of having to run again. 0: removed at once; right where one process has the vault to itself.
    /// </summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromHours(24);

    /// <summary>A pack of which a smaller share than this is needed is compacted; 0 to 1, 0.6 by default, 0 for never.</summary>
    public double CompactBelow { get; init; } = 0.6;

    /// <summary>The greatest share of the vault's bytes that one collection copies; 0 to 1, 0.1 by default.</summary>
    public double GreatestShareToCompact { get; init; } = 0.1;

    /// <summary>Chunks that one collection copies at most; each takes about 40 bytes of memory meanwhile. 4 million are up to 1 TiB.</summary>
    internal int GreatestChunksToCompact { get; init; } = 4 << 20;

    internal void Validate()
    {
        if (Grace < TimeSpan.Zero || Grace > Log.PackNumberState.LongestSilence)
            throw new StoreException(StoreErrorKind.InvalidRequest, "The grace of a collection must be 0 to 30 days.");
        if (CompactBelow is not (>= 0 and <= 1) || GreatestShareToCompact is not (>= 0 and <= 1))
            throw new StoreException(StoreErrorKind.InvalidRequest, "The shares of a collection must be 0 to 1.");
    }
}
