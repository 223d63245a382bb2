using System.Runtime.CompilerServices;
using Strongroom.Store.Manifests;
using Strongroom.Store.Streams;

namespace Strongroom.Store.Trees;

/// <summary>Reads folders of a stored tree, page by page. Thread-safe.</summary>
internal static class FolderReader
{
    /// <summary>The entry of the tree's own folder.</summary>
    public static async ValueTask<TreeEntry> ReadTopAsync(ManifestReader tree, TreeRef top, CancellationToken cancellationToken)
    {
        var entry = (await tree.ReadPageAsync(top.Page.Root, top.Page.LengthBytes, true, cancellationToken))[0];
        return entry.Kind == TreeEntryKind.Folder ? entry : throw TreePage.Malformed();
    }

    /// <summary>The entry of an earlier tree's own folder; null when it is damaged: then there is nothing to compare with.</summary>
    public static async ValueTask<TreeEntry?> TryReadTopAsync(ManifestReader tree, TreeRef top, CancellationToken cancellationToken)
    {
        try
        {
            return await ReadTopAsync(tree, top, cancellationToken);
        }
        catch (StoreException failure) when (failure.IsDamage)
        {
            return null;
        }
    }

    /// <summary>Where the pages of a folder are.</summary>
    public static async ValueTask<List<StreamRecord>> ReadPagesAsync(ManifestReader tree, TreeEntry folder, CancellationToken cancellationToken)
    {
        var pages = new List<StreamRecord>();
        if (folder.Stream is not { LengthBytes: > 0 } stream)
            return pages;
        await foreach (var (_, record) in StreamRecords.ReadAllAsync(tree, stream, cancellationToken))
            pages.Add(record.Slot.IsHole ? throw TreePage.Malformed() : record);
        return pages;
    }

    /// <summary>The entries of a folder in the order of their names, from a position on. What lies before it is not read.</summary>
    /// <remarks>An entry's position is where its page begins in the folder's stream, in bytes, and its number in the page: no page has more entries than bytes.</remarks>
    /// <param name="tree">Reads the pages.</param>
    /// <param name="folder">Its entry.</param>
    /// <param name="position">0, or an entry's position. Where no entry is, nothing comes.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <exception cref="StoreException">Corrupt: a page cannot be read, or is out of order.</exception>
    public static async IAsyncEnumerable<(long Position, TreeEntry Entry)> ReadAsync(
        ManifestReader tree, TreeEntry folder, long position, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var stream = folder.Stream ?? default;
        ReadOnlyMemory<byte> last = default;
        while (position < stream.LengthBytes)
        {
            var (begin, page) = await StreamRecords.FindAsync(tree, stream, position, cancellationToken);
            if (page.Slot.IsHole)
                throw TreePage.Malformed();
            var entries = await tree.ReadPageAsync(page.Slot, page.LengthBytes, false, cancellationToken);
            var first = position - begin;
            if (first >= entries.Count)
                yield break;
            for (var i = (int)first; i < entries.Count; i++)
            {
                if (last.Span.SequenceCompareTo(entries[i].Name.Span) >= 0)
                    throw TreePage.Malformed();
                last = entries[i].Name;
                yield return (begin + i, entries[i]);
            }

            position = begin + page.LengthBytes;
        }
    }

    /// <summary>What lies at a path, or null. Of each folder on the way only a few pages are read.</summary>
    public static async ValueTask<TreeEntry?> FindAsync(ManifestReader tree, TreeRef top, TreePath path, CancellationToken cancellationToken) =>
        (await FindWayAsync(tree, top, path, cancellationToken))?[^1];

    /// <summary>The tree's own folder, then what each name of a path leads to; null when there is no such path.</summary>
    public static async ValueTask<IReadOnlyList<TreeEntry>?> FindWayAsync(
        ManifestReader tree, TreeRef top, TreePath path, CancellationToken cancellationToken)
    {
        var way = new List<TreeEntry> { await ReadTopAsync(tree, top, cancellationToken) };
        foreach (var name in path.Names())
        {
            if (way[^1].Kind != TreeEntryKind.Folder || await FindAsync(tree, way[^1], name, cancellationToken) is not { } child)
                return null;
            way.Add(child);
        }

        return way;
    }

    private static async ValueTask<TreeEntry?> FindAsync(ManifestReader tree, TreeEntry folder, byte[] name, CancellationToken cancellationToken)
    {
        var pages = await ReadPagesAsync(tree, folder, cancellationToken);
        var (low, high) = (0, pages.Count - 1);
        while (low <= high)
        {
            var middle = (low + high) / 2;
            var entries = await tree.ReadPageAsync(pages[middle].Slot, pages[middle].LengthBytes, false, cancellationToken);
            if (entries[0].Name.Span.SequenceCompareTo(name) > 0)
                high = middle - 1;
            else if (entries[^1].Name.Span.SequenceCompareTo(name) < 0)
                low = middle + 1;
            else
                return entries.Find(entry => entry.Name.Span.SequenceEqual(name));
        }

        return null;
    }
}
