using Strongroom.Backup.FileShares;
using Strongroom.Store;

namespace Strongroom.Workloads.FileShares.Smb;

/// <summary>A share of a file server of kind Smb that is restored into.</summary>
internal sealed class SmbShareTarget(SmbProcess process) : IShareTarget
{
    private readonly SmbTree _tree = new(process);

    /// <inheritdoc/>
    public async Task<TreeRestoreResult> RestoreAsync(
        VaultStore store, TreeRef tree, IReadOnlyList<TreeSelection> selections, TreeRestoreOptions options, IProgress<TreeProgress>? progress, CancellationToken cancellationToken) =>
        await store.RestoreTreeAsync(tree, selections, new SmbTarget(process, _tree), options, progress, cancellationToken);

    public async ValueTask DisposeAsync()
    {
        _tree.Dispose();
        await process.DisposeAsync();
    }
}
