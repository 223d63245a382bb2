using Strongroom.Backup.RecoveryPoints;
using Strongroom.Backup.Vaults;
using Strongroom.Store;

namespace Strongroom.Backup.FileRecovery;

/// <summary>Opens the disks of a recovery point for random reads.</summary>
internal static class PointDisks
{
    /// <summary>The disks in LUN order; the caller closes them.</summary>
    /// <exception cref="IOException">The vault's store is not there, or a reference in the database is damaged.</exception>
    /// <exception cref="StoreException">The store does not have them.</exception>
    public static async Task<IReadOnlyList<ImageBlockSource>> OpenAsync(this IVaultStores stores, Guid vaultKey, RecoveryPoint point, CancellationToken cancellationToken)
    {
        var store = await stores.FindAsync(vaultKey, cancellationToken) ?? throw new IOException("The vault's store is not there.");
        var disks = new List<ImageBlockSource>();
        try
        {
            foreach (var disk in point.Disks)
            {
                if (!ImageRef.TryParse(disk.Image, out var image)) throw new IOException($"The reference to disk '{disk.Name}' in the database is damaged.");
                disks.Add(new(await store.OpenImageAsync(image, cancellationToken)));
            }

            return disks;
        }
        catch
        {
            foreach (var disk in disks) await disk.DisposeAsync();
            throw;
        }
    }
}
