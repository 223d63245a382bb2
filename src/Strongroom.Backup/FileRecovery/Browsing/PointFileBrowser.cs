using Strongroom.Backup.FileShares;
using Strongroom.Backup.Items;
using Strongroom.Backup.Jobs;
using Strongroom.Backup.RecoveryPoints;
using Strongroom.Backup.Vaults;
using Strongroom.Blocks;
using Strongroom.Store;

namespace Strongroom.Backup.FileRecovery.Browsing;

/// <summary>Opens the files of a recovery point, which does not expire while somebody looks at them.</summary>
public sealed class PointFileBrowser(IRecoveryPointRepository points, IJobLedger ledger, IVaultStores stores, PointHolds holds, IFileReader reader)
{
    /// <exception cref="BackupRefusedException">There is no such point, its disks are on their way to the vault, or the vault's store does not have them.</exception>
    /// <exception cref="FileBrowsingException">It cannot be looked into.</exception>
    public async Task<IFileTree> OpenAsync(Vault vault, ProtectedItem item, string pointName, CancellationToken cancellationToken)
    {
        item.RequireNotDeleted();
        var hold = holds.Hold(item, pointName);
        try
        {
            var point = await points.FindRestorableAsync(ledger, item, pointName, cancellationToken);
            if (point.Share is { } share) return new HeldTree(new ShareTree(await stores.OpenAsync(vault.Key, cancellationToken), TreeOf(share)), hold);
            return new HeldTree(await reader.OpenAsync($"{vault.Key:N}-{point.SnapshotId:N}", token => OpenDisksAsync(vault.Key, point, token), cancellationToken), hold);
        }
        catch (Exception e)
        {
            hold.Dispose();
            if (e is StoreException or IOException) throw new BackupRefusedException(BackupRefusal.StorageFailed, $"The files of recovery point '{pointName}' cannot be read: {e.Message}");
            throw;
        }
    }

    private static TreeRef TreeOf(SharePoint share) => TreeRef.TryParse(share.Tree, out var tree) ? tree : throw new StoreException(StoreErrorKind.Corrupt, "The reference to the share's files is malformed.");

    private async Task<IReadOnlyList<IBlockDevice>> OpenDisksAsync(Guid vaultKey, RecoveryPoint point, CancellationToken cancellationToken) =>
        [.. (await stores.OpenAsync(vaultKey, point, cancellationToken)).Select(disk => new ReadOnlyDevice(disk))];

    private sealed class HeldTree(IFileTree tree, IDisposable hold) : IFileTree
    {
        public Task<FileEntry> FindAsync(FilePath path, CancellationToken cancellationToken) => tree.FindAsync(path, cancellationToken);

        public Task<FilePage> ListAsync(FilePath path, long position, int count, CancellationToken cancellationToken) => tree.ListAsync(path, position, count, cancellationToken);

        public Task<int> ReadAsync(FilePath path, long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken) => tree.ReadAsync(path, offsetBytes, buffer, cancellationToken);

        public async ValueTask DisposeAsync()
        {
            await tree.DisposeAsync();
            hold.Dispose();
        }
    }
}
