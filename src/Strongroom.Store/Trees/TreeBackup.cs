using Strongroom.Store.Manifests;
using Strongroom.Store.Packs;

namespace Strongroom.Store.Trees;

/// <summary>Walks a folder and stores it: one walk in the order of names, files read in parallel behind it, folders finished when all below them is.</summary>
/// <remarks>Memory: the names of the folders on the way down, 256 entries of each, the files being read, and a line for each file with several names. However deep, few folders are open at once.</remarks>
internal sealed class TreeBackup(
    ManifestReader tree,
    ISessionChunks chunks,
    FileContent content,
    TreeOptions options,
    Func<ManifestPackQuery, bool> hasPack,
    int workers,
    IProgress<TreeProgress>? progress) : IDisposable
{
    private readonly SemaphoreSlim filePermits = new(workers * 2);
    private readonly RunningTasks running = new();
    private readonly ExcludePatterns excludes = new(options.Excludes);
    private readonly FileEntries files = new(tree, chunks, content, options.Clock, hasPack);
    private readonly Dictionary<ulong, uint> devices = [];
    private readonly LinkedFiles linked = new();

    /// <summary>Stores the folder. Single files that fail are reported; failures of the vault end it.</summary>
    /// <exception cref="StoreException">InvalidRequest: the folder cannot be opened. Io: it cannot be listed.</exception>
    public async Task<TreeBackupResult> RunAsync(string folder, TreeRef? parent, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var open = new OpenFolders(OpenRoot(folder));
        try
        {
            var parentTop = parent is { } earlier ? await FolderReader.TryReadTopAsync(tree, earlier, stop.Token) : null;
            var top = await WalkAsync(open, folder, parentTop, stop.Token);
            var stored = await TreeTop.StoreAsync(tree, chunks, hasPack, parent, top, stop.Token);
            files.Report(progress);
            return new(stored, files.ToStatistics(), files.Problems.ToList(), files.Problems.Count);
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

    /// <summary>The tree's own folder, when all below it is stored.</summary>
    private async Task<TreeEntry> WalkAsync(OpenFolders open, string path, TreeEntry? parent, CancellationToken cancellationToken)
    {
        var way = new Stack<FolderBackup>();
        try
        {
            await PushAsync(way, open.Root, open.Root.Handle!, parent, cancellationToken);
        }
        catch (IOException failure)
        {
            // A recovery point of nothing would look like one of an empty folder.
            throw new StoreException(StoreErrorKind.Io, $"The folder '{path}' cannot be listed: {failure.Message}.", failure);
        }

        while (true)
        {
            var folder = way.Peek();
            if (folder.NextName() is { } name)
            {
                if (await VisitAsync(open, way, name, cancellationToken) is { } begun)
                    await folder.AddAsync(begun, files, cancellationToken);
                files.Report(progress);
                continue;
            }

            way.Pop();
            var done = running.Add(folder.FinishAsync(files, cancellationToken));
            if (!way.TryPeek(out var above))
                return (await done)!;
            await above.AddAsync(done, files, cancellationToken);
        }
    }

    /// <summary>Begins a folder: it is walked next. The entry of one that is not walked.</summary>
    /// <exception cref="IOException">It is gone, or it is the tree's own and cannot be listed.</exception>
    private async ValueTask<TreeEntry?> PushAsync(
        Stack<FolderBackup> way, WalkedFolder folder, FolderHandle handle, TreeEntry? parent, CancellationToken cancellationToken)
    {
        var stat = handle.Stat();
        var entry = files.Describe(stat, folder.Name, DeviceOf(stat)) with { Attributes = files.ReadAttributes(handle.Handle, folder) };
        if (folder.Parent is not null && options.StaysOnFileSystem && entry.Device != 0)
            return entry with { Stream = default(StreamRef) };
        List<byte[]> names;
        try
        {
            names = handle.ReadNames(cancellationToken);
        }
        catch (IOException failure) when (folder.Parent is not null)
        {
            files.Problems.Add(folder.Path, $"The folder cannot be listed: {failure.Message}.");
            return entry;
        }

        var before = await ParentFolder.OpenAsync(tree, parent, packSeq => hasPack(new(PackContent.Nodes, packSeq)), cancellationToken);
        way.Push(new(folder, entry, names, before, new FolderWriter(chunks, tree.Packs.Ring.NodeKey, before.Known)));
        return null;
    }

    /// <summary>Begins what has this name; null when it is a folder that is walked next.</summary>
    private async ValueTask<Task<TreeEntry?>?> VisitAsync(OpenFolders open, Stack<FolderBackup> way, byte[] name, CancellationToken cancellationToken)
    {
        var (folder, before) = (way.Peek().Folder, way.Peek().Before);
        try
        {
            using var lease = open.Use(folder);

            // What vanished since the folder was listed was never there.
            if (lease.Handle.TryStat(name) is not { } stat
                || (!excludes.IsEmpty && excludes.Excludes(folder, name, stat.Kind == TreeEntryKind.Folder)))
                return Nothing;
            var parent = await before.FindAsync(name, cancellationToken);
            if (stat.Kind == TreeEntryKind.Folder)
            {
                if (TryOpen(lease.Handle, folder, name) is not { } handle)
                    return Known(files.Describe(stat, name, DeviceOf(stat)));
                return await PushAsync(way, open.Enter(folder, name, handle), handle, parent, cancellationToken) is { } closed ? Known(closed) : null;
            }

            var device = DeviceOf(stat);
            var isAlone = stat.Links > 1 && !linked.Claim(stat);
            if (isAlone)
                stat = stat with { Links = 1 };
            if (parent is not null && await files.IsUnchangedAsync(parent, stat, cancellationToken))
                return Known(files.TakeUnchanged(parent, device));
            if (stat.Kind != TreeEntryKind.File)
                return Known(files.ReadSpecial(lease.Handle, stat, name, device, folder));
            return await VisitFileAsync(lease.Handle, folder, stat, name, isAlone, device, parent, cancellationToken);
        }
        catch (IOException failure)
        {
            files.Problems.Add(folder.PathOf(name), $"It cannot be read: {failure.Message}.");
            return Nothing;
        }
    }

    private async ValueTask<Task<TreeEntry?>> VisitFileAsync(
        FolderHandle handle, WalkedFolder folder, FileStat stat, byte[] name, bool isAlone, uint device, TreeEntry? parent, CancellationToken cancellationToken)
    {
        if (stat.Links > 1 && linked.Find(stat) is { } first)
            return running.Add(files.TakeLinkedAsync(first, name));
        await filePermits.WaitAsync(cancellationToken);
        try
        {
            // Opened here, while the folder is; what is waiting holds no file open.
            var file = handle.OpenFile(name);
            var isSame = stat.Links == 1 || IsSame(FileStat.Of(file), stat);
            var task = running.Add(Workers.StartAsync(
                async () =>
                {
                    try
                    {
                        using (file)
                            return await files.ReadFileAsync(file, name, device, parent, folder, isAlone, cancellationToken);
                    }
                    finally
                    {
                        filePermits.Release();
                    }
                }));

            // Another file may have taken the name: its content is not that of the first one's other names.
            if (stat.Links > 1 && isSame)
                linked.Add(stat, task);
            return task;
        }
        catch (IOException failure)
        {
            filePermits.Release();
            files.Problems.Add(folder.PathOf(name), $"The file cannot be opened: {failure.Message}.");
            return Known(files.Describe(stat, name, device));
        }
    }

    private static bool IsSame(FileStat one, FileStat other) => (one.Device, one.Inode) == (other.Device, other.Inode);

    private static Task<TreeEntry?> Nothing { get; } = Task.FromResult<TreeEntry?>(null);

    private static Task<TreeEntry?> Known(TreeEntry entry) => Task.FromResult<TreeEntry?>(entry);

    private FolderHandle? TryOpen(FolderHandle handle, WalkedFolder folder, byte[] name)
    {
        try
        {
            return handle.OpenFolder(name);
        }
        catch (IOException failure)
        {
            files.Problems.Add(folder.PathOf(name), $"The folder cannot be opened: {failure.Message}.");
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
