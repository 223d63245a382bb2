using System.Globalization;
using Microsoft.Extensions.Logging;
using Strongroom.Backup.Items;
using Strongroom.Backup.Jobs;
using Strongroom.Backup.Machines;
using Strongroom.Backup.Policies;
using Strongroom.Backup.RecoveryPoints;
using Strongroom.Backup.Vaults;
using Strongroom.Blocks;
using Strongroom.Store;

namespace Strongroom.Backup.Pipelines;

/// <summary>
/// Backs up a virtual machine.
/// </summary>
/// <remarks>
/// 1. Find what an earlier run of the same job committed: then only the recovery point's row is missing, and what that run left on the host goes.
/// 2. Snapshot the machine: from here on the job shows the recovery point, in transfer. 3. Write each selected disk as an image against the parent's. 4. Look whether a disk moved under the reading;
/// if so begin again, and after <see cref="MaxReads"/> tries fail: what was never the machine at one moment is no recovery point.
/// 5. Commit the snapshot in the store. 6. The worker writes the recovery point's row under its fence.
/// A crash before 5 leaves chunks that the next backup may use; a crash between 5 and 6 is mended by 1.
/// </remarks>
public sealed class BackupHandler(
    IItemRepository items, IVaultRepository vaults, IRecoveryPointRepository points, IPolicyRepository policies, IMachineFabric fabric, IVaultStores stores, TimeProvider time, ILogger<BackupHandler> log) : IJobHandler
{
    /// <summary>How often the disks are read before a machine that never stands still is given up.</summary>
    public const int MaxReads = 3;

    /// <summary>How long a host that failed is left alone.</summary>
    private static readonly TimeSpan HostPause = TimeSpan.FromSeconds(5);

    public string Operation => JobOperations.Backup;

    public ItemKind? Kind => ItemKind.VirtualMachine;

    public async Task<JobEnd> RunAsync(JobRun run, CancellationToken cancellationToken)
    {
        var request = BackupRequest.FromJson(run.Job.Request);
        var item = await items.FindAsync(run.Job.ItemKey, cancellationToken)
            ?? throw new MachineException(MachineProblem.NotFound, $"'{run.Job.FriendlyName}' is not protected any more.");
        var store = await stores.OpenAsync(item.VaultKey, cancellationToken);

        // Step 1.
        if (store.Find(new(request.SnapshotId)) is { } committed)
        {
            log.LogInformation("Job {JobId} finds its snapshot committed by an earlier run", run.Job.Id);
            var point = SnapshotPoints.Of(item.Key, committed, request.ExpiresAt);
            await EndOnHostAsync(point.Machine, item.Key, point.ChangeTracking, mayBeFrozen: false, cancellationToken);
            return End(run, point, SnapshotConfiguration.Read(committed.Configuration).Bytes);
        }

        var useParents = true;
        for (var read = 1; ; read++)
        {
            // Step 2.
            await run.ReportAsync(j => j.Begin(BackupTasks.TakeSnapshot, time.GetUtcNow()).Reset(BackupTasks.Transfer) with { InTransfer = null }, cancellationToken);
            var newest = await NewestAsync(item, cancellationToken);
            var machine = await FindMachineAsync(item, newest?.Machine, cancellationToken);
            var parent = useParents ? await ParentPoint.FindAsync(item, points, store, cancellationToken) : ParentPoint.None;
            var wanted = new MachineSnapshotRequest(item.Key, new(run.Job.Id, run.Claim.Fence))
            {
                Selects = lun => item.Disks?.Selects(lun) ?? true,
                PointId = request.SnapshotId,
                ParentTracking = parent.ChangeTracking,
                Previous = newest?.Machine,
                MayFreeze = (await policies.FindTermsAsync(item, cancellationToken))?.IsCrashConsistentOnly != true,
            };
            IMachineSnapshot taken;
            try
            {
                taken = await fabric.SnapshotAsync(machine, wanted, cancellationToken);
            }
            catch (MachineException e) when (e.Problem == MachineProblem.HostFailed && read < MaxReads)
            {
                // A host that is being started again, or has its hands full, says so once and not twice.
                log.LogWarning(e, "Job {JobId}: the snapshot failed, trying again", run.Job.Id);
                await Task.Delay(HostPause, time, cancellationToken);
                continue;
            }

            await using var snapshot = taken;
            var tracked = snapshot.ChangesSince is { } since ? ParentPoint.Find(item, since, store) : parent;
            var identity = PointIdentity.Next(time.GetUtcNow(), newest);
            var disks = Selected(item, snapshot);
            var moving = new PointInTransfer(
                run.Claim.Fence, identity.Name, identity.Time, snapshot.Consistency, snapshot.Machine, [.. disks.Select(d => d.Disk.Lun)], request.ExpiresAt, request.DueAt);
            await run.ReportAsync(j => Taken(j, snapshot, tracked).Begin(BackupTasks.Transfer, time.GetUtcNow()) with { InTransfer = moving }, cancellationToken);

            // Step 3.
            await using var session = await store.OpenSessionAsync(cancellationToken);
            List<SnapshotImage> images;
            try
            {
                images = await WriteDisksAsync(run, disks, session, parent, tracked, cancellationToken);
            }
            catch (StoreException e) when (parent.Images.Count > 0 && e.Kind is (StoreErrorKind.Corrupt or StoreErrorKind.NotFound))
            {
                // A damaged recovery point must not keep a sound one from being made.
                log.LogError(e, "Job {JobId}: the newest recovery point is damaged; the disks are read without it", run.Job.Id);
                useParents = false;
                continue;
            }

            // Step 4.
            var changes = await snapshot.FindChangesAsync(cancellationToken);
            if (changes.Count > 0)
            {
                if (read >= MaxReads) throw new DiskMovedException(changes);
                log.LogWarning("Job {JobId}: disks changed while they were read, beginning again: {Changes}", run.Job.Id, string.Join("; ", changes));
                continue;
            }

            // Step 5. From the commit on the job can only succeed: a cancellation comes too late and is not looked at.
            cancellationToken.ThrowIfCancellationRequested();
            var bytes = BackupBytes.Of(session.Statistics);
            var vault = await vaults.FindAsync(item.VaultKey, cancellationToken);
            var plan = await PointPlan.MakeAsync(item, request, identity.Time, policies, points, cancellationToken);
            var draft = new SnapshotDraft
            {
                Id = new(request.SnapshotId),
                ItemId = item.Key.ToString("N"),
                Images = images,
                Consistency = snapshot.Consistency,
                Configuration = new SnapshotConfiguration(snapshot.Machine, [.. images.Select(i => i.Image.LengthBytes)], bytes)
                {
                    ChangeTracking = snapshot.ChangeTracking,
                    Vault = vault,
                    Item = item,
                    Point = identity,
                    ExpiresAt = request.ExpiresAt,
                    DueAt = request.DueAt,
                    Tags = plan.Tags,
                }.Write(),
                Parent = parent.Id,
                LockedUntil = vault is null ? null : VaultImmutability.LockUntil(vault, plan.ExpiresAt),
            };
            var made = await session.CommitAsync(draft, CancellationToken.None);
            await snapshot.CommittedAsync();
            return End(run, SnapshotPoints.Of(item.Key, made, request.ExpiresAt), bytes);
        }
    }

    /// <summary>A run that died may have left a backup job on the machine's host.</summary>
    public async Task AbandonAsync(Job job, CancellationToken cancellationToken)
    {
        if ((job.Attempt <= 1 && job.InTransfer is null) || await items.FindAsync(job.ItemKey, cancellationToken) is not { } item) return;
        var newest = await NewestAsync(item, cancellationToken);
        var machine = job.InTransfer?.Machine ?? await FindMachineAsync(item, newest?.Machine, cancellationToken);
        await EndOnHostAsync(machine, item.Key, newest?.ChangeTracking, mayBeFrozen: job.InTransfer is null, cancellationToken);
    }

    public JobError? Explain(Exception exception) => exception switch
    {
        MachineException e => JobErrors.Machine(e),
        DiskMovedException e => JobErrors.DiskChanged(e.Changes),
        StoreException e when JobErrors.OfStore(e) is { } error => error,
        StoreException or IOException or UnauthorizedAccessException => JobErrors.BackupFailed(exception.Message),
        _ => null,
    };

    private async Task EndOnHostAsync(VirtualMachine machine, Guid itemKey, string? tracking, bool mayBeFrozen, CancellationToken cancellationToken)
    {
        try
        {
            await fabric.EndBackupAsync(machine, itemKey, tracking, mayBeFrozen, cancellationToken);
        }
        catch (MachineException e)
        {
            log.LogWarning(e, "What an earlier run left on the host of '{Machine}' is not removed yet", machine.Name);
        }
    }

    private async Task<VirtualMachine> FindMachineAsync(ProtectedItem item, VirtualMachine? before, CancellationToken cancellationToken)
    {
        if (!MachineId.TryParse(item.SourceResourceId, out var id)) throw Gone($"Virtual machine '{item.FriendlyName}' does not exist any more.");
        if (await fabric.FindProtectedAsync(id, before, cancellationToken) is { } machine) return machine;

        // Its own id is what a rename leaves.
        var renamed = before is null ? null : (await fabric.ListAsync(id.SubscriptionId, null, cancellationToken)).FirstOrDefault(m => m.VmId == before.VmId);
        throw Gone(renamed is null
            ? $"Virtual machine '{item.FriendlyName}' does not exist any more."
            : $"Virtual machine '{item.FriendlyName}' is now '{renamed.Name}' in resource group '{renamed.ResourceGroup}'. Give it its name back, or stop the protection of '{item.FriendlyName}' and protect '{renamed.Name}'.");
    }

    private async Task<RecoveryPoint?> NewestAsync(ProtectedItem item, CancellationToken cancellationToken) =>
        await points.ListAsync(item.Key, null, null, null, 1, cancellationToken) is [var found, ..] ? found : null;

    private static MachineException Gone(string message) => new(MachineProblem.NotFound, message);

    /// <summary>The job with its snapshot taken, and what the owner of the machine should know of it.</summary>
    private Job Taken(Job job, IMachineSnapshot snapshot, ParentPoint tracked)
    {
        var notes = snapshot.Notes;
        if (tracked.Id is null && snapshot.Disks.Any(disk => disk.KnowsChanges)) notes = [.. notes, "All disks are read and compared: the recovery point since which the host knows changes is gone."];
        job = job.Complete(BackupTasks.TakeSnapshot, time.GetUtcNow());
        if (snapshot.Frozen is { } frozen)
            job = job with { InternalProperties = job.InternalProperties.SetItem("strongroom.frozenMilliseconds", ((long)frozen.TotalMilliseconds).ToString(CultureInfo.InvariantCulture)) };
        return notes.Count == 0 ? job : job.Detail(BackupTasks.TakeSnapshot, string.Join(" ", notes.Select(note => note.EndsWith('.') ? note : note + ".")));
    }

    private static List<IMachineSnapshotDisk> Selected(ProtectedItem item, IMachineSnapshot snapshot)
    {
        var selected = snapshot.Disks.Where(d => item.Disks?.Selects(d.Disk.Lun) ?? true).OrderBy(d => d.Disk.Lun).ToList();
        return selected.Count > 0
            ? selected
            : throw new MachineException(MachineProblem.DiskUnreadable, $"Virtual machine '{item.FriendlyName}' has no disk to back up: it has none, or all are excluded.");
    }

    private static async Task<List<SnapshotImage>> WriteDisksAsync(
        JobRun run, List<IMachineSnapshotDisk> selected, StoreSession session, ParentPoint parent, ParentPoint tracked, CancellationToken cancellationToken)
    {
        var total = Math.Max(1, selected.Sum(d => d.Disk.SizeBytes));
        var meter = new TransferMeter(run, BackupTasks.Transfer, total);
        var images = new List<SnapshotImage>(selected.Count);
        foreach (var disk in selected)
        {
            var (opened, image) = await OpenAsync(disk, parent, tracked, cancellationToken);
            await using var blocks = opened;
            var source = new BlockImageSource(blocks, disk.ResumeToken);
            var before = session.Statistics.BytesScanned;
            var written = await session.WriteImageAsync(source, image, new DirectProgress<SessionProgress>(p => meter.At(p.BytesScanned)), cancellationToken);
            meter.At(Math.Max(session.Statistics.BytesScanned, before + blocks.LengthBytes));
            images.Add(new(disk.Disk.Lun, disk.Disk.Name, written));
        }

        return images;
    }

    /// <summary>Opens a disk, and finds the image that it is written against. Of a disk that has changed its size, by what is served and not by what was found before, the host's word is not taken.</summary>
    private static async Task<(IBlockSource Blocks, ImageRef? Parent)> OpenAsync(IMachineSnapshotDisk disk, ParentPoint parent, ParentPoint tracked, CancellationToken cancellationToken)
    {
        if (disk.KnowsChanges && tracked.ImageOf(disk.Disk) is { } since && since.LengthBytes == disk.Disk.SizeBytes)
        {
            var blocks = await disk.OpenAsync(sinceParent: true, cancellationToken);
            if (blocks.LengthBytes == since.LengthBytes) return (blocks, since);
            await blocks.DisposeAsync();
        }

        return (await disk.OpenAsync(sinceParent: false, cancellationToken), parent.ImageOf(disk.Disk));
    }

    private JobEnd End(JobRun run, RecoveryPoint point, BackupBytes bytes)
    {
        var now = time.GetUtcNow();
        var job = run.Job.Complete(BackupTasks.TakeSnapshot, now).Complete(BackupTasks.Transfer, now) with
        {
            State = JobStates.Completed,
            EndedAt = now,
            ProgressPercent = 100,
            EstimatedRemaining = TimeSpan.Zero,
        };
        job = job with
        {
            Properties = job.Properties.SetItem("Backup Size", (bytes.Stored / (1024 * 1024)).ToString(CultureInfo.InvariantCulture) + " MB"),
            InternalProperties = bytes.AddTo(job.InternalProperties),
        };
        return new(job, BackupOutcome.Of(job, point));
    }

    /// <summary>The disks would not stand still.</summary>
    private sealed class DiskMovedException(IReadOnlyList<string> changes) : Exception("Disks changed while they were read.")
    {
        public IReadOnlyList<string> Changes { get; } = changes;
    }
}
