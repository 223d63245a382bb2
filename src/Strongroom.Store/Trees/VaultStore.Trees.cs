using System.Runtime.CompilerServices;
using Strongroom.Store.Trees;

namespace Strongroom.Store;

public sealed partial class VaultStore
{
    /// <summary>What lies at a path of a tree of a live snapshot, or null. Reads only what leads there.</summary>
    public async Task<TreeEntry?> FindInTreeAsync(TreeRef tree, TreePath path, CancellationToken cancellationToken)
    {
        RequireLive(tree);
        return await FolderReader.FindAsync(Manifests, tree, path, cancellationToken);
    }

    /// <summary>The entries of a folder in a tree, sorted by name as bytes. Nothing below them is read.</summary>
    /// <exception cref="StoreException">NotFound: there is no such folder, or no live snapshot holds the tree. Corrupt.</exception>
    public async IAsyncEnumerable<TreeEntry> ListTreeAsync(TreeRef tree, TreePath path, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var (_, entry) in ListTreeAsync(tree, path, 0, cancellationToken))
            yield return entry;
    }

    /// <summary>The entries of a folder in a tree from a position on, sorted by name as bytes, each with its position. What lies before is not read.</summary>
    /// <param name="tree">Of a live snapshot.</param>
    /// <param name="path">The folder's.</param>
    /// <param name="position">0, or an entry's position, which stays the same for the tree. Where no entry is, nothing comes.</param>
    /// <param name="cancellationToken">Ends the listing.</param>
    /// <exception cref="StoreException">As of the listing of all.</exception>
    public async IAsyncEnumerable<(long Position, TreeEntry Entry)> ListTreeAsync(
        TreeRef tree, TreePath path, long position, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(position);
        RequireLive(tree);
        var folder = await RequireEntryAsync(tree, path, cancellationToken);
        if (folder.Kind != TreeEntryKind.Folder)
            throw new StoreException(StoreErrorKind.NotFound, $"'{path}' is no folder.");
        await foreach (var placed in FolderReader.ReadAsync(Manifests, folder, position, cancellationToken))
            yield return placed;
    }

    /// <summary>Opens a file of a tree to be read anywhere.</summary>
    /// <exception cref="StoreException">NotFound: there is no such file with content, or no live snapshot holds the tree. Corrupt.</exception>
    public async Task<VaultStream> OpenTreeFileAsync(TreeRef tree, TreePath path, CancellationToken cancellationToken)
    {
        RequireLive(tree);
        var entry = await RequireEntryAsync(tree, path, cancellationToken);
        if (entry.Kind != TreeEntryKind.File || !entry.HasContent)
            throw new StoreException(StoreErrorKind.NotFound, $"'{path}' is no file, or could not be read when it was backed up.");
        return new(Manifests, entry.Stream ?? default, entry.Inline);
    }

    /// <summary>Restores a tree, or a path of it: a folder's content into the folder <paramref name="target"/>, a file by its name into that folder.</summary>
    /// <param name="tree">Of a live snapshot.</param>
    /// <param name="path">Empty for all.</param>
    /// <param name="target">Made if it is not there. Nothing is ever written outside of it, whatever symbolic links lie in it or in the tree.</param>
    /// <param name="options">What happens to existing files, and whether an earlier run is gone on with.</param>
    /// <param name="progress">Called concurrently.</param>
    /// <param name="cancellationToken">Files that are in place then are whole; new folders have the tree's metadata, and what is missing in them a further restore adds.</param>
    /// <returns>What was restored, and what could not be: owners and devices need root; a damaged file does not hold up the others. All of it is on the disk.</returns>
    /// <exception cref="StoreException">NotFound: no such path. InvalidRequest: the target is not empty, is no folder, or has what must not be replaced. Full, Io.</exception>
    public async Task<TreeRestoreResult> RestoreTreePathAsync(
        TreeRef tree, TreePath path, string target, TreeRestoreOptions options, IProgress<TreeProgress>? progress, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(target);
        ArgumentNullException.ThrowIfNull(options);
        RequireLive(tree);
        var part = RestorePart.Of(await RequireEntryAsync(tree, path, cancellationToken));
        using var restore = new TreeRestore(Manifests, [part], options, Options.Workers, progress);
        return await restore.RunAsync(target, cancellationToken);
    }

    /// <summary>Restores parts of a tree, each into a folder below the target, one after another. What lies in another part as well, at the same place, is restored once.</summary>
    /// <param name="tree">Of a live snapshot.</param>
    /// <param name="selections">
    /// What is restored, and where to. Folders on the way to it are made: with the metadata that the tree has of them when the part goes to its own place, plain
    /// ones otherwise. What the tree does not have, or what a damaged folder leads to, is reported as failed, and the others are restored.
    /// </param>
    /// <param name="target">Made if it is not there. Nothing is ever written outside of it, whatever symbolic links lie in it or in the tree.</param>
    /// <param name="options">What happens to existing files, and whether an earlier run is gone on with.</param>
    /// <param name="progress">Called concurrently.</param>
    /// <param name="cancellationToken">Files that are in place then are whole; new folders have the tree's metadata, and what is missing in them a further restore adds.</param>
    /// <returns>As of <see cref="RestoreTreePathAsync"/>.</returns>
    /// <exception cref="StoreException">InvalidRequest: a path that cannot be one, such as one with <c>..</c>, or that leads into a folder of snapshots (<c>.strongroom-snapshots</c>), or a target as above. NotFound: no live snapshot holds the tree. Corrupt: the tree's own folder is lost. Full, Io.</exception>
    public async Task<TreeRestoreResult> RestoreTreeAsync(
        TreeRef tree,
        IReadOnlyList<TreeSelection> selections,
        string target,
        TreeRestoreOptions options,
        IProgress<TreeProgress>? progress,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(selections);
        ArgumentNullException.ThrowIfNull(target);
        ArgumentNullException.ThrowIfNull(options);
        RequireLive(tree);
        var parts = await RestorePart.FindAsync(Manifests, tree, selections, cancellationToken);
        using var restore = new TreeRestore(Manifests, parts, options, Options.Workers, progress);
        return await restore.RunAsync(target, cancellationToken);
    }

    /// <summary>Restores parts of a tree to a target, each into a folder of it, one after another.</summary>
    /// <param name="tree">Of a live snapshot.</param>
    /// <param name="selections">What is restored, and where to, as above.</param>
    /// <param name="target">What is not of this machine.</param>
    /// <param name="options">What happens to existing files, other than <see cref="ExistingFiles.Refuse"/>, and whether an earlier run is gone on with.</param>
    /// <param name="progress">Called while the restore waits.</param>
    /// <param name="cancellationToken">Files that are in place then are whole, and new folders have no metadata of the tree's.</param>
    /// <returns>What was restored, and what could not be.</returns>
    /// <exception cref="StoreException">InvalidRequest: a path that cannot be one, or something is there that must not be replaced. NotFound: no live snapshot holds the tree. Corrupt: the tree's own folder is lost. Full.</exception>
    public async Task<TreeRestoreResult> RestoreTreeAsync(
        TreeRef tree,
        IReadOnlyList<TreeSelection> selections,
        ITreeTarget target,
        TreeRestoreOptions options,
        IProgress<TreeProgress>? progress,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(selections);
        ArgumentNullException.ThrowIfNull(target);
        ArgumentNullException.ThrowIfNull(options);
        RequireLive(tree);
        var parts = await RestorePart.FindAsync(Manifests, tree, selections, cancellationToken);
        return await new TargetRestore(Manifests, parts, options, target, progress).RunAsync(cancellationToken);
    }

    private async ValueTask<TreeEntry> RequireEntryAsync(TreeRef tree, TreePath path, CancellationToken cancellationToken) =>
        await FolderReader.FindAsync(Manifests, tree, path, cancellationToken)
        ?? throw new StoreException(StoreErrorKind.NotFound, $"There is no '{path}' in the tree.");

    private void RequireLive(TreeRef tree)
    {
        if (!Log.State.Snapshots.Holds(tree))
            throw new StoreException(StoreErrorKind.NotFound, "No live snapshot holds this tree. List the recovery points again.");
    }
}
