using Strongroom.Backup.Items;
using Strongroom.Backup.RecoveryPoints;
using Strongroom.Backup.Vaults;
using Strongroom.Blocks;
using Strongroom.Store;

namespace Strongroom.Backup.FileRecovery.Browsing;

/// <summary>Opens the files of a recovery point.</summary>
public sealed class FileBrowsing(PointListing listing, IRecoveryPointRepository points, IVaultStores stores, IFileReader reader)
{
    /// <exception cref="BackupRefusedException">There is no such point, or its disks are on their way to the vault.</exception>
    /// <exception cref="FileBrowsingException">It cannot be looked into.</exception>
    public async Task<IFileTree> OpenAsync(Vault vault, ProtectedItem item, string pointName, CancellationToken cancellationToken)
    {
        var listed = await listing.FindAsync(item, pointName, cancellationToken);
        var point = listed is null ? null : await points.FindAsync(item.Key, listed.Name, cancellationToken);
        if (point is not null) return await reader.OpenAsync($"{vault.Key:N}-{point.SnapshotId:N}", token => OpenDisksAsync(vault.Key, point, token), cancellationToken);
        throw listed is null
            ? new BackupRefusedException(BackupRefusal.RecoveryPointNotFound, $"Recovery point '{pointName}' of '{item.FriendlyName}' does not exist.")
            : new BackupRefusedException(BackupRefusal.ItemBusy,
                $"Recovery point '{pointName}' of '{item.FriendlyName}' is being transferred to the vault. Its files can be read when its backup job has completed.", item.FriendlyName);
    }

    private async Task<IReadOnlyList<IBlockDevice>> OpenDisksAsync(Guid vaultKey, RecoveryPoint point, CancellationToken cancellationToken)
    {
        var opened = new List<ReadOnlyDevice>();
        try
        {
            var store = await stores.OpenAsync(vaultKey, cancellationToken);
            foreach (var disk in point.Disks)
            {
                if (!ImageRef.TryParse(disk.Image, out var image)) throw new FileBrowsingException(FileBrowsingFault.Damaged, $"The reference to disk '{disk.Name}' in the database is damaged.");
                opened.Add(new(new ImageBlockSource(await store.OpenImageAsync(image, cancellationToken))));
            }

            return opened;
        }
        catch
        {
            foreach (var device in opened) await device.DisposeAsync();
            throw;
        }
    }
}
