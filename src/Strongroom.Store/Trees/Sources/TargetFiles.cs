using System.Text;
using Strongroom.Store.Manifests;
using Strongroom.Store.Streams;

namespace Strongroom.Store.Trees;

/// <summary>Puts single entries in place at a target, each complete before it has its name. Not for concurrent use.</summary>
internal sealed class TargetFiles(ManifestReader tree, TreeRestoreOptions options, ITreeTarget target)
{
    private const int ChunksAhead = 2;
    private long folders;
    private long count;
    private long bytes;
    private long skipped;
    private long failed;
    private long ownersLost;
    private long linksLost;

    public ProblemList Problems { get; } = new();

    private bool Resumes => options.Resumes && options.Existing != ExistingFiles.Overwrite;

    public TreeRestoreResult ToResult()
    {
        if (ownersLost > 0)
            Problems.Add(default, $"{ownersLost} files and folders had owners and modes of Linux, which there are none of here.");
        if (linksLost > 0)
            Problems.Add(default, $"{linksLost} names of files with several names are files of their own here.");
        return new(folders, count, bytes, skipped, failed, Problems.ToList(), Problems.Count);
    }

    public void Report(IProgress<TreeProgress>? progress) => progress?.Report(new(folders + count + skipped + failed, bytes));

    /// <summary>Counts what is not restored, and for which there is nothing more to be said.</summary>
    public void CountUnrestored(Fate fate)
    {
        if (fate == Fate.Skipped)
            skipped++;
        else
            failed++;
    }

    public void Fail(TreePath path, string what)
    {
        failed++;
        Problems.Add(path, what);
    }

    /// <summary>Makes a folder, or takes the one that is there.</summary>
    public async ValueTask<TargetFolder> OpenFolderAsync(TargetFolder above, TreeEntry entry, CancellationToken cancellationToken)
    {
        var path = above.Path.Join(entry.Name.Span);
        try
        {
            if (target.Refuse(entry.Kind, entry.Name.Span) is { } why)
                throw new IOException(why);
            var isOwn = !above.Placed.Add(entry.NameText);
            if (await target.TryMakeFolderAsync(path, cancellationToken))
                return Folder(path, isNew: true);
            if (await target.FindAsync(path, cancellationToken) is { IsFolder: true } there)
            {
                if (there.Obstacle is { } obstacle)
                    throw new IOException(obstacle);
                if (isOwn)
                    Problems.Add(path, "Another folder of the recovery point differs from it in capitals only: what both hold is in one.");
                return Folder(path, isNew: false);
            }

            switch (options.Existing)
            {
                case ExistingFiles.Overwrite when !isOwn:
                    await target.DeleteAsync(path, cancellationToken);
                    return await target.TryMakeFolderAsync(path, cancellationToken) ? Folder(path, isNew: true) : throw new IOException("its name is taken");
                case ExistingFiles.CreateCopy:
                    return Folder(await MakeCopyAsync(above.Path, entry.Name, cancellationToken), isNew: true);
                case ExistingFiles.Skip:
                    CountUnrestored(Fate.Skipped);
                    return new(path, Fate.Skipped, entry, false, FolderCursor.None);
                default:
                    throw new IOException("something else has its name");
            }
        }
        catch (IOException failure) when (!EntryRestore.IsFull(failure))
        {
            Fail(path, $"The folder cannot be made: {failure.Message}.");
            return new(path, Fate.Failed, entry, false, FolderCursor.None);
        }

        TargetFolder Folder(TreePath place, bool isNew) => new(place, Fate.Restored, entry, isNew, FolderCursor.None);
    }

    /// <summary>Sets a folder's own metadata, when nothing in it changes any more. What was there keeps its own unless it is to be overwritten.</summary>
    public async ValueTask FinishFolderAsync(TreePath path, TreeEntry entry, bool isNew, CancellationToken cancellationToken)
    {
        folders++;
        if (!isNew && options.Existing != ExistingFiles.Overwrite)
            return;
        CountLosses(entry);
        await ApplyAsync(path, path, entry, cancellationToken);
    }

