using Strongroom.Store.Manifests;
using Strongroom.Store.Streams;

namespace Strongroom.Store.Trees;

/// <summary>The entries of a stored folder one after another, in the order of their names. Not for concurrent use.</summary>
/// <remarks>Memory: one page, and 64 bytes for each of the folder's pages.</remarks>
internal sealed class FolderCursor
{
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

    /// <summary>Of nothing.</summary>
    public static FolderCursor None => new(null, [], []);

    /// <summary>Of a single entry.</summary>
    public static FolderCursor Of(TreeEntry entry) => new(null, [], [entry]);

    /// <exception cref="StoreException">Corrupt: where its pages are cannot be read.</exception>
    public static async ValueTask<FolderCursor> OpenAsync(ManifestReader tree, TreeEntry folder, CancellationToken cancellationToken) =>
        new(tree, await FolderReader.ReadPagesAsync(tree, folder, cancellationToken), []);

    /// <summary>Of what can be read of a folder: of nothing where its pages cannot be found.</summary>
    public static async ValueTask<FolderCursor> OpenReadableAsync(ManifestReader tree, TreeEntry folder, CancellationToken cancellationToken)
    {
        try
        {
            return await OpenAsync(tree, folder, cancellationToken);
        }
        catch (StoreException failure) when (failure.IsDamage)
        {
            return None;
        }
    }

    /// <summary>The next entry that can be read, or null at the end. For who looks ahead: what is damaged, the restore reports.</summary>
    public async ValueTask<TreeEntry?> NextReadableAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                return await NextAsync(cancellationToken);
            }
            catch (StoreException failure) when (failure.IsDamage)
            {
                // The next call goes on behind it.
            }
        }
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
