using Strongroom.Store.Trees;

namespace Strongroom.Store;

public sealed partial class StoreSession
{
    /// <summary>Stores a folder and all below it, with everything that Linux keeps of files. Files that the parent has unchanged (same inode, length, modification and change time) are not read.</summary>
    /// <param name="folder">An open path may lead through symbolic links; nothing below it is followed.</param>
    /// <param name="parent">An earlier state of the same folder.</param>
    /// <param name="options">What is left out, and more.</param>
    /// <param name="progress">Called concurrently.</param>
    /// <param name="cancellationToken">Fails the session.</param>
    /// <returns>The tree, and what of it could not be read: that does not fail the backup.</returns>
    /// <exception cref="StoreException">NotFound: no live snapshot holds <paramref name="parent"/>. InvalidRequest: the folder cannot be opened, or a pattern is void. Io: the folder cannot be listed, or the vault fails. Full, Corrupt.</exception>
    public async Task<TreeBackupResult> WriteTreeAsync(
        string folder, TreeRef? parent, TreeOptions options, IProgress<TreeProgress>? progress, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(folder);
        ArgumentNullException.ThrowIfNull(options);
        return await WriteTreeAsync(
            parent,
            async () =>
            {
                using var backup = new TreeBackup(vault.Manifests, this, NewContent(), options, HasPack, vault.Options.Workers, progress);
                return await backup.RunAsync(folder, parent, cancellationToken);
            });
    }

    /// <summary>Stores the files of a source. Those that the parent has unchanged (same inode, length, modification and change time) are not read.</summary>
    /// <param name="source">What is not of this machine.</param>
    /// <param name="parent">An earlier state of the same files.</param>
    /// <param name="options">What is left out, and more; its clock is the source's.</param>
    /// <param name="progress">Called concurrently.</param>
    /// <param name="cancellationToken">Fails the session.</param>
    /// <returns>The tree, and what of it could not be read: that does not fail the backup.</returns>
    /// <exception cref="StoreException">As of the other, without what concerns folders.</exception>
    public async Task<TreeBackupResult> WriteTreeAsync(
        ITreeSource source, TreeRef? parent, TreeOptions options, IProgress<TreeProgress>? progress, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(options);
        return await WriteTreeAsync(
            parent,
            async () =>
            {
                var entries = new FileEntries(vault.Manifests, this, NewContent(), options.Clock, HasPack);
                var files = new SourceFiles(entries, new(pump.Value, gear.Value, vault.Packs.Ring.NodeKey), source);
                using var backup = new SourceBackup(vault.Manifests, this, files, options, HasPack, source, vault.Options.Workers, progress);
                return await backup.RunAsync(parent, cancellationToken);
            });
    }

    /// <summary>Lets a tree be committed whose nodes this session has stored.</summary>
    internal void Vouch(TreeRef tree) => writtenTrees[tree] = 0;

    private async Task<TreeBackupResult> WriteTreeAsync(TreeRef? parent, Func<Task<TreeBackupResult>> write)
    {
        RequireUsable();
        if (parent is { } earlier && !vault.Log.State.Snapshots.Holds(earlier))
            throw new StoreException(StoreErrorKind.NotFound, "The parent tree is not in the vault any more. Run the backup again without a parent.");
        if (parent is { } shared)
            Claims.AddParent(state => state.Snapshots.Keeps(shared));
        try
        {
            var result = await write();
            Vouch(result.Tree);
            return result;
        }
        catch
        {
            hasFailed = true;
            throw;
        }
    }

    private FileContent NewContent() => new(pump.Value, gear.Value, vault.Packs.Ring.NodeKey);

    private bool HasPack(ManifestPackQuery pack) => !vault.Packs.Suspects.Contains(pack.PackSeq)
        && vault.HasPack(pack.Content, pack.PackSeq);
}
