using Strongroom.Store.Manifests;

namespace Strongroom.Store.Trees;

/// <summary>Restores a folder of a tree: one walk in the order of names, files written in parallel behind it, a folder's own metadata last.</summary>
/// <remarks>Memory: 256 entries of each folder on the way down, the files being written, and a line for each file with several names.</remarks>
internal sealed class TreeRestore(ManifestReader tree, TreeRestoreOptions options, int workers, IProgress<TreeProgress>? progress) : IDisposable
{
    private const int EntriesAhead = 256;
    private const int GreatestDepth = 512;
    private readonly SemaphoreSlim filePermits = new(workers + 1);
    private readonly RunningTasks running = new();
    private readonly EntryRestore files = new(tree, options.Existing == ExistingFiles.Overwrite);
    private readonly Dictionary<(uint Device, ulong Inode), (TreePath Path, Task<bool> Placed)> linked = [];

    /// <summary>Restores a folder's content and metadata into <paramref name="target"/>, or a single file of this name into it.</summary>
    public async Task<TreeRestoreResult> RunAsync(TreeEntry entry, string target, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        try
        {
            using var root = OpenTarget(target);
            if (entry.Kind == TreeEntryKind.Folder)
            {
                RequireVacant(root, target, stop.Token);
                await await RestoreFolderAsync(root, root, entry, default, 0, stop.Token);
            }
            else
            {
                if (options.Existing == ExistingFiles.Refuse && root.TryStat(entry.Name.Span) is not null)
                    throw Refuse($"'{entry.NameText}' is in '{target}' already");
                await await BeginAsync(root, root, entry, default(TreePath).Join(entry.Name.Span), 0, stop.Token);
            }

            return files.ToResult();
        }
        catch (IOException failure)
        {
            throw new StoreException(
                failure.HResult is LinuxCalls.NoRoom or LinuxCalls.QuotaExceeded ? StoreErrorKind.Full : StoreErrorKind.Io,
                $"The restore to '{target}' stopped: {failure.Message}. What was restored until then is whole.",
                failure);
        }
        finally
        {
            await stop.CancelAsync();
            await running.WhenAllEndedAsync();
        }
    }

    public void Dispose() => filePermits.Dispose();

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

    private static StoreException Refuse(string why) => new(
        StoreErrorKind.InvalidRequest, $"Nothing was restored, because {why}. Restore to an empty folder, or ask for existing files to be replaced.");

    private void RequireVacant(FolderHandle root, string target, CancellationToken cancellationToken)
    {
        if (options.Existing == ExistingFiles.Refuse && root.ReadNames(cancellationToken).Count > 0)
            throw Refuse($"'{target}' is not empty");
    }

    /// <summary>Walks a folder. On return all below it is begun; the result ends when all of it is in place.</summary>
    private async Task<Task<bool>> RestoreFolderAsync(
        FolderHandle root, FolderHandle handle, TreeEntry folder, TreePath path, int depth, CancellationToken cancellationToken)
    {
        if (!folder.HasContent)
            files.Problems.Add(path, "The folder could not be listed when it was backed up: it is restored empty.");
        if (depth >= GreatestDepth)
        {
            files.Problems.Add(path, "The folder lies too deep: it is restored empty.");
            folder = folder with { Stream = null };
        }

        var ahead = new Queue<Task<bool>>();
        try
        {
            await foreach (var entry in FolderReader.ReadAsync(tree, folder, cancellationToken))
            {
                ahead.Enqueue(await BeginAsync(root, handle, entry, path.Join(entry.Name.Span), depth + 1, cancellationToken));
                files.Report(progress);
                while (ahead.Count > EntriesAhead || (ahead.TryPeek(out var next) && next.IsCompleted))
                    await ahead.Dequeue();
            }
        }
        catch (StoreException failure) when (failure.IsDamage)
        {
            files.Problems.Add(path, $"A part of the folder is lost: {failure.Message}");
        }

        return running.Add(FinishFolderAsync(handle, folder, ahead, path));
    }

    private async Task<bool> FinishFolderAsync(FolderHandle handle, TreeEntry folder, Queue<Task<bool>> ahead, TreePath path)
    {
        while (ahead.TryDequeue(out var next))
            await next;
        files.FinishFolder(handle, folder, path);
        files.Report(progress);
        return true;
    }

    private async ValueTask<Task<bool>> BeginAsync(
        FolderHandle root, FolderHandle folder, TreeEntry entry, TreePath path, int depth, CancellationToken cancellationToken)
    {
        if (entry.Kind == TreeEntryKind.Folder)
            return await BeginFolderAsync(root, folder, entry, path, depth, cancellationToken);
        var key = (entry.Device, entry.Inode);
        if (entry.IsLinked && linked.TryGetValue(key, out var first))
        {
            if (await first.Placed)
                return Task.FromResult(files.Link(root, first.Path, folder, entry, path));
        }

        await filePermits.WaitAsync(cancellationToken);
        var task = running.Add(Workers.StartAsync(
            async () =>
            {
                try
                {
                    return await files.RestoreAsync(folder, entry, path, cancellationToken);
                }
                finally
                {
                    filePermits.Release();
                }
            }));
        if (entry.IsLinked)
            linked[key] = (path, task);
        return task;
    }

    private async ValueTask<Task<bool>> BeginFolderAsync(
        FolderHandle root, FolderHandle folder, TreeEntry entry, TreePath path, int depth, CancellationToken cancellationToken)
    {
        if (files.OpenFolder(folder, entry, path) is not { } handle)
            return Task.FromResult(false);
        try
        {
            var below = await RestoreFolderAsync(root, handle, entry, path, depth, cancellationToken);
            return running.Add(CloseAfterAsync(handle, below));
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    private static async Task<bool> CloseAfterAsync(FolderHandle handle, Task<bool> below)
    {
        using (handle)
            return await below;
    }
}
