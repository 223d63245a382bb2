using System.Globalization;
using Strongroom.Backup.Items;
using Strongroom.Backup.Jobs;
using Strongroom.Backup.Pipelines;
using Strongroom.Backup.Pipelines.Restores;
using Strongroom.Backup.RecoveryPoints;
using Strongroom.Backup.Vaults;
using Strongroom.Store;

namespace Strongroom.Backup.FileShares;

/// <summary>Restores a share, or some of its files and folders, into its own share or another one.</summary>
/// <remarks>Can be repeated: each file is whole before it has its name, and the job notes that a run has begun to write, so that a later one knows what is its own.</remarks>
public sealed class ShareRestoreHandler(IItemRepository items, IRecoveryPointRepository points, IFileShareFabric fabric, IVaultStores stores, TimeProvider time) : IJobHandler
{
    /// <summary>The internal property that says that files may have been written.</summary>
    private const string Begun = "strongroom.restoreBegun";

    public string Operation => JobOperations.Restore;

    public ItemKind? Kind => ItemKind.FileShare;

    public async Task<JobEnd> RunAsync(JobRun run, CancellationToken cancellationToken)
    {
        var request = ShareRestoreRequest.FromJson(run.Job.Request);
        var item = await items.FindAsync(run.Job.ItemKey, cancellationToken);
        var point = item is null ? null : await points.FindAsync(item.Key, request.RecoveryPoint, cancellationToken);
        if (item is null || point?.Share is not { } share || !TreeRef.TryParse(share.Tree, out var tree)) throw new RestoreException(JobErrors.RestoreFailed("The recovery point does not exist any more."));
        var store = await stores.OpenAsync(item.VaultKey, cancellationToken);
        _ = store.Require(new(point.SnapshotId));
        await run.ReportAsync(j => j.Begin(RestoreTasks.Transfer, time.GetUtcNow()), cancellationToken);

        await using var target = await fabric.OpenTargetAsync(await FindTargetAsync(item, request, cancellationToken), cancellationToken);
        await RequireKindsAsync(store, tree, request, cancellationToken);
        var meter = new FilesMeter(run, RestoreTasks.Transfer, request.IsWhole ? share.Bytes : null);
        var options = new TreeRestoreOptions
        {
            Existing = request.Existing,
            Id = run.Job.Id,
            // From here on what is there may be this restore's own.
            Resumes = run.Job.InternalProperties.ContainsKey(Begun),
            Begins = () => run.ReportAsync(j => j with { InternalProperties = j.InternalProperties.SetItem(Begun, "true") }, cancellationToken),
        };
        var restored = await target.RestoreAsync(store, tree, Selections(request), options, new DirectProgress<TreeProgress>(meter.At), cancellationToken);
        return End(run, restored);
    }

    public JobError? Explain(Exception exception) => exception switch
    {
        RestoreException e => e.Error,
        ShareException e => JobErrors.ShareOfRestore(e),
        StoreException e when JobErrors.OfStore(e) is { } error => error,
        StoreException or IOException or UnauthorizedAccessException => JobErrors.RestoreFailed(exception.Message),
        _ => null,
    };

    /// <summary>What is called a file must not turn out to be a folder, with all that is in it.</summary>
    private static async Task RequireKindsAsync(VaultStore store, TreeRef tree, ShareRestoreRequest request, CancellationToken cancellationToken)
    {
        foreach (var part in request.Parts)
        {
            if (await FindAsync(store, tree, part.Path, cancellationToken) is not { } entry || entry.Kind == TreeEntryKind.Folder == part.IsFolder) continue;
            var (said, found) = part.IsFolder ? ("Directory", "no folder") : ("File", "a folder");
            throw new RestoreException(JobErrors.RestoreFailed($"'{part.Path}' was asked for as {said} and is {found} in the recovery point. Nothing was restored."));
        }
    }

    /// <summary>What is damaged on the way there is for the restore to tell.</summary>
    private static async Task<TreeEntry?> FindAsync(VaultStore store, TreeRef tree, string path, CancellationToken cancellationToken)
    {
        try { return await store.FindInTreeAsync(tree, TreePath.Of(path), cancellationToken); }
        catch (StoreException e) when (e.Kind is StoreErrorKind.Corrupt or StoreErrorKind.NotFound) { return null; }
    }

    private async Task<AccountShare> FindTargetAsync(ProtectedItem item, ShareRestoreRequest request, CancellationToken cancellationToken)
    {
        if (!ShareId.TryParse(item.SourceResourceId, out var own)) throw Gone(item.FriendlyName);
        var id = request.TargetAccountId is null ? own.Account : ShareAccountId.TryParse(request.TargetAccountId, out var other) ? other : throw Gone(request.TargetAccountId);
        var account = await fabric.FindAccountAsync(id.SubscriptionId, id.ResourceGroup, id.Name, cancellationToken)
            ?? throw new RestoreException(JobErrors.StorageAccountMissing(id.Name));
        return new AccountShare(account, request.TargetShare ?? own.Name);
    }

    private static ShareException Gone(string name) => new(ShareProblem.NotFound, $"'{name}' does not exist any more.");

    private static List<TreeSelection> Selections(ShareRestoreRequest request) => request.IsWhole
        ? [new(default, TreePath.Of(request.TargetFolder))]
        : [.. request.Parts.Select(part => new TreeSelection(TreePath.Of(part.Path), part.TargetFolder is { } folder ? TreePath.Of(folder) : Parent(part.Path)))];

    private static TreePath Parent(string path)
    {
        var trimmed = path.Trim('/');
        return trimmed.LastIndexOf('/') is var end && end > 0 ? TreePath.Of(trimmed[..end]) : default;
    }

    private JobEnd End(JobRun run, TreeRestoreResult restored)
    {
        var now = time.GetUtcNow();
        // Nothing at all is no restore, whatever was left out of it.
        if (restored is { Files: 0, Folders: 0, FilesSkipped: 0, FilesFailed: > 0 }) throw new RestoreException(JobErrors.NothingRestored(restored));
        var job = run.Job.Complete(RestoreTasks.Transfer, now).Detail(RestoreTasks.Transfer, FilesMeter.Text(restored.Files + restored.Folders, restored.Bytes));
        return new(
            job with
            {
                State = restored.ProblemCount == 0 ? JobStates.Completed : JobStates.CompletedWithWarnings,
                Errors = restored.ProblemCount == 0 ? [] : [JobErrors.FilesNotRestored(restored)],
                EndedAt = now,
                ProgressPercent = 100,
                EstimatedRemaining = TimeSpan.Zero,
                Properties = job.Properties
                    .SetItem("Data Transferred (in MB)", (restored.Bytes / (1024 * 1024)).ToString(CultureInfo.InvariantCulture))
                    .SetItem("Number Of Restored Files", restored.Files.ToString(CultureInfo.InvariantCulture))
                    .SetItem("Number Of Skipped Files", restored.FilesSkipped.ToString(CultureInfo.InvariantCulture))
                    .SetItem("Number Of Failed Files", restored.FilesFailed.ToString(CultureInfo.InvariantCulture)),
            },
            JobOutcome.None);
    }
}
