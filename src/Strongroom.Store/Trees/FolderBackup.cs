namespace Strongroom.Store.Trees;

/// <summary>A folder that is being stored. Not for concurrent use.</summary>
/// <param name="folder">Where it is.</param>
/// <param name="entry">What is known of itself.</param>
/// <param name="names">What is in it, in order.</param>
/// <param name="before">The same folder in the parent.</param>
/// <param name="writer">Takes its entries.</param>
internal sealed class FolderBackup(WalkedFolder folder, TreeEntry entry, List<byte[]> names, ParentFolder before, FolderWriter writer)
{
    private const int EntriesAhead = 256;
    private readonly Queue<Task<TreeEntry?>> ahead = new();
    private int nextName;

    public WalkedFolder Folder => folder;

    public ParentFolder Before => before;

    /// <summary>The next name in it; null at the end.</summary>
    public byte[]? NextName() => nextName < names.Count ? names[nextName++] : null;

    /// <summary>Takes the next entry, or what will be it; null for what is left out. Waits while too many are not known.</summary>
    public async ValueTask AddAsync(Task<TreeEntry?> begun, FileEntries files, CancellationToken cancellationToken)
    {
        ahead.Enqueue(begun);
        while (ahead.Count > EntriesAhead || (ahead.TryPeek(out var next) && next.IsCompleted))
            await WriteAsync(await ahead.Dequeue(), files, cancellationToken);
    }

    /// <summary>The folder's entry, when all below it is stored.</summary>
    public async Task<TreeEntry?> FinishAsync(FileEntries files, CancellationToken cancellationToken)
    {
        while (ahead.TryDequeue(out var next))
            await WriteAsync(await next, files, cancellationToken);
        files.CountFolder();
        return entry with { Stream = await writer.FinishAsync(cancellationToken) };
    }

    private async ValueTask WriteAsync(TreeEntry? child, FileEntries files, CancellationToken cancellationToken)
    {
        if (child is null)
            return;
        var bytes = TreePage.Format(child);
        if (bytes.Length > TreePage.GreatestEntryLengthBytes)
        {
            files.Problems.Add(folder.PathOf(child.Name.Span), "Its extended attributes are longer than 1 MiB and were left out.");
            bytes = TreePage.Format(child with { Attributes = [] });
        }

        await writer.AddAsync(child.Name, bytes, cancellationToken);
    }
}
