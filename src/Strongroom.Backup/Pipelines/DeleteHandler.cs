using Microsoft.Extensions.Logging;
using Strongroom.Backup.FileRecovery;
using Strongroom.Backup.FileShares;
using Strongroom.Backup.Items;
using Strongroom.Backup.Jobs;
using Strongroom.Backup.Machines;
using Strongroom.Backup.RecoveryPoints;
using Strongroom.Backup.Vaults;
using Strongroom.Store;

namespace Strongroom.Backup.Pipelines;

/// <summary>Deletes all recovery points of an item, then the item.</summary>
/// <remarks>
/// 1. The points leave the list, if no lock is on any of them. 2. The store forgets their snapshots. 3. The item goes, in one transaction with the job's end.
/// In this order no point is ever listed that cannot be restored; a run that is cut off is repeated, and deleting what is gone does nothing.
/// </remarks>
public sealed class DeleteHandler(
    IItemRepository items, IRecoveryPointRepository points, IVaultStores stores, IJobLedger ledger, FileRecoveryMounts mounts, IMachineFabric fabric, IFileShareFabric shares, TimeProvider time, ILogger<DeleteHandler> log) : IJobHandler
{
    /// <summary>A member of the request: the item is purged because it was deleted softly, and only if it still is.</summary>
    public const string IsPurge = "isPurge";

    public string Operation => JobOperations.DeleteBackupData;

    public async Task<JobEnd> RunAsync(JobRun run, CancellationToken cancellationToken)
    {
        var item = await items.FindAsync(run.Job.ItemKey, cancellationToken);
        if (item is { IsDeleted: false } && (bool?)run.Job.Request[IsPurge] == true)
            return new(run.Job with { State = JobStates.Cancelled, EndedAt = time.GetUtcNow() }, JobOutcome.None);
        if (item is not null)
        {
            var store = await stores.OpenAsync(item.VaultKey, cancellationToken);
            var itemId = item.Key.ToString("N");
            var newestFirst = await points.ListAsync(item.Key, cancellationToken);
            var listed = newestFirst.Select(p => new SnapshotId(p.SnapshotId));
            // Also those of an earlier run that was cut off after step 1, and those that were committed but never listed, because a backup was cut off and then failed.
            var all = store.Snapshots.Where(s => s.ItemId == itemId).Select(s => s.Id).Union(listed).ToList();
            // Asked before anything leaves the list: what the vault keeps stays listed.
            foreach (var id in all) store.Governance.RequireDeletable(id);
            if (!await ledger.TryUnlistAsync(run.Claim, cancellationToken)) throw new ClaimLostException();
            // Not before: a mount that is begun meanwhile looks last whether its point is listed still.
            await mounts.EndItemAsync(item.Key);
            await ledger.RequestCancelBesideAsync(item.Key, cancellationToken);
            foreach (var id in all) await store.DeleteSnapshotAsync(id, cancellationToken);
            if (item.Account is { } account) await EndOnServerAsync(account, item, cancellationToken);
            if (newestFirst is [{ MachineOrNone: { } machine }, ..]) await ForgetAsync(machine, item.Key, cancellationToken);
            if (all.Count > 0) await CollectAsync(store, item.VaultKey, cancellationToken);
        }

        var job = run.Job with { State = JobStates.Completed, EndedAt = time.GetUtcNow() };
        return new(job, new JobOutcome { RemoveItem = true });
    }

    /// <summary>A host that keeps track of changes for the item need not do so any longer. One that cannot be told goes on, at the cost of a few megabytes.</summary>
    private async Task ForgetAsync(VirtualMachine machine, Guid itemKey, CancellationToken cancellationToken)
    {
        try { await fabric.ForgetAsync(machine, itemKey, cancellationToken); }
        catch (MachineException e)
        {
            log.LogWarning(e, "The host of '{Machine}' could not be told that it is not backed up any more", machine.Name);
        }
    }

    /// <summary>A backup that died may have left a snapshot on the share's server.</summary>
    private async Task EndOnServerAsync(ShareAccountId id, ProtectedItem item, CancellationToken cancellationToken)
    {
        try
        {
            if (await shares.FindAccountAsync(id.SubscriptionId, id.ResourceGroup, id.Name, cancellationToken) is { } account)
                await shares.EndBackupAsync(new(account, item.FriendlyName), item.Key, cancellationToken);
        }
        catch (ShareException e)
        {
            log.LogWarning(e, "What a backup left on the server of '{Share}' could not be removed", item.FriendlyName);
        }
    }

    /// <summary>The snapshots are gone; that their room cannot be had now must not keep the item. The next collection tries again.</summary>
    private async Task CollectAsync(VaultStore store, Guid vaultKey, CancellationToken cancellationToken)
    {
        // All that is still listed in the vault: if the store does not know one of them, its log has lost what that one needs, and nothing may go.
        var listed = await points.ListSnapshotIdsAsync(vaultKey, cancellationToken);
        try { await store.CollectAsync([.. listed.Select(id => new SnapshotId(id))], new() { Grace = TimeSpan.Zero }, cancellationToken); }
        catch (StoreException e) when (e.Kind == StoreErrorKind.Corrupt)
        {
            log.LogError(e, "The store of vault {VaultKey} is damaged; the room of deleted recovery points stays taken", vaultKey);
        }
        catch (Exception e) when (e is StoreException or IOException or UnauthorizedAccessException)
        {
            log.LogWarning(e, "The room of deleted recovery points cannot be collected now");
        }
    }

    public JobError? Explain(Exception exception) => exception switch
    {
        StoreException e when JobErrors.OfStore(e) is { } error => error,
        StoreException or IOException or UnauthorizedAccessException => JobErrors.DeleteFailed(exception.Message),
        _ => null,
    };
}
