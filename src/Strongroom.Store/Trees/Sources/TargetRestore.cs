using Strongroom.Store.Manifests;

namespace Strongroom.Store.Trees;

/// <summary>Restores parts of a tree to a target: one walk in the order of names, a folder's own metadata last.</summary>
/// <remarks>Memory: a page of each folder on the way down, and the names that were restored in it.</remarks>
internal sealed class TargetRestore(ManifestReader tree, IReadOnlyList<RestorePart> parts, TreeRestoreOptions options, ITreeTarget target, IProgress<TreeProgress>? progress)
{
    private readonly TargetFiles files = new(tree, options, target);

    /// <exception cref="StoreException">InvalidRequest: something is there that must not be replaced. Full.</exception>
    public async Task<TreeRestoreResult> RunAsync(CancellationToken cancellationToken)
    {
        if (options.Existing == ExistingFiles.Refuse)
            throw new StoreException(StoreErrorKind.InvalidRequest, "A target that is no folder of this machine need not be empty: say what happens to files that are there.");
        if (options.Existing == ExistingFiles.FailOnConflict && !options.Resumes)
            await TargetConflicts.RequireNoneAsync(tree, target, parts, cancellationToken);
        if (options.Begins is { } begins)
            await begins();
        try
        {
            foreach (var part in parts)
                await RestorePartAsync(part, cancellationToken);
        }
        catch (IOException failure) when (EntryRestore.IsFull(failure))
        {
            throw new StoreException(StoreErrorKind.Full, $"The restore stopped: {failure.Message}. The files that were restored until then are whole.", failure);
        }

        files.Report(progress);
        return files.ToResult();
    }

    private async ValueTask RestorePartAsync(RestorePart part, CancellationToken cancellationToken)
    {
        if (part.Entry is not { } entry)
        {
            files.Fail(part.Selection.Folder.Join(part.Selection.Path.Name), part.Loss ?? $"The recovery point has no '{part.Selection.Path}'.");
            return;
        }

        var made = new List<(TreePath Path, TreeEntry Entry)>();
        var isEntered = await EnterWayAsync(part, made, cancellationToken);
        var way = new Stack<TargetFolder>();
        var fate = isEntered ? Fate.Restored : Fate.Failed;
        if (part.IsContent)
            await PushAsync(way, new(part.Selection.Folder, fate, entry, false, FolderCursor.None), cancellationToken);
        else
            way.Push(new(part.Selection.Folder, fate, null, false, FolderCursor.Of(entry)));
        while (way.TryPeek(out var folder))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (await NextAsync(folder, cancellationToken) is { } next)
            {
                await RestoreAsync(way, folder, next, cancellationToken);
                files.Report(progress);
                continue;
            }

            way.Pop();
            if (folder is { Fate: Fate.Restored, Entry: { } own })
                await files.FinishFolderAsync(folder.Path, own, folder.IsNew, cancellationToken);
        }

        for (var i = made.Count - 1; i >= 0; i--)
            await files.FinishFolderAsync(made[i].Path, made[i].Entry, true, cancellationToken);
    }

    /// <summary>Makes the folders that a part goes into; false when there can be none.</summary>
    private async ValueTask<bool> EnterWayAsync(RestorePart part, List<(TreePath Path, TreeEntry Entry)> made, CancellationToken cancellationToken)
    {
        var path = default(TreePath);
        var names = part.Selection.Folder.Names();
        for (var i = 0; i < names.Count; i++)
        {
            path = path.Join(names[i]);
            try
            {
                if (target.Refuse(TreeEntryKind.Folder, names[i]) is { } why)
                    throw new IOException(why);
                if (await target.TryMakeFolderAsync(path, cancellationToken))
                {
                    if (i < part.Above.Count)
                        made.Add((path, part.Above[i]));
                }
                else if (await target.FindAsync(path, cancellationToken) is not { IsFolder: true } there)
                {
                    throw new IOException("something else has its name");
                }
                else if (there.Obstacle is { } obstacle)
                {
                    throw new IOException(obstacle);
                }
            }
            catch (IOException failure) when (!EntryRestore.IsFull(failure))
            {
                files.Problems.Add(path, $"Nothing can be restored into this folder: {failure.Message}.");
                return false;
            }
        }

        return true;
    }

    private async ValueTask RestoreAsync(Stack<TargetFolder> way, TargetFolder folder, TreeEntry entry, CancellationToken cancellationToken)
    {
        if (folder.Fate != Fate.Restored)
        {
            if (entry.Kind == TreeEntryKind.Folder)
                await PushAsync(way, new(folder.Path.Join(entry.Name.Span), folder.Fate, entry, false, FolderCursor.None), cancellationToken);
            else
                files.CountUnrestored(folder.Fate);
        }
        else if (entry.Kind == TreeEntryKind.Folder)
        {
            await PushAsync(way, await files.OpenFolderAsync(folder, entry, cancellationToken), cancellationToken);
        }
        else
        {
            await files.RestoreAsync(folder, entry, cancellationToken);
        }
    }

    /// <summary>Opens what the tree has in a folder.</summary>
    private async ValueTask PushAsync(Stack<TargetFolder> way, TargetFolder folder, CancellationToken cancellationToken)
    {
        if (!folder.Entry!.HasContent)
            Tell(folder, "The folder could not be listed when it was backed up: it is restored empty.");
        try
        {
            way.Push(folder with { Entries = await FolderCursor.OpenAsync(tree, folder.Entry, cancellationToken) });
        }
        catch (StoreException failure) when (failure.IsDamage)
        {
            Tell(folder, $"What the folder holds is lost: {failure.Message}");
            files.CountUnrestored(Fate.Failed);
            way.Push(folder);
        }
    }

    private void Tell(TargetFolder folder, string what)
    {
        if (folder.Fate == Fate.Restored)
            files.Problems.Add(folder.Path, what);
    }

    private async ValueTask<TreeEntry?> NextAsync(TargetFolder folder, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                return await folder.Entries.NextAsync(cancellationToken);
            }
            catch (StoreException failure) when (failure.IsDamage)
            {
                Tell(folder, $"A part of the folder is lost: {failure.Message}");
                files.CountUnrestored(Fate.Failed);
            }
        }
    }
}

/// <summary>A folder that is being restored to a target.</summary>
/// <param name="Path">Where it is.</param>
/// <param name="Fate">What becomes of what is below it.</param>
/// <param name="Entry">Its own metadata; null when they are not restored.</param>
/// <param name="IsNew">It was made just now.</param>
/// <param name="Entries">What is to be restored into it.</param>
internal sealed record TargetFolder(TreePath Path, Fate Fate, TreeEntry? Entry, bool IsNew, FolderCursor Entries)
{
    /// <summary>What this restore has put there. Names that differ in capitals only are one to most targets.</summary>
    public HashSet<string> Placed { get; } = new(StringComparer.OrdinalIgnoreCase);
}
