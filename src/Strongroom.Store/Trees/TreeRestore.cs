using Strongroom.Store.Manifests;

namespace Strongroom.Store.Trees;

/// <summary>Restores parts of a tree: one walk in the order of names, files written in parallel behind it, a folder's own metadata last.</summary>
/// <remarks>Memory: a page and 256 entries of each folder on the way down, the files being written, and a line for each file with several names. However deep, few folders are open at once.</remarks>
internal sealed class TreeRestore(
    ManifestReader tree, IReadOnlyList<RestorePart> parts, TreeRestoreOptions options, int workers, IProgress<TreeProgress>? progress) : IDisposable
{
    private const int FewFiles = 16;
    private readonly SemaphoreSlim filePermits = new(workers + 1);
    private readonly RunningTasks running = new();
    private readonly EntryRestore files = new(tree, options, AreFew(parts));
    private readonly Dictionary<(uint Device, ulong Inode), (WalkedFolder Folder, Task<byte[]?> Placed)> linked = [];
    private readonly List<(WalkedFolder Folder, TreeEntry Entry)> madeOnTheWay = [];

    public async Task<TreeRestoreResult> RunAsync(string target, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var open = new OpenFolders(OpenTarget(target));
        await RequireNoneAsync(open, target, stop.Token);
        if (options.Begins is { } begins)
            await begins();
        try
        {
            foreach (var part in parts)
                await RestorePartAsync(open, part, stop.Token);
            for (var i = madeOnTheWay.Count - 1; i >= 0; i--)
                files.FinishFolder(open, madeOnTheWay[i].Folder, madeOnTheWay[i].Entry, isNew: true);
            files.Report(progress);
            if (!AreFew(parts))
                open.Root.Handle!.SyncFileSystem();
            return files.ToResult();
        }
        catch (IOException failure)
        {
            throw Stopped(target, failure);
        }
        finally
        {
            await stop.CancelAsync();
            await running.WhenAllEndedAsync();
            files.LeaveUnfinished(open);
        }
    }

    public void Dispose() => filePermits.Dispose();

    /// <summary>A few files are brought to the disk one by one: the whole file system may have much more to write, of others.</summary>
    private static bool AreFew(IReadOnlyList<RestorePart> parts) => parts.Count <= FewFiles && parts.All(part => part.Entry?.Kind != TreeEntryKind.Folder);

    private static FolderHandle OpenTarget(string target)
    {
        try
        {
            Directory.CreateDirectory(target);
            return FolderHandle.Open(target);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new StoreException(StoreErrorKind.InvalidRequest, $"The target '{target}' cannot be opened as a folder: {failure.Message}", failure);
        }
    }

    private static StoreException Stopped(string target, IOException failure) => new(
        EntryRestore.IsFull(failure) ? StoreErrorKind.Full : StoreErrorKind.Io,
        $"The restore to '{target}' stopped: {failure.Message}. The files that were restored until then are whole.",
        failure);

    /// <summary>Changes nothing.</summary>
    private async ValueTask RequireNoneAsync(OpenFolders open, string target, CancellationToken cancellationToken)
    {
        try
        {
            RequireVacant(open.Root.Handle!, target, cancellationToken);
            if (options.Existing == ExistingFiles.FailOnConflict && !options.Resumes)
                await ConflictSearch.RequireNoneAsync(tree, open, parts, target, cancellationToken);
        }
        catch (IOException failure)
        {
            throw Stopped(target, failure);
        }
    }

    /// <summary>A single file that is restored by its name only needs that name to be free.</summary>
    private void RequireVacant(FolderHandle root, string target, CancellationToken cancellationToken)
    {
        if (options.Existing != ExistingFiles.Refuse)
            return;
        var taken = parts is [{ IsContent: false, Entry: { } entry, Selection.Folder.IsRoot: true }] && entry.Kind != TreeEntryKind.Folder
            ? root.TryStat(entry.Name.Span) is null ? null : $"'{entry.NameText}' is in '{target}' already"
            : root.ReadNames(cancellationToken).Count == 0 ? null : $"'{target}' is not empty";
        if (taken is not null)
            throw new StoreException(StoreErrorKind.InvalidRequest, $"Nothing was restored, because {taken}. Restore to an empty folder, or ask for existing files to be replaced.");
    }

    private async ValueTask RestorePartAsync(OpenFolders open, RestorePart part, CancellationToken cancellationToken)
    {
        if (part.Entry is not { } entry)
        {
            files.Fail(part.Selection.Folder.Join(part.Selection.Path.Name), part.Loss ?? $"The recovery point has no '{part.Selection.Path}'.");
            return;
        }

        var folder = EnterWay(open, part);
        var fate = folder is null ? Fate.Failed : Fate.Restored;
        var way = new Stack<FolderRestore>();
        if (part.IsContent)
            await PushFolderAsync(way, folder, fate, entry, isNew: false, cancellationToken);
        else
            way.Push(new(folder, fate, null, false, FolderCursor.Of(entry)));
        while (true)
        {
            if (await NextAsync(way.Peek(), cancellationToken) is { } next)
            {
                await BeginAsync(open, way, next, cancellationToken);
                files.Report(progress);
                continue;
            }

            var done = running.Add(way.Pop().FinishAsync(files, open));
            if (way.TryPeek(out var above))
            {
                await above.AddAsync(done);
                continue;
            }

            await done;
            return;
        }
    }

    /// <summary>The folder that a part goes into; null when there can be none.</summary>
    private WalkedFolder? EnterWay(OpenFolders open, RestorePart part)
    {
        var folder = open.Root;
        var names = part.Selection.Folder.Names();
        for (var i = 0; i < names.Count; i++)
        {
            try
            {
                using var lease = open.Use(folder);
                var above = i < part.Above.Count ? part.Above[i] : null;
                var isMade = above is null ? lease.Handle.TryMakePlainFolder(names[i]) : lease.Handle.TryMakeFolder(names[i]);
                var handle = lease.Handle.OpenFolder(names[i]);
                folder = open.Enter(folder, names[i], handle);
                if (above is not null && files.Unfinished.Take(handle, isMade))
                {
                    files.Unfinished.Add(folder, above);
                    madeOnTheWay.Add((folder, above));
                }

                if (isMade && AreFew(parts))
                    lease.Handle.Sync();
            }
            catch (IOException failure) when (!EntryRestore.IsFull(failure))
            {
                files.Problems.Add(folder.PathOf(names[i]), $"Nothing can be restored into this folder: {failure.Message}.");
                return null;
            }
        }

        return folder;
    }

    private async ValueTask PushFolderAsync(
        Stack<FolderRestore> way, WalkedFolder? folder, Fate fate, TreeEntry entry, bool isNew, CancellationToken cancellationToken)
    {
        if (!entry.HasContent)
            Tell(folder, "The folder could not be listed when it was backed up: it is restored empty.");
        FolderCursor entries;
        try
        {
            entries = await FolderCursor.OpenAsync(tree, entry, cancellationToken);
        }
        catch (StoreException failure) when (failure.IsDamage)
        {
            Tell(folder, $"What the folder holds is lost: {failure.Message}");
            files.CountUnrestored(Fate.Failed);
            entries = FolderCursor.None;
        }

        way.Push(new(folder, fate, entry, isNew, entries));
    }

    private void Tell(WalkedFolder? folder, string what)
    {
        if (folder is not null)
            files.Problems.Add(folder.Path, what);
    }

    private async ValueTask<TreeEntry?> NextAsync(FolderRestore folder, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                return await folder.Entries.NextAsync(cancellationToken);
            }
            catch (StoreException failure) when (failure.IsDamage)
            {
                Tell(folder.Folder, $"A part of the folder is lost: {failure.Message}");
                files.CountUnrestored(Fate.Failed);
            }
        }
    }

    private async ValueTask BeginAsync(OpenFolders open, Stack<FolderRestore> way, TreeEntry entry, CancellationToken cancellationToken)
    {
        var above = way.Peek();
        if (above.Folder is not { } folder)
        {
            if (entry.Kind == TreeEntryKind.Folder)
                await PushFolderAsync(way, null, above.Fate, entry, false, cancellationToken);
            else
                files.CountUnrestored(above.Fate);
        }
        else if (entry.Kind == TreeEntryKind.Folder)
        {
            await BeginFolderAsync(open, way, folder, entry, cancellationToken);
        }
        else if (entry.IsLinked && linked.TryGetValue((entry.Device, entry.Inode), out var first) && await first.Placed is { } name)
        {
            files.Link(open, first.Folder, name, folder, entry);
        }
        else
        {
            await BeginFileAsync(open, above, folder, entry, cancellationToken);
        }
    }

    private async ValueTask BeginFolderAsync(
        OpenFolders open, Stack<FolderRestore> way, WalkedFolder folder, TreeEntry entry, CancellationToken cancellationToken)
    {
        WalkedFolder? child = null;
        var (isNew, fate) = (false, Fate.Failed);
        try
        {
            using var lease = open.Use(folder);
            (var handle, var name, isNew, fate) = files.OpenFolder(lease.Handle, entry, folder);
            child = handle is null ? null : open.Enter(folder, name, handle);
            if (child is not null && isNew)
                files.Unfinished.Add(child, entry);
        }
        catch (IOException failure) when (!EntryRestore.IsFull(failure))
        {
            files.Fail(folder.PathOf(entry.Name.Span), $"The folder cannot be made: {failure.Message}.");
        }

        await PushFolderAsync(way, child, fate, entry, isNew, cancellationToken);
    }

    private async ValueTask BeginFileAsync(OpenFolders open, FolderRestore above, WalkedFolder folder, TreeEntry entry, CancellationToken cancellationToken)
    {
        await filePermits.WaitAsync(cancellationToken);
        var task = running.Add(Workers.StartAsync(
            async () =>
            {
                try
                {
                    return await RestoreAsync(open, folder, entry, cancellationToken);
                }
                finally
                {
                    filePermits.Release();
                }
            }));
        if (entry.IsLinked)
            linked[(entry.Device, entry.Inode)] = (folder, task);
        await above.AddAsync(task);
    }

    private async Task<byte[]?> RestoreAsync(OpenFolders open, WalkedFolder folder, TreeEntry entry, CancellationToken cancellationToken)
    {
        try
        {
            using var lease = open.Use(folder);
            return await files.RestoreAsync(lease.Handle, folder, entry, cancellationToken);
        }
        catch (IOException failure) when (!EntryRestore.IsFull(failure))
        {
            files.Fail(folder.PathOf(entry.Name.Span), $"It cannot be restored: {failure.Message}.");
            return null;
        }
    }
}
