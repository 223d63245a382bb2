using Strongroom.Store.Packs;

namespace Strongroom.Store.Manifests;

/// <summary>What a manifest describes.</summary>
internal enum ManifestKind : byte
{
    Image,
    Stream,

    /// <summary>A stream of pages, which are manifest nodes themselves.</summary>
    Folder,

    /// <summary>A tree's own page.</summary>
    Tree,
}

/// <summary>Something that a snapshot needs: a node of a manifest, or at level 0 of an image or a stream a chunk of data.</summary>
/// <param name="Slot">Where it is. Never a hole.</param>
/// <param name="Kind">What it belongs to.</param>
/// <param name="Level">Its height above the chunks or pages.</param>
/// <param name="LengthBytes">For all but images: the bytes of the stream below it.</param>
internal readonly record struct ManifestPointer(Slot Slot, ManifestKind Kind, int Level, long LengthBytes)
{
    public bool IsData => Level == 0 && Kind is ManifestKind.Image or ManifestKind.Stream;

    public PackContent Content => IsData ? PackContent.Data : PackContent.Nodes;

    /// <summary>The roots of all that a snapshot holds, without those that are holes.</summary>
    public static IEnumerable<ManifestPointer> RootsOf(Snapshot snapshot) =>
        snapshot.Images.Select(disk => Of(disk.Image))
            .Concat(snapshot.Streams.Select(item => Of(item.Stream, ManifestKind.Stream)))
            .Concat(snapshot.Trees.Select(item => Of(item.Tree)))
            .Where(root => !root.Slot.IsHole);

    public static ManifestPointer Of(ImageRef image) => new(image.Root, ManifestKind.Image, image.Height, 0);

    public static ManifestPointer Of(StreamRef stream, ManifestKind kind) => new(stream.Root, kind, stream.Height, stream.LengthBytes);

    public static ManifestPointer Of(TreeRef tree) => Of(tree.Page, ManifestKind.Tree);
}
