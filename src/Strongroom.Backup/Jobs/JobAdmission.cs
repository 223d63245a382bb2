using System.Globalization;
using Strongroom.Backup.FileShares;
using Strongroom.Backup.Items;
using Strongroom.Backup.Operations;
using Strongroom.Backup.Pipelines;
using Strongroom.Backup.Pipelines.Restores;
using Strongroom.Backup.RecoveryPoints;
using Strongroom.Backup.Vaults;

namespace Strongroom.Backup.Jobs;

/// <summary>Admits backups and restores into the ledger, and cancels jobs.</summary>
public sealed class JobAdmission(
    IItemRepository items, IRecoveryPointRepository points, IFileShareFabric fabric, IJobLedger ledger, IOperationRepository operations, JobSignal signal, TimeProvider time)
{
    /// <summary>Starts a backup of an item now.</summary>
    /// <param name="expiresAt">When its recovery point is to go, or null.</param>
    public async Task<AsyncOperation> BackUpAsync(Vault vault, string nativeName, DateTimeOffset? expiresAt, CancellationToken cancellationToken)
    {
        var item = await FindItemAsync(vault, nativeName, cancellationToken);
        if (item.IsDeleted) throw new BackupRefusedException(BackupRefusal.ItemSoftDeleted, $"'{item.FriendlyName}' is soft-deleted. Undelete it and resume its protection first.");
        if (item.ProtectionState is ProtectionStates.Stopped or ProtectionStates.Suspended)
            throw new BackupRefusedException(BackupRefusal.ProtectionStopped, $"Protection of '{item.FriendlyName}' is stopped. Resume it with a policy first.");
        var now = time.GetUtcNow();
        // Both times, since az computes what it sends from its own clock, which may not be the server's.
        if (expiresAt <= now)
            throw new BackupRefusedException(BackupRefusal.InvalidInput, $"recoveryPointExpiryTimeInUTC is in the past: {Text(expiresAt.Value)}, and it is {Text(now)}.");

        var job = BackupJobs.New(item, expiresAt, null, now);
        return await AdmitAsync(item, job, Guid.NewGuid(), BackupRefusal.BackupRunning, cancellationToken);
    }

    /// <summary>Starts a restore of a recovery point.</summary>
    public async Task<AsyncOperation> RestoreAsync(Vault vault, string nativeName, string pointName, RestoreRequest request, CancellationToken cancellationToken)
    {
        var (item, point) = await CheckRestoreAsync(vault, nativeName, pointName, request, cancellationToken);
        var job = RestoreJobs.New(item, point, request, time.GetUtcNow());
        // For restores the service uses one id for the job and its operation.
        return await AdmitAsync(item, job, job.Id, BackupRefusal.ItemBusy, cancellationToken);
    }

    /// <summary>Starts a restore of a share's recovery point.</summary>
    public async Task<AsyncOperation> RestoreShareAsync(Vault vault, string nativeName, string pointName, ShareRestoreRequest request, CancellationToken cancellationToken)
    {
        var (item, point) = await CheckRestoreShareAsync(vault, nativeName, pointName, request, cancellationToken);
        var job = ShareRestoreJobs.New(item, point, request, time.GetUtcNow());
        return await AdmitAsync(item, job, job.Id, BackupRefusal.ItemBusy, cancellationToken);
    }

    /// <summary>What a restore of a share is refused for, without restoring.</summary>
    public async Task<(ProtectedItem Item, RecoveryPoint Point)> CheckRestoreShareAsync(Vault vault, string nativeName, string pointName, ShareRestoreRequest request, CancellationToken cancellationToken)
    {
        var item = await FindItemAsync(vault, nativeName, cancellationToken);
        var point = await points.FindRestorableAsync(ledger, item, pointName, cancellationToken);
        ShareRestoreJobs.Check(vault, item, request);
        // Whether it is there, and the share in it, the job finds out.
        if (ShareAccountId.TryParse(request.TargetAccountId, out var id) && await fabric.FindAccountAsync(id.SubscriptionId, id.ResourceGroup, id.Name, cancellationToken) is { } target)
            ShareRestoreJobs.Check(vault, target);
        return (item, point);
    }

    /// <summary>What a restore is refused for, without restoring.</summary>
    public async Task<(ProtectedItem Item, RecoveryPoint Point)> CheckRestoreAsync(Vault vault, string nativeName, string pointName, RestoreRequest request, CancellationToken cancellationToken)
    {
        var item = await FindItemAsync(vault, nativeName, cancellationToken);
        var point = await points.FindRestorableAsync(ledger, item, pointName, cancellationToken);
        RestoreJobs.Check(vault, item, point, request);
        return (item, point);
    }

    /// <summary>Asks a job to end; what it has done so far is undone or kept as that kind of job does.</summary>
    public async Task<AsyncOperation> CancelAsync(Vault vault, Guid jobId, CancellationToken cancellationToken)
    {
        var job = await ledger.FindAsync(vault.Key, jobId, cancellationToken)
            ?? throw new BackupRefusedException(BackupRefusal.JobNotFound, $"Job '{jobId}' does not exist in vault '{vault.Name}'.");
        if (job.IsServing && job.IsLive && job.Tasks.Any(task => task is { Name: RestoreTasks.Boot, State: JobStates.Completed }))
            throw new BackupRefusedException(BackupRefusal.JobNotCancellable, $"Job '{jobId}' cannot be cancelled any more: the machine runs from the recovery point, and would lose its disks. To end it, delete the machine on its host.");
        if (!job.IsLive || job.Operation == JobOperations.DeleteBackupData || !await TryCancelAsync(job, cancellationToken))
            throw new BackupRefusedException(BackupRefusal.JobNotCancellable, $"Job '{jobId}' ({job.Operation}, {job.State}) cannot be cancelled.");
        var operation = new AsyncOperation { Id = Guid.NewGuid(), VaultKey = vault.Key, Subject = jobId.ToString(), StartedAt = time.GetUtcNow() };
        await operations.AddAsync(operation, CancellationToken.None);
        return operation;
    }

    /// <summary>A job that waits for its turn is over at once; one that a worker has begun is asked to end.</summary>
    private async Task<bool> TryCancelAsync(Job job, CancellationToken cancellationToken)
    {
        var ended = job with { State = JobStates.Cancelled, EndedAt = time.GetUtcNow(), Errors = [JobErrors.Cancelled()] };
        return await ledger.TryEndUnbegunAsync(ended, cancellationToken) || await ledger.TryRequestCancelAsync(job.VaultKey, job.Id, cancellationToken);
    }

    private async Task<AsyncOperation> AdmitAsync(ProtectedItem item, Job job, Guid operationId, BackupRefusal whenBusy, CancellationToken cancellationToken)
    {
        if (!await ledger.TryAdmitAsync(job, cancellationToken))
        {
            var running = await ledger.FindLiveAsync(item.Key, cancellationToken);
            var refusal = running?.Operation == JobOperations.Backup ? whenBusy : BackupRefusal.ItemBusy;
            throw new BackupRefusedException(refusal, running is null
                ? $"Another job of '{item.FriendlyName}' has just ended. Try again."
                : $"A job of '{item.FriendlyName}' is running: {running.Operation} {running.Id}. Wait for it or cancel it.", item.FriendlyName);
        }

        // The job is admitted: its operation is written whatever becomes of the request.
        var operation = new AsyncOperation { Id = operationId, VaultKey = item.VaultKey, Subject = item.NativeName, JobId = job.Id, StartedAt = job.StartedAt };
        await operations.AddAsync(operation, CancellationToken.None);
        signal.Raise();
        return operation;
    }

    private async Task<ProtectedItem> FindItemAsync(Vault vault, string nativeName, CancellationToken cancellationToken) =>
        await items.FindAsync(vault.Key, nativeName, cancellationToken)
        ?? throw new BackupRefusedException(BackupRefusal.ItemNotFound, $"'{nativeName}' is not protected in vault '{vault.Name}'.");

    private static string Text(DateTimeOffset moment) => moment.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
}
