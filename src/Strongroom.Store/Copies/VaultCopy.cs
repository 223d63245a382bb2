namespace Strongroom.Store.Copies;

/// <summary>Copies a vault to another back end, without its key; the same key opens the copy.</summary>
public static class VaultCopy
{
    /// <summary>Brings the copy up to where the source is now. Only what is missing is copied; repeated after any failure it goes on.</summary>
    /// <remarks>
    /// At every moment the target is no vault yet, or one that opens: packs come first, the log in order after them. Backups of the source go on
    /// meanwhile. Whoever writes to the copy makes another branch of it, to which nothing is copied any more.
    /// </remarks>
    /// <param name="from">The source; only read.</param>
    /// <param name="to">The target.</param>
    /// <param name="options">How.</param>
    /// <param name="progress">Called after each pack, concurrently.</param>
    /// <param name="cancellationToken">What was copied stays.</param>
    /// <exception cref="StoreException">NotFound: the source is no vault. AlreadyExists: the target is another vault. Conflict: the target was written to by
    /// itself, or the source is collected again and again. Io, Full.</exception>
    public static Task<CopyReport> RunAsync(
        IBlobBackend from, IBlobBackend to, CopyOptions options, IProgress<CopyProgress>? progress, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(from);
        ArgumentNullException.ThrowIfNull(to);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        return new CopyRun(from, to, options, progress).RunAsync(cancellationToken);
    }
}
