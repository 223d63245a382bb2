using Strongroom.Store.Manifests;

namespace Strongroom.Store.Trees;

/// <summary>A part of a tree and where it is restored to. Immutable.</summary>
/// <param name="Selection">What was asked for.</param>
/// <param name="Entry">What the tree has there; null when it has nothing.</param>
/// <param name="Above">The tree's entries for the folders of <see cref="TreeSelection.Folder"/>, one for each; empty when the part goes elsewhere than it was.</param>
internal sealed record RestorePart(TreeSelection Selection, TreeEntry? Entry, IReadOnlyList<TreeEntry> Above)
{
    /// <summary>True: a folder's content and metadata go into the target folder itself.</summary>
    public bool IsContent { get; private init; }

    /// <summary>Why the tree's entry is not to be had; null when it is, or when the tree has none.</summary>
    public string? Loss { get; private init; }

    private static ReadOnlySpan<byte> SnapshotFolder => ".strongroom-snapshots"u8;

    /// <summary>A folder's content into the target, anything else by its name.</summary>
    public static RestorePart Of(TreeEntry entry) => new(default, entry, []) { IsContent = entry.Kind == TreeEntryKind.Folder };

    /// <summary>Looks for all selections. Those that lie in another, at the same place, are left out.</summary>
    /// <exception cref="StoreException">InvalidRequest: a path with a name that cannot be one, or that leads into a folder of snapshots. Corrupt: the tree's own folder is lost.</exception>
    public static async ValueTask<IReadOnlyList<RestorePart>> FindAsync(
        ManifestReader tree, TreeRef top, IReadOnlyList<TreeSelection> selections, CancellationToken cancellationToken)
    {
        var all = new HashSet<TreeSelection>();
        foreach (var selection in selections)
        {
            Require(selection.Path);
            Require(selection.Folder);
            all.Add(selection);
        }

        var found = new HashSet<TreeSelection>();
        var parts = new List<RestorePart>();
        _ = await FolderReader.ReadTopAsync(tree, top, cancellationToken);
        foreach (var selection in selections)
        {
            // Asked for twice, it is found once.
            if (LiesInAnother(selection, all) || !found.Add(selection))
                continue;
            parts.Add(await FindAsync(tree, top, selection, cancellationToken));
        }

        return parts;
    }

    /// <summary>A damaged page on the way to one part is no reason to leave out the others.</summary>
    private static async ValueTask<RestorePart> FindAsync(ManifestReader tree, TreeRef top, TreeSelection selection, CancellationToken cancellationToken)
    {
        try
        {
            var way = await FolderReader.FindWayAsync(tree, top, selection.Path, cancellationToken);
            var isOwnPlace = way is not null && selection.Folder == selection.Path.Parent;
            return new(selection, way?[^1], isOwnPlace ? [.. way!.Skip(1).Take(way!.Count - 2)] : []) { IsContent = selection.Path.IsRoot };
        }
        catch (StoreException failure) when (failure.IsDamage)
        {
            return new(selection, null, []) { Loss = $"The way to '{selection.Path}' is lost: {failure.Message}" };
        }
    }

    /// <summary>True when a folder above it is restored to the place above its own, or the whole tree to where its folder is.</summary>
    private static bool LiesInAnother(TreeSelection selection, HashSet<TreeSelection> all)
    {
        var (path, place) = (selection.Path, selection.Path.IsRoot ? selection.Folder : selection.Folder.Join(selection.Path.Name));
        while (!path.IsRoot && !place.IsRoot && path.Name.SequenceEqual(place.Name))
        {
            (path, place) = (path.Parent, place.Parent);
            if (path.IsRoot ? all.Contains(new(path, place)) : path.Name.SequenceEqual(place.Name) && all.Contains(new(path, place.Parent)))
                return true;
        }

        return false;
    }

    private static void Require(TreePath path)
    {
        if (!path.Names().All(name => TreePage.IsName(name)))
            throw new StoreException(StoreErrorKind.InvalidRequest, $"'{path}' is no path of a tree: its names are 1 to 255 bytes long, and none is '.' or '..'.");
        if (path.Names().Any(name => name.AsSpan().SequenceEqual(SnapshotFolder)))
            throw new StoreException(StoreErrorKind.InvalidRequest, $"'{path}' leads into a folder of snapshots, which come and go with backups. Choose another folder.");
    }
}