    /// <summary>Restores what is no folder.</summary>
    public async ValueTask RestoreAsync(TargetFolder folder, TreeEntry entry, CancellationToken cancellationToken)
    {
        var path = folder.Path.Join(entry.Name.Span);
        try
        {
            if (target.Refuse(entry.Kind, entry.Name.Span) is { } why)
                throw new IOException(why);
            if (!entry.HasContent)
                throw new IOException("it could not be read when it was backed up");
            if (Resumes && await FindOwnAsync(folder, entry, cancellationToken))
                return;

            // Looked for first, to save the reading; what appears later is found when it gets its name.
            if (options.Existing is (ExistingFiles.Skip or ExistingFiles.FailOnConflict) && await target.FindAsync(path, cancellationToken) is not null)
            {
                Taken();
                return;
            }

            await WriteAsync(folder, path, entry, cancellationToken);
        }
        catch (IOException failure) when (!EntryRestore.IsFull(failure))
        {
            Fail(path, $"It cannot be restored: {failure.Message}.");
        }
        catch (StoreException failure) when (failure.IsDamage)
        {
            Fail(path, $"Its content is lost: {failure.Message}");
        }
    }

    private async ValueTask WriteAsync(TargetFolder folder, TreePath path, TreeEntry entry, CancellationToken cancellationToken)
    {
        // Not made of the name: two restores at once would give each other's half-written files their names.
        var temporary = folder.Path.Join(Encoding.ASCII.GetBytes($".strongroom-{Guid.NewGuid():n}.tmp"));
        var isPlaced = false;
        var isKept = false;
        await using (var file = await target.CreateAsync(temporary, cancellationToken))
        {
            try
            {
                await WriteContentAsync(file, entry, cancellationToken);
                await file.CloseAsync(cancellationToken);
                await ApplyAsync(temporary, path, entry, cancellationToken);
                isPlaced = await PlaceAsync(folder, temporary, path, entry, cancellationToken);
            }
            catch (KeptFileException)
            {
                isKept = true;
                throw;
            }
            finally
            {
                if (!isPlaced && !isKept)
                    await RemoveAsync(file, temporary);
            }
        }

        if (!isPlaced)
            Taken();
    }

    private async ValueTask WriteContentAsync(ITargetFile file, TreeEntry entry, CancellationToken cancellationToken)
    {
        if (entry.Inline is { } inline)
        {
            if (inline.Length > 0)
                await file.WriteAsync(0, inline, cancellationToken);
            return;
        }

        var end = 0L;
        if (entry.Stream is not { LengthBytes: > 0 } stream)
            return;
        await StreamRestore.RunAsync(
            tree,
            stream,
            ChunksAhead,
            async (offset, data, token) =>
            {
                await file.WriteAsync(offset, data, token);
                end = Math.Max(end, offset + data.Length);
            },
            cancellationToken);

        // A hole at the end.
        if (end < stream.LengthBytes)
            await file.WriteAsync(stream.LengthBytes - 1, new byte[1], cancellationToken);
    }

    /// <summary>False when the name is taken, and what has it stays.</summary>
    private async ValueTask<bool> PlaceAsync(TargetFolder folder, TreePath temporary, TreePath path, TreeEntry entry, CancellationToken cancellationToken)
    {
        var name = entry.Name.ToArray();
        for (var number = 1; ; number++)
        {
            var there = await target.FindAsync(path, cancellationToken);
            if (there is not null && options.Existing is (ExistingFiles.Skip or ExistingFiles.FailOnConflict))
                return false;
            if (there is null || options.Existing == ExistingFiles.Overwrite)
            {
                if (there is { IsFolder: true })
                    throw new IOException("a folder has its name");
                if (there is not null && folder.Placed.Contains(Encoding.UTF8.GetString(name)))
                    throw new IOException("another file of the recovery point differs from it in capitals only, and is restored there");
                await RenameAsync(temporary, path, there, cancellationToken);
                folder.Placed.Add(Encoding.UTF8.GetString(name));
                Count(entry);
                await SealAsync(path, entry, cancellationToken);
                return true;
            }

            name = CopyNames.Of(entry.Name.Span, number);
            path = folder.Path.Join(name);
        }
    }

