using Strongroom.Store.Retention;

namespace Strongroom.Store;

public sealed partial class VaultStore
{
    internal RetentionKeeper Retention { get; }

    /// <summary>
    /// Has the storage itself retain what locked snapshots need, where the vault's policy is locked and the storage can
    /// (<see cref="IRetainingBackend"/>). A step of maintenance, to be run after backups and at least once a day; cheap when there is nothing new.
    /// </summary>
    /// <param name="options">How far ahead, and how coarsely.</param>
    /// <param name="cancellationToken">What was retained until then stays so.</param>
    /// <returns>What was done; <see cref="RetentionReport.State"/> says when nothing is retained.</returns>
    /// <exception cref="StoreException">Refused: the clock is not trusted, and retention cannot be taken back. Io, AccessDenied.</exception>
    public Task<RetentionReport> ExtendRetentionAsync(RetentionOptions options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        return Retention.ExtendAsync(options, cancellationToken);
    }
}
