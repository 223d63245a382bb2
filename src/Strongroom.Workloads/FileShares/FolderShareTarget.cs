using Microsoft.Win32.SafeHandles;
using Strongroom.Backup.FileShares;
using Strongroom.Store;

namespace Strongroom.Workloads.FileShares;

/// <summary>A share's folder that is restored into.</summary>
internal sealed class FolderShareTarget(AccountShare share, SafeFileHandle folder) : IShareTarget
{
    /// <inheritdoc/>
    public async Task<TreeRestoreResult> RestoreAsync(
        VaultStore store, TreeRef tree, IReadOnlyList<TreeSelection> selections, TreeRestoreOptions options, IProgress<TreeProgress>? progress, CancellationToken cancellationToken) =>
        await OpenFolder.DoAsync(share, folder, path => store.RestoreTreeAsync(tree, selections, path, options, progress, cancellationToken));

    public ValueTask DisposeAsync()
    {
        folder.Dispose();
        return ValueTask.CompletedTask;
    }
}
