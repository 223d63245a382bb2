using Strongroom.Store.Scrub;

namespace Strongroom.Store;

public sealed partial class VaultStore
{
    /// <summary>Reads packs, those first that were verified longest ago, and keeps a ledger of it in the vault, so that the next scrub, by whichever process, goes on there.</summary>
    /// <param name="options">How much, how fast, how thoroughly.</param>
    /// <param name="progress">Called after each pack.</param>
    /// <param name="cancellationToken">Ends the scrub; what was verified is in the ledger.</param>
    /// <remarks>What is damaged or missing is put in quarantine: backups store anew what it held. Found whole again, it is released.</remarks>
    /// <exception cref="StoreException">Io, Full: the storage failed. Damage is reported, not thrown.</exception>
    public Task<ScrubReport> ScrubAsync(ScrubOptions options, IProgress<ScrubProgress>? progress, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        return new Scrubber(this, options, progress).RunAsync(cancellationToken);
    }
}
