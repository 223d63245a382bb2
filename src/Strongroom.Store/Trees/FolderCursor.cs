using Strongroom.Store.Manifests;
using Strongroom.Store.Streams;

namespace Strongroom.Store.Trees;

/// <summary>The entries of a stored folder one after another, in the order of their names. Not for concurrent use.</summary>
/// <remarks>Memory: one page, and 64 bytes for each of the folder's pages.</remarks>
internal sealed class FolderCursor
{
    private const int InPageBits = 24;
    private readonly ManifestReader? tree;
    private readonly List<StreamRecord> pages;
    private List<TreeEntry> entries;
    private int nextPage;
    private int at;
    private ReadOnlyMemory<byte> last;

    private FolderCursor(ManifestReader? tree, List<StreamRecord> pages, List<TreeEntry> entries)
    {
        this.tree = tree;
        this.pages = pages;
        this.entries = entries;
    }

    /// <summary>Where the next entry is; to go on there with another cursor.</summary>
    public long Position => nextPage == 0 ? at : ((long)(nextPage - 1) << InPageBits) + at;

    /// <summary>Of nothing.</summary>
    public static FolderCursor None => new(null, [], []);

    /// <summary>Of a single entry.</summary>
    public static FolderCursor Of(TreeEntry entry) => new(null, [], [entry]);

    /// <exception cref="StoreException">Corrupt: where its pages are cannot be read.</exception>
    public static async ValueTask<FolderCursor> OpenAsync(ManifestReader tree, TreeEntry folder, CancellationToken cancellationToken) =>
        new(tree, await FolderReader.ReadPagesAsync(tree, folder, cancellationToken), []);

    /// <summary>Goes to a position of an earlier cursor of the same folder, by reading one page. For a cursor that nothing was read from.</summary>
    /// <returns>False: there is no such position.</returns>
    /// <exception cref="StoreException">Corrupt.</exception>
    public async ValueTask<bool> TrySeekAsync(long position, CancellationToken cancellationToken)
    {
        var (page, inPage) = (position >> InPageBits, (int)(position & ((1 << InPageBits) - 1)));
        if (position < 0 || page >= pages.Count)
            return position == 0;
        nextPage = (int)page + 1;
        entries = await tree!.ReadPageAsync(pages[(int)page].Slot, pages[(int)page].LengthBytes, false, cancellationToken);
        at = Math.Min(inPage, entries.Count);
        return at == inPage;
    }

    /// <summary>The next entry, or null at the end.</summary>
    /// <exception cref="StoreException">Corrupt: a page cannot be read, or is out of order. The next call goes on behind it.</exception>
    public async ValueTask<TreeEntry?> NextAsync(CancellationToken cancellationToken)
    {
        while (at == entries.Count)
        {
            if (nextPage == pages.Count)
                return null;
            (at, entries) = (0, []);
            var page = pages[nextPage++];
            entries = await tree!.ReadPageAsync(page.Slot, page.LengthBytes, false, cancellationToken);
        }

        var entry = entries[at++];
        if (nextPage > 0 && last.Span.SequenceCompareTo(entry.Name.Span) >= 0)
        {
            (at, entries) = (0, []);
            throw TreePage.Malformed();
        }

        last = entry.Name;
        return entry;
    }
}
