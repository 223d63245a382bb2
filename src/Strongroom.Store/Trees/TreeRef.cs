using System.Diagnostics.CodeAnalysis;

namespace Strongroom.Store;

/// <summary>Names a tree of files in a vault. Opaque; <see cref="ToString"/> and <see cref="TryParse"/> round-trip.</summary>
public readonly record struct TreeRef
{
    private const string TextPrefix = "tree1.";

    internal TreeRef(StreamRef page) => Page = page;

    /// <summary>The page that holds the entry of the tree's own folder.</summary>
    internal StreamRef Page { get; }

    /// <summary>Reads what <see cref="ToString"/> wrote. True says that the text is well formed, not that the tree exists.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out TreeRef tree)
    {
        tree = default;
        if (!StreamRef.TryParseAs(TextPrefix, text, out var page) || !IsPage(page))
            return false;
        tree = new(page);
        return true;
    }

    public override string ToString() => Page.Format(TextPrefix);

    /// <exception cref="StoreException">Corrupt: no tree has such a reference.</exception>
    internal static TreeRef Read(ReadOnlySpan<byte> source)
    {
        var page = StreamRef.Read(source);
        return IsPage(page) ? new(page) : throw StoreException.Corrupt("A reference to a tree is malformed");
    }

    private static bool IsPage(StreamRef page) => page.Height == 0 && !page.Root.IsHole;
}
