using Strongroom.Store.Manifests;
using Strongroom.Store.Packs;

namespace Strongroom.Store.Trees;

/// <summary>The page that a tree begins with: the entry of its own folder.</summary>
internal static class TreeTop
{
    /// <summary>Stores it, or takes the parent's where that is the same.</summary>
    public static async ValueTask<TreeRef> StoreAsync(
        ManifestReader tree, ISessionChunks chunks, Func<ManifestPackQuery, bool> hasPack, TreeRef? parent, TreeEntry top, CancellationToken cancellationToken)
    {
        var page = TreePage.Format(top);
        var slot = parent is { } same && same.Page.Root.Id == ChunkId.Compute(tree.Packs.Ring.NodeKey, page) && hasPack(new(PackContent.Nodes, same.Page.Root.PackSeq))
            ? same.Page.Root
            : await chunks.StoreNodeAsync(page, cancellationToken);
        return new(new StreamRef(page.Length, 0, slot));
    }
}
