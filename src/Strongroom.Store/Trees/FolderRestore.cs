namespace Strongroom.Store.Trees;

/// <summary>A folder that is being restored. Not for concurrent use.</summary>
/// <param name="folder">Null: nothing below it is restored, and only counted.</param>
/// <param name="fate">What becomes of what is below it.</param>
/// <param name="entry">Its own metadata; null when they are not restored.</param>
/// <param name="isNew">It was made just now.</param>
/// <param name="entries">What is to be restored into it.</param>
internal sealed class FolderRestore(WalkedFolder? folder, Fate fate, TreeEntry? entry, bool isNew, FolderCursor entries)
{
    private const int EntriesAhead = 256;
    private readonly Queue<Task> ahead = new();

    public WalkedFolder? Folder => folder;

    public Fate Fate => fate;

    public FolderCursor Entries => entries;

    /// <summary>Takes what was begun below this folder. Waits while too much of it is not done.</summary>
    public async ValueTask AddAsync(Task begun)
    {
        ahead.Enqueue(begun);
        while (ahead.Count > EntriesAhead || (ahead.TryPeek(out var next) && next.IsCompleted))
            await ahead.Dequeue();
    }

    /// <summary>Ends when all below is done and the folder has its metadata.</summary>
    public async Task<bool> FinishAsync(EntryRestore files, OpenFolders open)
    {
        while (ahead.TryDequeue(out var next))
            await next;
        if (folder is not null && entry is not null)
            files.FinishFolder(open, folder, entry, isNew);
        return true;
    }
}
