using System.Text;
using Strongroom.Arm;
using Strongroom.Backup.Items;
using Strongroom.Backup.Jobs;
using Strongroom.Backup.RecoveryPoints;
using Strongroom.Backup.StorageAccounts;
using Strongroom.Blocks;
using Strongroom.Blocks.Vhd;

namespace Strongroom.Backup.Pipelines.Restores;

/// <summary>
/// Restores disks of a recovery point into a storage account.
/// </summary>
/// <remarks>
/// 1. Begin a container of its own for this run, out of sight: a run that was cut off is begun anew. 2. Write each disk as a fixed VHD; the store
/// verifies every chunk on the way. 3. Write the configuration and a template that can be deployed. 4. Ask the ledger whether this run still has
/// the job. 5. Publish the container, whole. 6. Where a resource group is named, the disks appear there as resources. Only then is the job done.
/// </remarks>
internal sealed class RestoreOfDisks(
    JobRun run, RestoreRequest request, ProtectedItem item, RecoveryPoint point, DiskTransfer transfer, StorageAccountFolders accounts, RestoreTargets targets, TimeProvider time)
{
    private readonly RestoreNames _names = new(point.Machine.Name, run.Job.Id, point.Time);

    public async Task<JobEnd> RunAsync(ResourceId account, CancellationToken cancellationToken)
    {
        // Step 1.
        var folder = accounts.BeginContainer(request.StorageAccount, _names.Container, run.Claim.Fence);
        try
        {
            // Before hours of writing, and again after them.
            if (request.TargetResourceGroupId is { } wanted) await targets.RequireGroupAsync(wanted, cancellationToken);
            await run.ReportAsync(j => j.Begin(RestoreTasks.Transfer, time.GetUtcNow()), cancellationToken);

            // Step 2.
            await transfer.RunAsync(
                disk => Task.FromResult<IDiskWriter>(FixedVhdWriter.Create(Path.Combine(folder, _names.Disk(disk)), disk.SizeBytes, RestoreNames.DiskId(run.Job.Id, disk), time.GetUtcNow())),
                cancellationToken);

            // Step 3.
            var files = new RestoredFiles(request.Endpoint, request.StorageAccount, _names, point, transfer.Disks);
            await WriteTextAsync(Path.Combine(folder, _names.Template), files.Template().ToJsonString(RestoredFiles.Indented), cancellationToken);
            await WriteTextAsync(Path.Combine(folder, _names.Config), files.Config(item.SourceResourceId).ToJsonString(RestoredFiles.Indented), cancellationToken);

            // The account may have been deleted meanwhile, before or after this run made the container: nothing may stay where nobody looks.
            if (!await targets.ExistsAsync(account, cancellationToken)) throw new RestoreException(JobErrors.StorageAccountMissing(request.StorageAccount));

            // Step 4.
            await run.ReportAsync(j => j, cancellationToken);

            // Step 5. From here on a failure leaves files that nobody asked for, never a disk that points at nothing.
            accounts.PublishContainer(request.StorageAccount, _names.Container, run.Claim.Fence);

            // Step 6.
            if (request.TargetResourceGroupId is { } group) await targets.ShowDisksAsync(group, files, point, transfer.Disks, time.GetUtcNow(), cancellationToken);
            return End(files);
        }
        catch
        {
            TryAbandon();
            throw;
        }
    }

    private JobEnd End(RestoredFiles files)
    {
        var now = time.GetUtcNow();
        var properties = run.Job.Properties
            .SetItem("Config Blob Name", _names.Config)
            .SetItem("Config Blob Container Name", _names.Container)
            .SetItem("Config Blob Uri", files.Uri(_names.Config))
            .SetItem("Template Blob Uri", files.Uri(_names.Template));
        if (request.TargetResourceGroupId is { } group) properties = properties.SetItem("Target resource group", group.Split('/')[^1]);
        return new(transfer.End(run.Job.Complete(RestoreTasks.Transfer, now) with { Properties = properties }, now), JobOutcome.None);
    }

    private void TryAbandon()
    {
        try { accounts.AbandonContainer(request.StorageAccount, _names.Container, run.Claim.Fence); }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) { /* The first error is the one that matters; the next run clears what is left. */ }
    }

    private static async Task WriteTextAsync(string path, string text, CancellationToken cancellationToken)
    {
        await using var file = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            Options = FileOptions.Asynchronous,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });
        await file.WriteAsync(Encoding.UTF8.GetBytes(text), cancellationToken);
        await file.FlushAsync(cancellationToken);
        file.Flush(flushToDisk: true);
    }
}
