using System.Runtime.CompilerServices;

namespace Strongroom.Backup.FileRecovery.Browsing.Archives;

/// <summary>Everything at and below a path, parents before children.</summary>
/// <remarks>
/// Links are not followed. Memory: a page for each level. A damaged file system may have folders in circles; the length of paths and
/// <see cref="MaxEntries"/> end that.
/// </remarks>
public static class FileWalk
{
    public const long MaxEntries = 50_000_000;

    private const int PageCount = 500;

    /// <param name="tree">The files.</param>
    /// <param name="top">Where to begin. Below the root, volumes that cannot be read are left out.</param>
    /// <param name="cancellationToken">Ends the walk.</param>
    public static async IAsyncEnumerable<(FilePath Path, FileEntry Entry)> WalkAsync(IFileTree tree, FilePath top, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        long count = 0;
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
                    open.Pop();
                    continue;
                }

                var page = await tree.ListAsync(folder.Path, position, PageCount, cancellationToken);
                (folder.Entries, folder.Index, folder.Next) = (page.Entries, 0, page.Next);
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

        public IReadOnlyList<FileEntry> Entries { get; set; } = [];

        public int Index { get; set; }

        public long? Next { get; set; } = 0;
    }
}
