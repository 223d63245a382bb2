using Strongroom.Store.Manifests;
using Strongroom.Store.Streams;

namespace Strongroom.Store.Trees;

/// <summary>The same folder in the parent tree, read alongside in the order of names. Not for concurrent use.</summary>
/// <remarks>A parent that is damaged is no parent from there on: then files are read, and pages written, anew.</remarks>
internal sealed class ParentFolder
{
    private readonly ManifestReader tree;
    private readonly List<StreamRecord> pages;
    private List<TreeEntry> entries = [];
    private int nextPage;
    private int at;

    private ParentFolder(ManifestReader tree, List<StreamRecord> pages, ParentNodes known)
    {
        this.tree = tree;
        this.pages = pages;
        Known = known;
    }

    /// <summary>Its pages and nodes by id.</summary>
    public ParentNodes Known { get; }

    public static ParentFolder None(ManifestReader tree) => new(tree, [], new(tree, static _ => false));

    public static async ValueTask<ParentFolder> OpenAsync(
        ManifestReader tree, TreeEntry? folder, Func<uint, bool> hasPack, CancellationToken cancellationToken)
    {
        if (folder is not { Kind: TreeEntryKind.Folder, Stream: { LengthBytes: > 0 } stream })
            return None(tree);
        try
        {
            var pages = await FolderReader.ReadPagesAsync(tree, folder, cancellationToken);
            var known = new ParentNodes(tree, hasPack);
            foreach (var page in pages)
                known.AddPage(page.Slot);
            await known.AddAsync(stream, cancellationToken);
            return new(tree, pages, known);
        }
        catch (StoreException failure) when (failure.IsDamage)
        {
            return None(tree);
        }
    }

    /// <summary>The parent's entry of that name. Names must be asked for in ascending order.</summary>
    public async ValueTask<TreeEntry?> FindAsync(byte[] name, CancellationToken cancellationToken)
    {
        while (true)
        {
            for (; at < entries.Count; at++)
            {
                var order = entries[at].Name.Span.SequenceCompareTo(name);
                if (order >= 0)
                    return order == 0 ? entries[at] : null;
            }

            if (nextPage == pages.Count)
                return null;
            await ReadPageAsync(pages[nextPage++], cancellationToken);
        }
    }

    private async ValueTask ReadPageAsync(StreamRecord page, CancellationToken cancellationToken)
    {
        at = 0;
        try
        {
            entries = await tree.ReadPageAsync(page.Slot, page.LengthBytes, false, cancellationToken);
        }
        catch (StoreException failure) when (failure.IsDamage)
        {
            // What this page holds must not be shared either: its id would be found, its bytes would not.
            Known.Remove(page.Slot.Id);
            entries = [];
        }
    }
}