    /// <exception cref="KeptFileException">What had the name may be gone, and the restored file has it not.</exception>
    private async ValueTask RenameAsync(TreePath temporary, TreePath path, TargetItem? there, CancellationToken cancellationToken)
    {
        try
        {
            await target.RenameAsync(temporary, path, replaces: there is not null, cancellationToken);
        }
        catch (IOException failure) when (there is not null && !EntryRestore.IsFull(failure))
        {
            // Its owner would have neither of them.
            if (await IsStillAsync(path, there.Value, cancellationToken))
                throw;
            throw new KeptFileException($"{failure.Message}; what had its name may be gone, and the restored file is kept as '{temporary}'", failure);
        }
    }

    private async ValueTask<bool> IsStillAsync(TreePath path, TargetItem was, CancellationToken cancellationToken)
    {
        try
        {
            return await target.FindAsync(path, cancellationToken) == was;
        }
        catch (IOException)
        {
            return false;
        }
    }

    private async ValueTask<TreePath> MakeCopyAsync(TreePath above, ReadOnlyMemory<byte> name, CancellationToken cancellationToken)
    {
        for (var number = 1; ; number++)
        {
            var path = above.Join(CopyNames.Of(name.Span, number));
            if (await target.TryMakeFolderAsync(path, cancellationToken))
                return path;
        }
    }

    /// <summary>True when an earlier run has put the file in place, under its name or that of a copy.</summary>
    private async ValueTask<bool> FindOwnAsync(TargetFolder folder, TreeEntry entry, CancellationToken cancellationToken)
    {
        var name = entry.Name.ToArray();
        for (var number = 1; await target.FindAsync(folder.Path.Join(name), cancellationToken) is { } there; number++)
        {
            if (!there.IsFolder && target.IsSame(there, entry) && folder.Placed.Add(Encoding.UTF8.GetString(name)))
            {
                Count(entry);
                return true;
            }

            if (options.Existing != ExistingFiles.CreateCopy)
                return false;
            name = CopyNames.Of(entry.Name.Span, number);
        }

        return false;
    }

    private void Count(TreeEntry entry)
    {
        count++;
        bytes += entry.LengthBytes;
        CountLosses(entry);
    }

    private void CountLosses(TreeEntry entry)
    {
        if (target.LosesOwner(entry))
            ownersLost++;
        if (entry.IsLinked)
            linksLost++;
    }

    /// <exception cref="IOException">Only to skip a file lets what is there be.</exception>
    private void Taken()
    {
        if (options.Existing != ExistingFiles.Skip)
            throw new IOException("something has its name");
        CountUnrestored(Fate.Skipped);
    }

    private async ValueTask ApplyAsync(TreePath path, TreePath named, TreeEntry entry, CancellationToken cancellationToken)
    {
        try
        {
            foreach (var problem in await target.ApplyAsync(path, entry, cancellationToken))
                Problems.Add(named, problem);
        }
        catch (IOException failure) when (!EntryRestore.IsFull(failure))
        {
            Problems.Add(named, $"Its times cannot be set: {failure.Message}.");
        }
    }

    private async ValueTask SealAsync(TreePath path, TreeEntry entry, CancellationToken cancellationToken)
    {
        try
        {
            await target.SealAsync(path, entry, cancellationToken);
        }
        catch (IOException failure) when (!EntryRestore.IsFull(failure))
        {
            Problems.Add(path, $"Its attributes cannot be set: {failure.Message}.");
        }
    }

    /// <summary>A restored file that is complete and stays under the name that it was written under.</summary>
    private sealed class KeptFileException(string message, Exception cause) : IOException(message, cause);

    private async ValueTask RemoveAsync(ITargetFile file, TreePath temporary)
    {
        try
        {
            await file.DisposeAsync();
            await target.DeleteAsync(temporary, CancellationToken.None);
        }
        catch (Exception)
        {
            // The first failure is the one to tell; a leftover says by its name what it is.
        }
    }
}
