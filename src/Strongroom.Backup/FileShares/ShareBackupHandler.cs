using System.Collections.Immutable;
using System.Globalization;
using Microsoft.Extensions.Logging;
using Strongroom.Backup.Items;
using Strongroom.Backup.Jobs;
using Strongroom.Backup.Pipelines;
using Strongroom.Backup.Policies;
using Strongroom.Backup.RecoveryPoints;
using Strongroom.Backup.Vaults;
using Strongroom.Store;

namespace Strongroom.Backup.FileShares;

/// <summary>Backs up a file share.</summary>
/// <remarks>
/// 1. Find what an earlier run of the same job committed: then only the recovery point's row is missing. 2. Open the share's moment: a snapshot where its server has them, else the
/// files as they are read; from here on the job shows the recovery point, in transfer. 3. Store the files against the newest point's. 4. Commit the snapshot in the store.
/// 5. The worker writes the recovery point's row under its fence. What could not be read is named by the job, which is then completed with warnings, and by the point.
/// </remarks>
public sealed class ShareBackupHandler(
    IItemRepository items, IVaultRepository vaults, IRecoveryPointRepository points, IPolicyRepository policies, IFileShareFabric fabric, IVaultStores stores, TimeProvider time, ILogger<ShareBackupHandler> log) : IJobHandler
{
    /// <summary>Azure's word for what a share's point is.</summary>
    private const string Consistency = "FileSystemConsistent";

    /// <summary>How long a server that failed is left alone.</summary>
    private static readonly TimeSpan ServerPause = TimeSpan.FromSeconds(5);

    public string Operation => JobOperations.Backup;

    public ItemKind? Kind => ItemKind.FileShare;

    public async Task<JobEnd> RunAsync(JobRun run, CancellationToken cancellationToken)
    {
        var request = BackupRequest.FromJson(run.Job.Request);
        var item = await items.FindAsync(run.Job.ItemKey, cancellationToken)
            ?? throw new ShareException(ShareProblem.NotFound, $"'{run.Job.FriendlyName}' is not protected any more.");
        var store = await stores.OpenAsync(item.VaultKey, cancellationToken);

        // Step 1.
        if (store.Find(new(request.SnapshotId)) is { } committed)
        {
            log.LogInformation("Job {JobId} finds its snapshot committed by an earlier run", run.Job.Id);
            await EndOnServerAsync(item, cancellationToken);
            return End(run, SnapshotPoints.Of(item.Key, committed, request.ExpiresAt), SnapshotConfiguration.Read(committed.Configuration).Bytes);
        }

        // Step 2.
        await run.ReportAsync(j => j.Begin(BackupTasks.TakeSnapshot, time.GetUtcNow()).Reset(BackupTasks.Transfer) with { InTransfer = null }, cancellationToken);
        var share = await FindShareAsync(item, cancellationToken) ?? throw new ShareException(ShareProblem.NotFound, $"File share '{item.FriendlyName}' of storage account '{item.AccountName}' does not exist any more.");
        var parent = await FindParentAsync(item, store, cancellationToken);
        await using var snapshot = await SnapshotAsync(run, share, item.Key, cancellationToken);
        var newest = await points.ListAsync(item.Key, null, null, null, 1, cancellationToken);
        var identity = PointIdentity.Next(time.GetUtcNow(), newest.Count > 0 ? newest[0] : null);
        var moving = new PointInTransfer(run.Claim.Fence, identity.Name, identity.Time, Consistency, null, [], request.ExpiresAt, request.DueAt);
        await run.ReportAsync(j => Taken(j, snapshot).Begin(BackupTasks.Transfer, time.GetUtcNow()) with { InTransfer = moving }, cancellationToken);

        // Step 3.
        await using var session = await store.OpenSessionAsync(cancellationToken);
        var meter = new FilesMeter(run, BackupTasks.Transfer, parent?.Share.Bytes);
        var written = await snapshot.WriteAsync(session, parent?.Tree, new DirectProgress<TreeProgress>(meter.At), cancellationToken);

        // Step 4. From the commit on the job can only succeed: a cancellation comes too late and is not looked at.
        cancellationToken.ThrowIfCancellationRequested();
        var bytes = BackupBytes.Of(session.Statistics);
        var vault = await vaults.FindAsync(item.VaultKey, cancellationToken);
        var plan = await PointPlan.MakeAsync(item, request, identity.Time, policies, points, cancellationToken);
        var problems = Problems(written, parent);
        var files = new SharePoint(share.ResourceId, written.Tree.ToString()!, written.Statistics.Bytes, written.Statistics.Files, written.Statistics.Folders, snapshot.IsOneMoment)
        {
            ProblemCount = written.ProblemCount + problems.Length - Math.Min(written.Problems.Count, SharePoint.MaxProblems),
            Problems = problems,
        };
        var made = await session.CommitAsync(
            new SnapshotDraft
            {
                Id = new(request.SnapshotId),
                ItemId = item.Key.ToString("N"),
                Images = [],
                Trees = [new SnapshotTree(item.FriendlyName, written.Tree)],
                Consistency = Consistency,
                Configuration = new SnapshotConfiguration(null, [], bytes)
                {
                    Share = files,
                    Vault = vault,
                    Item = item,
                    Point = identity,
                    ExpiresAt = request.ExpiresAt,
                    DueAt = request.DueAt,
                    Tags = plan.Tags,
                }.Write(),
                Parent = parent?.Id,
                LockedUntil = vault is null ? null : VaultImmutability.LockUntil(vault, plan.ExpiresAt),
            },
            CancellationToken.None);
        return End(run, SnapshotPoints.Of(item.Key, made, request.ExpiresAt), bytes);
    }

    /// <summary>A run that died may have left a snapshot on the share's server.</summary>
    public async Task AbandonAsync(Job job, CancellationToken cancellationToken)
    {
        if (job.Attempt > 1 && await items.FindAsync(job.ItemKey, cancellationToken) is { } item) await EndOnServerAsync(item, cancellationToken);
    }

    public JobError? Explain(Exception exception) => exception switch
    {
        ShareException e => JobErrors.Share(e),
        StoreException e when JobErrors.OfStore(e) is { } error => error,
        StoreException or IOException or UnauthorizedAccessException => JobErrors.BackupFailed(exception.Message),
        _ => null,
    };

    private async Task EndOnServerAsync(ProtectedItem item, CancellationToken cancellationToken)
    {
        try
        {
            if (await FindShareAsync(item, cancellationToken) is { } share) await fabric.EndBackupAsync(share, item.Key, cancellationToken);
        }
        catch (ShareException e)
        {
            log.LogWarning(e, "What an earlier run left on the server of '{Share}' is not removed yet", item.FriendlyName);
        }
    }

    /// <summary>A server that is being started again, or has its hands full, says so once and not twice.</summary>
    private async Task<IShareSnapshot> SnapshotAsync(JobRun run, AccountShare share, Guid itemKey, CancellationToken cancellationToken)
    {
        try
        {
            return await fabric.SnapshotAsync(share, itemKey, cancellationToken);
        }
        catch (ShareException e) when (e.Problem == ShareProblem.ServerFailed)
        {
            log.LogWarning(e, "Job {JobId}: the share cannot be opened, trying again", run.Job.Id);
            await Task.Delay(ServerPause, time, cancellationToken);
            return await fabric.SnapshotAsync(share, itemKey, cancellationToken);
        }
    }

    /// <summary>The item's share, if its account is there; whether the share is, its snapshot tells.</summary>
    private async Task<AccountShare?> FindShareAsync(ProtectedItem item, CancellationToken cancellationToken) =>
        ShareId.TryParse(item.SourceResourceId, out var id)
        && await fabric.FindAccountAsync(id.Account.SubscriptionId, id.Account.ResourceGroup, id.Account.Name, cancellationToken) is { } account
            ? new AccountShare(account, id.Name)
            : null;

    /// <summary>What the point's reader must know. A share without any file where there were some is most often a file system that is not mounted: a point is made, and says so.</summary>
    private static ImmutableArray<string> Problems(TreeBackupResult written, Parent? parent)
    {
        var named = written.Problems.Take(SharePoint.MaxProblems).Select(SharePoint.Text);
        return written.Statistics.Files == 0 && parent is { Share.Files: > 0 } before
            ? [.. named, $"the share has no files, and had {before.Share.Files} in the recovery point before: if its folder is a mount point, see that its file system is mounted"]
            : [.. named];
    }

    /// <summary>The newest recovery point whose files the store has.</summary>
    private async Task<Parent?> FindParentAsync(ProtectedItem item, VaultStore store, CancellationToken cancellationToken)
    {
        foreach (var point in await points.ListAsync(item.Key, cancellationToken))
        {
            if (point.Share is { } share && TreeRef.TryParse(share.Tree, out var tree) && store.Find(new(point.SnapshotId)) is { } found) return new(found.Id, tree, share);
        }

        return null;
    }

    private Job Taken(Job job, IShareSnapshot snapshot)
    {
        job = job.Complete(BackupTasks.TakeSnapshot, time.GetUtcNow());
        return snapshot.Notes.Count == 0 ? job : job.Detail(BackupTasks.TakeSnapshot, string.Join(" ", snapshot.Notes));
    }

    private JobEnd End(JobRun run, RecoveryPoint point, BackupBytes bytes)
    {
        var now = time.GetUtcNow();
        var share = point.Share!;
        var job = run.Job.Complete(BackupTasks.TakeSnapshot, now).Complete(BackupTasks.Transfer, now).Detail(BackupTasks.Transfer, FilesMeter.Text(share.Files + share.Folders, share.Bytes));
        job = job with
        {
            State = share.ProblemCount == 0 ? JobStates.Completed : JobStates.CompletedWithWarnings,
            Errors = share.ProblemCount == 0 ? [] : [JobErrors.FilesNotBackedUp(share)],
            EndedAt = now,
            ProgressPercent = 100,
            EstimatedRemaining = TimeSpan.Zero,
            Properties = job.Properties
                .SetItem("Backup Size", (bytes.Stored / (1024 * 1024)).ToString(CultureInfo.InvariantCulture) + " MB")
                .SetItem("Number Of Files", share.Files.ToString(CultureInfo.InvariantCulture)),
            InternalProperties = bytes.AddTo(job.InternalProperties),
        };
        return new(job, BackupOutcome.Of(job, point));
    }

    private sealed record Parent(SnapshotId Id, TreeRef Tree, SharePoint Share);
}
