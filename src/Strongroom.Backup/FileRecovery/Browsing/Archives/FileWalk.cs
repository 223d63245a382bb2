using System.Runtime.CompilerServices;

namespace Strongroom.Backup.FileRecovery.Browsing.Archives;

/// <summary>Everything at and below a path, parents before children.</summary>
/// <remarks>
/// Links are not followed. Memory: a page for each level, all together <see cref="MaxOpenBytes"/>. A damaged file system may have folders in
/// circles; that, the length of paths and <see cref="MaxEntries"/> end it.
/// </remarks>
public static class FileWalk
{
    public const long MaxEntries = 50_000_000;

    /// <summary>What is kept of all folders that are open at a time, one below the other.</summary>
    public const long MaxOpenBytes = 64 << 20;

    private const int PageCount = 500;

    // Of an entry, beside its name and its link.
    private const int EntryBytes = 256;

    /// <param name="tree">The files.</param>
    /// <param name="top">Where to begin. Below the root, volumes that cannot be read are left out.</param>
    /// <param name="cancellationToken">Ends the walk.</param>
    public static async IAsyncEnumerable<(FilePath Path, FileEntry Entry)> WalkAsync(IFileTree tree, FilePath top, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        long count = 0, openBytes = 0;
        if (!top.IsRoot)
        {
            var first = await tree.FindAsync(top, cancellationToken);
            yield return (top, first);
            if (!first.IsFolder) yield break;
        }

        var open = new Stack<Folder>();
        open.Push(new(top));
        while (open.TryPeek(out var folder))
        {
            if (folder.Index == folder.Entries.Count)
            {
                if (folder.Next is not { } position)
                {
                    openBytes -= open.Pop().Bytes;
                    continue;
                }

                var page = await tree.ListAsync(folder.Path, position, PageCount, cancellationToken);
                openBytes += folder.Take(page);
                if (openBytes > MaxOpenBytes)
                    throw new FileBrowsingException(FileBrowsingFault.Damaged, $"The folders below '{top.Text}' are too deep, with too long names in them, to be taken at once: take those below them one by one.");
                continue;
            }

            var entry = folder.Entries[folder.Index++];
            if (entry.Volume is { Unreadable: not null }) continue;
            var path = folder.Path.Child(entry.Name);
            if (entry.Kind == FileKind.Unknown) throw new FileBrowsingException(FileBrowsingFault.Damaged, $"The file system is damaged at '{path.Text}'.");
            if (++count > MaxEntries) throw new FileBrowsingException(FileBrowsingFault.Damaged, $"There are more than {MaxEntries} files below '{top.Text}'.");
            yield return (path, entry);
            if (entry.IsFolder) open.Push(new(path));
        }
    }

    private sealed class Folder(FilePath path)
    {
        public FilePath Path => path;

        public IReadOnlyList<FileEntry> Entries { get; private set; } = [];

        public int Index { get; set; }

        public long? Next { get; private set; } = 0;

        public long Bytes { get; private set; }

        /// <returns>By how much it has grown.</returns>
        public long Take(FilePage page)
        {
            var before = Bytes;
            (Entries, Index, Next) = (page.Entries, 0, page.Next);
            // A path has a reference to each of its names.
            Bytes = (path.Depth * (long)nint.Size) + page.Entries.Sum(static e => EntryBytes + e.Name.Length + (long)e.LinkTarget.Length);
            return Bytes - before;
        }
    }
}
