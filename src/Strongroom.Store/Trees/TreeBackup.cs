using Strongroom.Store.Manifests;
using Strongroom.Store.Packs;

namespace Strongroom.Store.Trees;

/// <summary>Walks a folder and stores it: one walk in the order of names, files read in parallel behind it, folders finished when all below them is.</summary>
/// <remarks>Memory: the names of the folders on the way down, 256 entries of each, the files being read, and a line for each file with several names.</remarks>
internal sealed class TreeBackup(
    ManifestReader tree,
    ISessionChunks chunks,
    FileContent content,
    TreeOptions options,
    Func<ManifestPackQuery, bool> hasPack,
    int workers,
    IProgress<TreeProgress>? progress) : IDisposable
{
    private const int EntriesAhead = 256;
    private const int GreatestDepth = 512;
    private readonly SemaphoreSlim filePermits = new(workers * 2);
    private readonly RunningTasks running = new();
    private readonly ExcludePatterns excludes = new(options.Excludes);
    private readonly FileEntries files = new(tree, chunks, content, options.Clock, hasPack);
    private readonly Dictionary<ulong, uint> devices = [];
    private readonly Dictionary<(ulong Device, ulong Inode), Task<TreeEntry?>> linked = [];

    /// <summary>Stores the folder. Single files that fail are reported; failures of the vault end it.</summary>
    /// <exception cref="StoreException">InvalidRequest: the folder cannot be opened.</exception>
    public async Task<TreeBackupResult> RunAsync(string folder, TreeRef? parent, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        try
        {
            using var root = OpenRoot(folder);
            var parentTop = parent is { } earlier ? await ReadParentAsync(earlier, stop.Token) : null;
            var top = await await VisitFolderAsync(root, root.Stat(), [], parentTop, default, 0, stop.Token);
            var page = TreePage.Format(top!);
            var slot = parent is { } same && same.Page.Root.Id == ChunkId.Compute(tree.Packs.Ring.NodeKey, page) && hasPack(new(PackContent.Nodes, same.Page.Root.PackSeq))
                ? same.Page.Root
                : await chunks.StoreNodeAsync(page, stop.Token);
            files.Report(progress);
            return new(new(new StreamRef(page.Length, 0, slot)), files.ToStatistics(), files.Problems.ToList(), files.Problems.Count);
        }
        finally
        {
            await stop.CancelAsync();
            await running.WhenAllEndedAsync();
        }
    }

    public void Dispose() => filePermits.Dispose();

    private static FolderHandle OpenRoot(string folder)
    {
        try
        {
            return FolderHandle.Open(folder);
        }
        catch (IOException failure)
        {
            throw new StoreException(StoreErrorKind.InvalidRequest, $"The folder '{folder}' cannot be opened: {failure.Message}.", failure);
        }
    }

    private async ValueTask<TreeEntry?> ReadParentAsync(TreeRef parent, CancellationToken cancellationToken)
    {
        try
        {
            return await FolderReader.ReadTopAsync(tree, parent, cancellationToken);
        }
        catch (StoreException failure) when (failure.IsDamage)
        {
            return null;
        }
    }

    /// <summary>Walks a folder. On return all below it is begun; the result ends when it is stored.</summary>
    private async Task<Task<TreeEntry?>> VisitFolderAsync(
        FolderHandle handle, FileStat stat, byte[] name, TreeEntry? parent, TreePath path, int depth, CancellationToken cancellationToken)
    {
        var entry = files.Describe(stat, name, DeviceOf(stat)) with { Attributes = files.ReadAttributes(handle.Handle, path) };
        if (depth > 0 && options.StaysOnFileSystem && entry.Device != 0)
            return Task.FromResult<TreeEntry?>(entry with { Stream = default(StreamRef) });
        List<byte[]> names;
        try
        {
            names = depth < GreatestDepth ? handle.ReadNames(cancellationToken) : throw new IOException("It lies too deep.");
        }
        catch (IOException failure)
        {
            files.Problems.Add(path, $"The folder cannot be listed: {failure.Message}.");
            return Task.FromResult<TreeEntry?>(entry);
        }

        var before = await ParentFolder.OpenAsync(tree, parent, packSeq => hasPack(new(PackContent.Nodes, packSeq)), cancellationToken);
        var writer = new FolderWriter(chunks, tree.Packs.Ring.NodeKey, before.Known);
        var ahead = new Queue<Task<TreeEntry?>>();
        foreach (var child in names)
        {
            ahead.Enqueue(await VisitAsync(handle, child, before, path.Join(child), depth + 1, cancellationToken));
            while (ahead.Count > EntriesAhead || (ahead.TryPeek(out var next) && next.IsCompleted))
                await AddAsync(writer, await ahead.Dequeue(), path, cancellationToken);
        }

        return running.Add(FinishFolderAsync(entry, writer, ahead, path, cancellationToken));
    }

    private async Task<TreeEntry?> FinishFolderAsync(
        TreeEntry folder, FolderWriter writer, Queue<Task<TreeEntry?>> ahead, TreePath path, CancellationToken cancellationToken)
    {
        while (ahead.TryDequeue(out var next))
            await AddAsync(writer, await next, path, cancellationToken);
        files.CountFolder();
        return folder with { Stream = await writer.FinishAsync(cancellationToken) };
    }

    private async ValueTask AddAsync(FolderWriter writer, TreeEntry? entry, TreePath folder, CancellationToken cancellationToken)
    {
        if (entry is null)
            return;
        var bytes = TreePage.Format(entry);
        if (bytes.Length > TreePage.GreatestEntryLengthBytes)
        {
            files.Problems.Add(folder.Join(entry.Name.Span), "Its extended attributes are longer than 1 MiB and were left out.");
            bytes = TreePage.Format(entry with { Attributes = [] });
        }

        await writer.AddAsync(entry.Name, bytes, cancellationToken);
        files.Report(progress);
    }

    private async ValueTask<Task<TreeEntry?>> VisitAsync(
        FolderHandle folder, byte[] name, ParentFolder before, TreePath path, int depth, CancellationToken cancellationToken)
    {
        try
        {
            // What vanished since the folder was listed was never there.
            if (folder.TryStat(name) is not { } stat || (!excludes.IsEmpty && excludes.Excludes(path, name, stat.Kind == TreeEntryKind.Folder)))
                return Task.FromResult<TreeEntry?>(null);
            var parent = await before.FindAsync(name, cancellationToken);
            if (stat.Kind == TreeEntryKind.Folder)
            {
                using var handle = TryOpen(folder, name, path);
                if (handle is null)
                    return Task.FromResult<TreeEntry?>(files.Describe(stat, name, DeviceOf(stat)));
                return await VisitFolderAsync(handle, handle.Stat(), name, parent, path, depth, cancellationToken);
            }

            var device = DeviceOf(stat);
            if (parent is not null && await files.IsUnchangedAsync(parent, stat, cancellationToken))
                return Task.FromResult<TreeEntry?>(files.TakeUnchanged(parent, device));
            if (stat.Kind != TreeEntryKind.File)
                return Task.FromResult<TreeEntry?>(files.ReadSpecial(folder, stat, name, device, path));
            return await VisitFileAsync(folder, stat, name, device, parent, path, cancellationToken);
        }
        catch (IOException failure)
        {
            files.Problems.Add(path, $"It cannot be read: {failure.Message}.");
            return Task.FromResult<TreeEntry?>(null);
        }
    }

    private async ValueTask<Task<TreeEntry?>> VisitFileAsync(
        FolderHandle folder, FileStat stat, byte[] name, uint device, TreeEntry? parent, TreePath path, CancellationToken cancellationToken)
    {
        var key = (stat.Device, stat.Inode);
        if (stat.Links > 1 && linked.TryGetValue(key, out var first))
            return running.Add(files.TakeLinkedAsync(first, name));
        await filePermits.WaitAsync(cancellationToken);
        Task<TreeEntry?> task;
        try
        {
            // Opened here, while the folder is; what is waiting holds no file open.
            var file = folder.OpenFile(name);
            task = running.Add(Workers.StartAsync(
                async () =>
                {
                    try
                    {
                        using (file)
                            return await files.ReadFileAsync(file, name, device, parent, path, cancellationToken);
                    }
                    finally
                    {
                        filePermits.Release();
                    }
                }));
        }
        catch (IOException failure)
        {
            filePermits.Release();
            files.Problems.Add(path, $"The file cannot be opened: {failure.Message}.");
            task = Task.FromResult<TreeEntry?>(files.Describe(stat, name, device));
        }

        if (stat.Links > 1)
            linked[key] = task;
        return task;
    }

    private FolderHandle? TryOpen(FolderHandle folder, byte[] name, TreePath path)
    {
        try
        {
            return folder.OpenFolder(name);
        }
        catch (IOException failure)
        {
            files.Problems.Add(path, $"The folder cannot be opened: {failure.Message}.");
            return null;
        }
    }

    private uint DeviceOf(FileStat stat)
    {
        if (!devices.TryGetValue(stat.Device, out var number))
            devices[stat.Device] = number = (uint)devices.Count;
        return number;
    }
}
