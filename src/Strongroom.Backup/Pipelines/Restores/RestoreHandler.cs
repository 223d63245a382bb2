using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Strongroom.Arm;
using Strongroom.Backup.Items;
using Strongroom.Backup.Jobs;
using Strongroom.Backup.RecoveryPoints;
using Strongroom.Backup.StorageAccounts;
using Strongroom.Backup.Vaults;
using Strongroom.Blocks.Vhd;
using Strongroom.Store;

namespace Strongroom.Backup.Pipelines;

/// <summary>
/// Restores disks of a recovery point into a storage account.
/// </summary>
/// <remarks>
/// 1. Begin a container of its own for this run, out of sight: a run that was cut off is begun anew. 2. Write each disk as a fixed VHD; the store
/// verifies every chunk on the way. 3. Write the configuration and a template that can be deployed. 4. Ask the ledger whether this run still has
/// the job. 5. Publish the container, whole. 6. Where a resource group is named, the disks appear there as resources. Only then is the job done.
/// </remarks>
public sealed class RestoreHandler(
    IItemRepository items, IRecoveryPointRepository points, IVaultStores stores, StorageAccountFolders accounts, IResourceStore resources, TimeProvider time) : IJobHandler
{
    public string Operation => JobOperations.Restore;

    public async Task<JobEnd> RunAsync(JobRun run, CancellationToken cancellationToken)
    {
        var request = RestoreRequest.FromJson(run.Job.Request);
        var item = await items.FindAsync(run.Job.ItemKey, cancellationToken);
        var point = item is null ? null : await points.FindAsync(item.Key, request.RecoveryPoint, cancellationToken);
        if (item is null || point is null) throw new RestoreException("The recovery point does not exist any more.");
        if (!ResourceId.TryParse(request.StorageAccountId, out var account) || await resources.GetAsync(account, cancellationToken) is null)
            throw new StorageAccountMissingException(request.StorageAccount);
        var store = await stores.OpenAsync(item.VaultKey, cancellationToken);

        // Step 1.
        var names = new RestoreNames(point.Machine.Name, run.Job.Id, point.Time);
        var folder = accounts.BeginContainer(request.StorageAccount, names.Container, run.Claim.Fence);
        try
        {
            _ = store.Require(new(point.SnapshotId));

            // Before hours of writing, and again after them.
            if (request.TargetResourceGroupId is { } wanted) await FindTargetAsync(wanted, cancellationToken);
            await run.ReportAsync(j => j.Begin(RestoreTasks.Transfer, time.GetUtcNow()), cancellationToken);

            // Step 2.
            var disks = point.Disks.Where(d => request.Luns is not { } luns || luns.Contains(d.Lun)).ToImmutableArray();
            var written = await WriteDisksAsync(run, store, folder, names, disks, cancellationToken);

            // Step 3.
            var files = new RestoredFiles(request.Endpoint, request.StorageAccount, names, point, disks);
            await WriteTextAsync(Path.Combine(folder, names.Template), files.Template().ToJsonString(RestoredFiles.Indented), cancellationToken);
            await WriteTextAsync(Path.Combine(folder, names.Config), files.Config(item.SourceResourceId).ToJsonString(RestoredFiles.Indented), cancellationToken);

            // The account may have been deleted meanwhile, before or after this run made the container: nothing may stay where nobody looks.
            if (await resources.GetAsync(account, cancellationToken) is null) throw new StorageAccountMissingException(request.StorageAccount);

            // Step 4.
            await run.ReportAsync(j => j, cancellationToken);

            // Step 5. From here on a failure leaves files that nobody asked for, never a disk that points at nothing.
            accounts.PublishContainer(request.StorageAccount, names.Container, run.Claim.Fence);

            // Step 6.
            if (request.TargetResourceGroupId is { } group) await ShowDisksAsync(group, files, point, disks, cancellationToken);
            return End(run, request, names, files, disks, written);
        }
        catch
        {
            TryAbandon(run, request, names);
            throw;
        }
    }

    public JobError? Explain(Exception exception) => exception switch
    {
        StorageAccountMissingException e => JobErrors.StorageAccountMissing(e.Account),
        StoreException e when JobErrors.OfStore(e) is { } error => error,
        StoreException or IOException or UnauthorizedAccessException or RestoreException => JobErrors.RestoreFailed(exception.Message),
        _ => null,
    };

    private async Task<long> WriteDisksAsync(
        JobRun run, VaultStore store, string folder, RestoreNames names, ImmutableArray<RecoveryPointDisk> disks, CancellationToken cancellationToken)
    {
        var meter = new TransferMeter(run, RestoreTasks.Transfer, Math.Max(1, disks.Sum(d => d.SizeBytes)));
        long done = 0, written = 0;
        foreach (var disk in disks)
        {
            if (!ImageRef.TryParse(disk.Image, out var image)) throw new RestoreException($"The reference to disk '{disk.Name}' in the database is damaged.");
            var before = done;
            await using var vhd = FixedVhdWriter.Create(Path.Combine(folder, names.Disk(disk)), disk.SizeBytes, RestoreNames.DiskId(run.Job.Id, disk), time.GetUtcNow());
            var statistics = await store.RestoreAsync(image, new VhdSink(vhd), new DirectProgress<long>(bytes => meter.At(before + bytes)), cancellationToken);
            await vhd.FinishAsync(cancellationToken);
            done += disk.SizeBytes;
            written += statistics.BytesWritten;
            meter.At(done);
        }

        return written;
    }

    private async Task<ResourceGroup> FindTargetAsync(string group, CancellationToken cancellationToken) =>
        ResourceId.TryParse(group, out var id) && id.SubscriptionId is { } subscription && id.ResourceGroup is { } name
            ? await resources.GetGroupAsync(subscription, name, cancellationToken) ?? throw TargetMissing(group)
            : throw TargetMissing(group);

    private static RestoreException TargetMissing(string group) => new($"The target resource group '{group}' does not exist.");

    private async Task ShowDisksAsync(string group, RestoredFiles files, RecoveryPoint point, ImmutableArray<RecoveryPointDisk> disks, CancellationToken cancellationToken)
    {
        var target = await FindTargetAsync(group, cancellationToken);
        var now = time.GetUtcNow();
        foreach (var disk in disks)
        {
            await resources.PutAsync(new TrackedResource
            {
                Id = ResourceId.ForResource(target.SubscriptionId, target.Name, "Microsoft.Compute", "disks", files.DiskResourceName(disk)),
                Location = point.Machine.Location,
                Sku = new() { ["name"] = "Standard_LRS", ["tier"] = "Standard" },
                Properties = files.DiskProperties(disk, now),
                ETag = $"W/\"{now.UtcTicks.ToString(CultureInfo.InvariantCulture)}\"",
                CreatedAt = now,
                ChangedAt = now,
            }, null, cancellationToken);
        }
    }

    private JobEnd End(JobRun run, RestoreRequest request, RestoreNames names, RestoredFiles files, ImmutableArray<RecoveryPointDisk> disks, long written)
    {
        var now = time.GetUtcNow();
        var total = disks.Sum(d => d.SizeBytes);
        var properties = run.Job.Properties
            .SetItem("Config Blob Name", names.Config)
            .SetItem("Config Blob Container Name", names.Container)
            .SetItem("Config Blob Uri", files.Uri(names.Config))
            .SetItem("Template Blob Uri", files.Uri(names.Template));
        if (request.TargetResourceGroupId is { } group) properties = properties.SetItem("Target resource group", group.Split('/')[^1]);
        var job = run.Job.Complete(RestoreTasks.Transfer, now) with
        {
            State = JobStates.Completed,
            EndedAt = now,
            ProgressPercent = 100,
            EstimatedRemaining = TimeSpan.Zero,
            Properties = properties,
            InternalProperties = run.Job.InternalProperties
                .SetItem("strongroom.bytesRestored", total.ToString(CultureInfo.InvariantCulture))
                .SetItem("strongroom.bytesWritten", written.ToString(CultureInfo.InvariantCulture)),
        };
        return new(job, JobOutcome.None);
    }

    private void TryAbandon(JobRun run, RestoreRequest request, RestoreNames names)
    {
        try { accounts.AbandonContainer(request.StorageAccount, names.Container, run.Claim.Fence); }
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

    private sealed class VhdSink(FixedVhdWriter vhd) : IImageSink
    {
        public ValueTask WriteAsync(long offsetBytes, ReadOnlyMemory<byte> data, CancellationToken cancellationToken) => vhd.WriteAsync(offsetBytes, data, cancellationToken);
    }

    private sealed class RestoreException(string message) : Exception(message);

    private sealed class StorageAccountMissingException(string account) : Exception
    {
        public string Account { get; } = account;
    }
}

/// <summary>How a restore names its container and blobs: as the real service does.</summary>
internal sealed record RestoreNames(string Machine, Guid JobId, DateTimeOffset PointTime)
{
    private string Safe { get; } = new([.. Machine.Select(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_' ? c : '-')]);

    public string Container => $"{Safe.Trim('.', '-', '_').ToLowerInvariant()}-{JobId:N}";

    public string Config => $"config-{Safe}-{JobId}.json";

    public string Template => $"azuredeploy{JobId}.json";

    public string Disk(RecoveryPointDisk disk) => DiskStem(disk) + ".vhd";

    public string DiskStem(RecoveryPointDisk disk)
    {
        var kind = disk.Lun < 0 ? "osdisk" : "datadisk-" + disk.Lun.ToString("000", CultureInfo.InvariantCulture);
        return $"{Safe}-{kind}-{PointTime.UtcDateTime.ToString("yyyyMMdd-HHmmss", CultureInfo.InvariantCulture)}";
    }

    /// <summary>The same id for the same disk of the same job, so that a repeated run writes the same bytes.</summary>
    public static Guid DiskId(Guid jobId, RecoveryPointDisk disk) =>
        new(SHA256.HashData(Encoding.UTF8.GetBytes($"{jobId:N}/{disk.Lun.ToString(CultureInfo.InvariantCulture)}"))[..16]);
}
