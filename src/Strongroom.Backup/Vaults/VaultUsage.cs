using Microsoft.Extensions.Logging;
using Strongroom.Backup.Containers;
using Strongroom.Backup.Items;
using Strongroom.Backup.Jobs;
using Strongroom.Store;

namespace Strongroom.Backup.Vaults;

/// <summary>How much a vault is used.</summary>
/// <param name="Items">Items that are protected, or whose protection is stopped.</param>
/// <param name="SoftDeletedItems">Items whose data goes when their days are over.</param>
/// <param name="FailingItems">Items whose last backup failed; part of <paramref name="Items"/>.</param>
/// <param name="RunningJobs">Jobs of the last day that are not over.</param>
/// <param name="FailedJobs">Jobs of the last day that failed.</param>
/// <param name="BytesStored">What the store takes: deduplicated, compressed, encrypted; null where it does not answer.</param>
public sealed record VaultUsage(int Items, int SoftDeletedItems, int FailingItems, int RunningJobs, int FailedJobs, long? BytesStored)
{
    /// <summary>How many of <see cref="Items"/> are file shares.</summary>
    public int Shares { get; init; }

    /// <summary>How many of <see cref="FailingItems"/> are.</summary>
    public int FailingShares { get; init; }

    /// <summary>How many of <see cref="SoftDeletedItems"/> are.</summary>
    public int SoftDeletedShares { get; init; }

    /// <summary>Storage accounts that are registered.</summary>
    public int Accounts { get; init; }
}

/// <summary>Counts how much vaults are used.</summary>
public sealed class VaultUsages(IItemRepository items, IContainerRepository containers, IJobLedger ledger, IVaultStores stores, TimeProvider time, ILogger<VaultUsages> log)
{
    public async Task<VaultUsage> CountAsync(Guid vaultKey, CancellationToken cancellationToken)
    {
        var all = await items.ListAsync(vaultKey, cancellationToken);
        var live = all.Where(i => !i.IsDeleted).ToList();
        var recent = await ledger.ListAsync(vaultKey, new() { From = time.GetUtcNow().AddDays(-1) }, null, int.MaxValue, cancellationToken);
        return new(
            live.Count, all.Count - live.Count, live.Count(i => i.IsFailing),
            recent.Count(j => j.IsLive), recent.Count(j => j.State == JobStates.Failed), await BytesAsync(vaultKey, cancellationToken))
        {
            Shares = live.Count(i => i.Kind == ItemKind.FileShare),
            FailingShares = live.Count(i => i.Kind == ItemKind.FileShare && i.IsFailing),
            SoftDeletedShares = all.Count(i => i.Kind == ItemKind.FileShare && i.IsDeleted),
            Accounts = (await containers.ListAsync(vaultKey, cancellationToken)).Count,
        };
    }

    private async Task<long?> BytesAsync(Guid vaultKey, CancellationToken cancellationToken)
    {
        try { return (await stores.FindAsync(vaultKey, cancellationToken))?.Statistics.BytesStored ?? 0; }
        catch (Exception e) when (e is StoreException or IOException or UnauthorizedAccessException)
        {
            log.LogWarning(e, "The store of vault {VaultKey} cannot be asked how large it is", vaultKey);
            return null;
        }
    }
}
