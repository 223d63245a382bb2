using Strongroom.Arm;
using Strongroom.Backup.Items;
using Strongroom.Backup.Jobs;
using Strongroom.Backup.Machines;
using Strongroom.Backup.RecoveryPoints;
using Strongroom.Backup.StorageAccounts;
using Strongroom.Backup.Vaults;
using Strongroom.Store;

namespace Strongroom.Backup.Pipelines.Restores;

/// <summary>
/// Restores a recovery point: its disks into a storage account or onto a host, as a new machine, which may run from the vault at once, or in the place of the machine's own disks.
/// </summary>
/// <remarks>Every kind can be repeated: a run that was cut off is undone and begun anew, and one that was committed is not done twice.</remarks>
public sealed class RestoreHandler(
    IItemRepository items, IRecoveryPointRepository points, IVaultStores stores, StorageAccountFolders accounts, IResourceStore resources,
    IMachineFabric fabric, IMachineRestorer restorer, IDiskRestorer disks, InstantBoots boots, TimeProvider time) : IJobHandler
{
    public string Operation => JobOperations.Restore;

    public ItemKind? Kind => ItemKind.VirtualMachine;

    public async Task<JobEnd> RunAsync(JobRun run, CancellationToken cancellationToken)
    {
        var request = RestoreRequest.FromJson(run.Job.Request);
        // A job that serves a machine is also run to give it up.
        var looking = run.Job.IsCancelRequested ? CancellationToken.None : cancellationToken;
        var item = await items.FindAsync(run.Job.ItemKey, looking);
        var point = item is null ? null : await points.FindAsync(item.Key, request.RecoveryPoint, looking);
        if (item is null || point is null) throw new RestoreException(JobErrors.RestoreFailed("The recovery point does not exist any more."));
        if (request.RecoveryType == RecoveryTypes.InstantBoot) return await boots.RunAsync(run, request, item, point, cancellationToken);
        if (!ResourceId.TryParse(request.StorageAccountId, out var account) || await resources.GetAsync(account, cancellationToken) is null)
            throw new RestoreException(JobErrors.StorageAccountMissing(request.StorageAccount));
        var store = await stores.OpenAsync(item.VaultKey, cancellationToken);
        _ = store.Require(new(point.SnapshotId));

        var transfer = new DiskTransfer(run, store, [.. point.Disks.Where(d => request.Luns is not { } luns || luns.Contains(d.Lun))]);
        var targets = new RestoreTargets(resources);
        return request.RecoveryType == RecoveryTypes.RestoreDisks
            ? await new RestoreOfDisks(run, request, item, point, transfer, accounts, disks, targets, time).RunAsync(account, cancellationToken)
            : await new RestoreOfMachine(run, request, item, point, transfer, fabric, restorer, targets, time).RunAsync(cancellationToken);
    }

    public JobError? Explain(Exception exception) => exception switch
    {
        RestoreException e => e.Error,
        MachineException e => JobErrors.MachineOfRestore(e),
        BackupRefusedException => JobErrors.RestoreFailed(exception.Message),
        StoreException e when JobErrors.OfStore(e) is { } error => error,
        StoreException or IOException or UnauthorizedAccessException => JobErrors.RestoreFailed(exception.Message),
        _ => null,
    };
}

/// <summary>A restore that cannot be; the error is for its owner.</summary>
internal sealed class RestoreException(JobError error) : Exception(error.Message)
{
    public JobError Error { get; } = error;
}
