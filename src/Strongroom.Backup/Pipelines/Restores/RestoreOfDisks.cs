using System.Text;
using Strongroom.Arm;
using Strongroom.Backup.Items;
using Strongroom.Backup.Jobs;
using Strongroom.Backup.Machines;
using Strongroom.Backup.RecoveryPoints;
using Strongroom.Backup.StorageAccounts;
using Strongroom.Blocks;
using Strongroom.Blocks.Vhd;

namespace Strongroom.Backup.Pipelines.Restores;

/// <summary>
/// Restores disks of a recovery point: into a storage account, or onto a host of the target group that takes disks without a machine.
/// </summary>
/// <remarks>
/// 1. Begin a container of its own for this run, out of sight, and where there is such a host, on it: a run that was cut off is begun anew. One that had stored the resources of a
/// host's disks was whole, and is only ended. 2. Write each disk, as a fixed VHD or as the host has disks; the store verifies every chunk on the way. 3. Write the configuration and
/// a template that can be deployed. 4. Ask the ledger whether this run still has the job. 5. Publish the container, whole. 6. Where a resource group is named, the disks appear
/// there as resources. With these, stored all at once, a host's disks stay; until then they are removed whenever the run ends. Only then is the job done.
/// </remarks>
internal sealed class RestoreOfDisks(
    JobRun run, RestoreRequest request, ProtectedItem item, RecoveryPoint point, DiskTransfer transfer, StorageAccountFolders accounts, IDiskRestorer hosts, RestoreTargets targets, TimeProvider time)
{
    private readonly RestoreNames _names = new(point.Machine.Name, run.Job.Id, point.Time);

    public async Task<JobEnd> RunAsync(ResourceId account, CancellationToken cancellationToken)
    {
        // Step 1.
        var folder = accounts.BeginContainer(request.StorageAccount, _names.Container, run.Claim.Fence);
        try
        {
            // Before hours of writing, and again after them.
            var group = request.TargetResourceGroupId is { } wanted ? await targets.RequireGroupAsync(wanted, cancellationToken) : null;
            if (group is not null && await targets.FindVolumesAsync(group, FilesOf(group), transfer.Disks, cancellationToken) is { Count: > 0 } made)
            {
                TryAbandon();
                return End(FilesOf(group), made);
            }

            await run.ReportAsync(j => j.Begin(RestoreTasks.Transfer, time.GetUtcNow()), cancellationToken);
            await using var host = group is null ? null : await hosts.CreateDisksAsync(new(point.Machine, group.SubscriptionId, group.Name), new(run.Job.Id, run.Claim.Fence), cancellationToken);

            // Step 2.
            await transfer.RunAsync(disk => host is null ? Task.FromResult(CreateVhd(folder, disk)) : host.CreateDiskAsync(AsBackedUp(disk), cancellationToken), cancellationToken);

            // Step 3.
            var files = FilesOf(host is null ? null : group);
            await WriteTextAsync(Path.Combine(folder, _names.Template), files.Template().ToJsonString(RestoredFiles.Indented), cancellationToken);
            await WriteTextAsync(Path.Combine(folder, _names.Config), files.Config(item.SourceResourceId).ToJsonString(RestoredFiles.Indented), cancellationToken);

            // The account may have been deleted meanwhile, before or after this run made the container: nothing may stay where nobody looks.
            if (!await targets.ExistsAsync(account, cancellationToken)) throw new RestoreException(JobErrors.StorageAccountMissing(request.StorageAccount));

            // Step 4.
            await run.ReportAsync(j => j, cancellationToken);
            var volumes = host is null ? null : await host.FinishAsync(cancellationToken);
            if (host is not null) cancellationToken.ThrowIfCancellationRequested();

            // Step 5. From here on a failure leaves files that nobody asked for, never a disk that points at nothing.
            accounts.PublishContainer(request.StorageAccount, _names.Container, run.Claim.Fence);

            // Step 6.
            if (volumes is not null) await targets.AddDisksAsync(request.TargetResourceGroupId!, files, point, transfer.Disks, volumes, time.GetUtcNow());
            else if (group is not null) await targets.ShowDisksAsync(request.TargetResourceGroupId!, files, point, transfer.Disks, time.GetUtcNow(), cancellationToken);
            return End(files, volumes);
        }
        catch
        {
            TryAbandon();
            throw;
        }
    }

    private RestoredFiles FilesOf(ResourceGroup? hostGroup) => new(request.Endpoint, request.StorageAccount, _names, point, transfer.Disks, hostGroup);

    private IDiskWriter CreateVhd(string folder, RecoveryPointDisk disk) =>
        FixedVhdWriter.Create(Path.Combine(folder, _names.Disk(disk)), disk.SizeBytes, RestoreNames.DiskId(run.Job.Id, disk), time.GetUtcNow());

    private MachineDisk AsBackedUp(RecoveryPointDisk disk) =>
        new(disk.Lun, disk.Name, disk.SizeBytes, point.Machine.Disks.FirstOrDefault(d => d.Name == disk.Name)?.Format ?? "raw");

    private JobEnd End(RestoredFiles files, IReadOnlyDictionary<int, HostVolume>? volumes)
    {
        var now = time.GetUtcNow();
        var properties = run.Job.Properties
            .SetItem("Config Blob Name", _names.Config)
            .SetItem("Config Blob Container Name", _names.Container)
            .SetItem("Config Blob Uri", files.Uri(_names.Config))
            .SetItem("Template Blob Uri", files.Uri(_names.Template));
        if (request.TargetResourceGroupId is { } group) properties = properties.SetItem("Target resource group", group.Split('/')[^1]);
        var job = run.Job.Complete(RestoreTasks.Transfer, now) with { Properties = properties };
        if (volumes is not null)
            job = job.Detail(RestoreTasks.Transfer, string.Join(" ", transfer.Disks.Where(disk => volumes.ContainsKey(disk.Lun)).Select(disk => Sentence(disk, volumes[disk.Lun]))));
        return new(transfer.End(job, now), JobOutcome.None);
    }

    private static string Sentence(RecoveryPointDisk disk, HostVolume volume) => $"Disk '{disk.Name}' is volume '{volume.Name}' of storage pool '{volume.Pool}'.";

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
