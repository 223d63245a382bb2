using Strongroom.Store.Manifests;
using Strongroom.Store.Packs;
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

    private ParentFolder(ManifestReader tree, List<StreamRecord> pages, Dictionary<ChunkId, Slot> known)
    {
        this.tree = tree;
        this.pages = pages;
        Known = known;
    }

    /// <summary>Its pages and nodes by id.</summary>
    public IReadOnlyDictionary<ChunkId, Slot> Known { get; }

    public static ParentFolder None(ManifestReader tree) => new(tree, [], []);

    public static async ValueTask<ParentFolder> OpenAsync(
        ManifestReader tree, TreeEntry? folder, Func<uint, bool> hasPack, CancellationToken cancellationToken)
    {
        if (folder is not { Kind: TreeEntryKind.Folder, Stream: { LengthBytes: > 0 } stream })
            return None(tree);
        try
        {
            var pages = await FolderReader.ReadPagesAsync(tree, folder, cancellationToken);
            var known = new Dictionary<ChunkId, Slot>();
            foreach (var page in pages.Where(page => hasPack(page.Slot.PackSeq)))
                known[page.Slot.Id] = page.Slot;
            foreach (var (id, slot) in await StreamRecords.ReadNodesAsync(tree, stream, cancellationToken))
            {
                if (hasPack(slot.PackSeq))
                    known[id] = slot;
            }

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
            ((Dictionary<ChunkId, Slot>)Known).Remove(page.Slot.Id);
            entries = [];
        }
    }
}
