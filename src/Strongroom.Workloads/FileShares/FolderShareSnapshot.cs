using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;
using Strongroom.Backup.FileShares;
using Strongroom.Store;
using Strongroom.Workloads.FileShares.Btrfs;

namespace Strongroom.Workloads.FileShares;

/// <summary>A share's folder as a snapshot shows it, or as it is.</summary>
internal sealed class FolderShareSnapshot : IShareSnapshot
{
    // Snapshots of this and of other shares that lie in this one.
    private static readonly TreeOptions Options = new() { Excludes = [SubvolumeSnapshot.FolderName + "/"] };

    private readonly AccountShare share;
    private readonly SafeFileHandle folder;
    private readonly SubvolumeSnapshot? snapshot;
    private readonly ILogger log;

    private FolderShareSnapshot(AccountShare share, SafeFileHandle folder, SubvolumeSnapshot? snapshot, IReadOnlyList<string> notes, ILogger log)
    {
        this.share = share;
        this.folder = folder;
        this.snapshot = snapshot;
        this.log = log;
        Notes = notes;
    }

    /// <inheritdoc/>
    /// <remarks>Subvolumes within the share are snapshotted one after another.</remarks>
    public bool IsOneMoment => snapshot is { Nested.Count: 0 };

    /// <inheritdoc/>
    public IReadOnlyList<string> Notes { get; }

    /// <summary>Takes a snapshot where the file system can, and else the folder as it is.</summary>
    /// <param name="folder">The share's folder; is closed with the snapshot.</param>
    /// <param name="realPath">Where it lies.</param>
    /// <param name="name">Names the snapshot on the file system.</param>
    public static FolderShareSnapshot Take(AccountShare share, SafeFileHandle folder, string realPath, string name, ILogger log)
    {
        try
        {
            if (!BtrfsCalls.IsBtrfs(folder))
                return Live(MountTable.KindOf(realPath) is { } kind ? $"its file system ({kind}) has no snapshots that the server knows" : "its file system has no snapshots that the server knows");
            var snapshot = SubvolumeSnapshot.Take(folder, realPath, name);
            return new(share, folder, snapshot, [.. NotesOn(share, snapshot.Nested)], log);
        }
        catch (SnapshotImpossibleException impossible)
        {
            log.LogWarning("Share '{Share}' is read without a snapshot, because {Why}", share.ResourceId, impossible.Message);
            return Live(impossible.Message);
        }

        FolderShareSnapshot Live(string why) => new(share, folder, null, [$"The files of '{share.Name}' were read one after another while they could change, for there is no snapshot of the share: {why}."], log);
    }

    /// <inheritdoc/>
    public async Task<TreeBackupResult> WriteAsync(StoreSession session, TreeRef? parent, IProgress<TreeProgress>? progress, CancellationToken cancellationToken) =>
        await OpenFolder.DoAsync(share, snapshot?.Folder ?? folder, path => session.WriteTreeAsync(path, parent, Options, progress, cancellationToken));

    private static IEnumerable<string> NotesOn(AccountShare share, NestedSubvolumes nested)
    {
        if (nested.Count > 0)
            yield return $"'{share.Name}' holds Btrfs subvolumes: each is of one moment, and all of moments that follow one another.";
        if (nested.ReadOnly is { Count: > 0 } left)
            yield return $"Read-only Btrfs subvolumes in '{share.Name}' are snapshots themselves and were left out: {SubvolumeSnapshot.Some(left)}.";
    }

    public ValueTask DisposeAsync()
    {
        try
        {
            snapshot?.Dispose();
        }
        catch (IOException failure)
        {
            // The next backup of the item tries again.
            log.LogWarning("The snapshot of share '{Share}' is left on the file server: {Why}", share.ResourceId, failure.Message);
        }

        folder.Dispose();
        return ValueTask.CompletedTask;
    }
}
