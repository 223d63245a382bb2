using System.Text;

namespace Strongroom.Store;

/// <summary>Where something lies in a tree: names as bytes with <c>/</c> between them; empty for the tree's own folder. Immutable.</summary>
public readonly struct TreePath
{
    private readonly byte[]? bytes;

    private TreePath(byte[] bytes) => this.bytes = bytes;

    /// <summary>The path as bytes.</summary>
    public ReadOnlySpan<byte> Bytes => bytes;

    public bool IsRoot => bytes is null or [];

    /// <summary>From text; slashes at its ends and doubled ones do not count.</summary>
    public static TreePath Of(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        return Of(Encoding.UTF8.GetBytes(path));
    }

    /// <summary>From bytes, for names that are not UTF-8.</summary>
    public static TreePath Of(ReadOnlySpan<byte> path)
    {
        var result = default(TreePath);
        foreach (var range in path.Split((byte)'/'))
        {
            if (!path[range].IsEmpty && !path[range].SequenceEqual("."u8))
                result = result.Join(path[range]);
        }

        return result;
    }

    /// <summary>The path of an entry of the folder at this path.</summary>
    public TreePath Join(ReadOnlySpan<byte> name) => new(IsRoot ? name.ToArray() : [.. bytes!, (byte)'/', .. name]);

    /// <summary>For people: what is not UTF-8 is replaced.</summary>
    public override string ToString() => Encoding.UTF8.GetString(Bytes);

    internal IReadOnlyList<byte[]> Names()
    {
        var names = new List<byte[]>();
        foreach (var range in Bytes.Split((byte)'/'))
        {
            if (!Bytes[range].IsEmpty)
                names.Add(Bytes[range].ToArray());
        }

        return names;
    }
}
