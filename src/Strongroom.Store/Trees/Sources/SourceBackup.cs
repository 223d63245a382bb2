using Strongroom.Store.Manifests;
using Strongroom.Store.Packs;

namespace Strongroom.Store.Trees;

/// <summary>Walks a source and stores it: one walk in the order of names, files read behind it, folders finished when all below them is.</summary>
/// <remarks>Memory: what the listings of the folders on the way down told, and the files being read.</remarks>
internal sealed class SourceBackup(
    ManifestReader tree, ISessionChunks chunks, SourceFiles files, TreeOptions options, Func<ManifestPackQuery, bool> hasPack, ITreeSource source, int workers, IProgress<TreeProgress>? progress)
    : IDisposable
{
    private readonly SemaphoreSlim filePermits = new(workers * 2);
    private readonly RunningTasks running = new();
    private readonly ExcludePatterns excludes = new(options.Excludes);

    /// <summary>Stores the source. Single files that fail are reported; failures of the vault and of the source itself end it.</summary>
    /// <exception cref="StoreException">Io: the tree's own folder cannot be listed.</exception>
    public async Task<TreeBackupResult> RunAsync(TreeRef? parent, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        try
        {
            var parentTop = parent is { } earlier ? await FolderReader.TryReadTopAsync(tree, earlier, stop.Token) : null;
            var top = await WalkAsync(parentTop, stop.Token);
            var stored = await TreeTop.StoreAsync(tree, chunks, hasPack, parent, top, stop.Token);
            files.Entries.Report(progress);
            return new(stored, files.Entries.ToStatistics(), files.Entries.Problems.ToList(), files.Entries.Problems.Count);
        }
        finally
        {
            await stop.CancelAsync();
            await running.WhenAllEndedAsync();
        }
    }

    public void Dispose() => filePermits.Dispose();

    private async Task<TreeEntry> WalkAsync(TreeEntry? parent, CancellationToken cancellationToken)
    {
        var way = new Stack<SourceFolder>();
        try
        {
            var root = await source.FindRootAsync(cancellationToken);
            await PushAsync(way, new(null, [], SourceFiles.StatOf(root)), root, parent, cancellationToken);
        }
        catch (IOException failure)
        {
            // A recovery point of nothing would look like one of an empty folder.
            throw new StoreException(StoreErrorKind.Io, $"The folder cannot be listed: {failure.Message}.", failure);
        }

        while (true)
        {
            var folder = way.Peek();
            if (folder.Next() is { } item)
            {
                if (await VisitAsync(way, folder.Backup, item, cancellationToken) is { } begun)
                    await folder.Backup.AddAsync(begun, files.Entries, cancellationToken);
                files.Entries.Report(progress);
                continue;
            }

            way.Pop();
            var done = running.Add(folder.Backup.FinishAsync(files.Entries, cancellationToken));
            if (!way.TryPeek(out var above))
                return (await done)!;
            await above.Backup.AddAsync(done, files.Entries, cancellationToken);
        }
    }

    /// <summary>Begins a folder: it is walked next. The entry of one that is not walked.</summary>
    /// <exception cref="IOException">It is the tree's own and cannot be listed.</exception>
    private async ValueTask<TreeEntry?> PushAsync(Stack<SourceFolder> way, WalkedFolder folder, SourceItem item, TreeEntry? parent, CancellationToken cancellationToken)
    {
        var path = folder.Path;
        var entry = await files.DescribeFolderAsync(path, item, parent, cancellationToken);
        if (item.Obstacle is { } obstacle)
            return Unlisted(path, entry, obstacle);

        // Servers follow their symbolic links.
        if (item.Inode != 0 && way.Any(above => above.Inode == item.Inode))
            return Unlisted(path, entry, "The folder is one of those that it lies in, by a link on its server: it is kept as an empty one.");
        List<SourceItem> items;
        try
        {
            items = [.. await source.ListAsync(path, cancellationToken)];
        }
        catch (IOException failure) when (folder.Parent is not null)
        {
            return Unlisted(path, entry, $"The folder cannot be listed: {failure.Message}.");
        }

        items.Sort((a, b) => a.Name.Span.SequenceCompareTo(b.Name.Span));
        var before = await ParentFolder.OpenAsync(tree, parent, packSeq => hasPack(new(PackContent.Nodes, packSeq)), cancellationToken);
        way.Push(new(new(folder, entry, [], before, new FolderWriter(chunks, tree.Packs.Ring.NodeKey, before.Known)), item.Inode, items));
        return null;
    }

    private TreeEntry Unlisted(TreePath path, TreeEntry entry, string why)
    {
        files.Entries.Problems.Add(path, why);
        return entry;
    }

    /// <summary>Begins what has this name; null when it is a folder that is walked next.</summary>
    private async ValueTask<Task<TreeEntry?>?> VisitAsync(Stack<SourceFolder> way, FolderBackup at, SourceItem item, CancellationToken cancellationToken)
    {
        var name = item.Name.ToArray();
        if (!TreePage.IsName(name))
        {
            files.Entries.Problems.Add(at.Folder.Path, $"'{TreePath.Of(name)}' was left out: its name is longer than 255 bytes, or none.");
            return Nothing;
        }

        if (!excludes.IsEmpty && excludes.Excludes(at.Folder, name, item.Kind == TreeEntryKind.Folder))
            return Nothing;
        var parent = await at.Before.FindAsync(name, cancellationToken);
        if (item.Kind == TreeEntryKind.Folder)
        {
            return await PushAsync(way, new(at.Folder, name, SourceFiles.StatOf(item)), item, parent, cancellationToken) is { } closed
                ? Task.FromResult<TreeEntry?>(closed)
                : null;
        }

        await filePermits.WaitAsync(cancellationToken);
        return running.Add(Workers.StartAsync(
            async () =>
            {
                try
                {
                    return await files.ReadAsync(at.Folder.PathOf(name), item, parent, cancellationToken);
                }
                finally
                {
                    filePermits.Release();
                }
            }));
    }

    private static Task<TreeEntry?> Nothing { get; } = Task.FromResult<TreeEntry?>(null);

    /// <summary>A folder on the way down.</summary>
    private sealed class SourceFolder(FolderBackup backup, ulong inode, List<SourceItem> items)
    {
        private int next;

        public FolderBackup Backup => backup;

        public ulong Inode => inode;

        /// <summary>The next of its items; of several with one name the first counts.</summary>
        public SourceItem? Next()
        {
            while (next < items.Count)
            {
                var item = items[next++];
                if (next < 2 || !item.Name.Span.SequenceEqual(items[next - 2].Name.Span))
                    return item;
            }

            return null;
        }
    }
}
