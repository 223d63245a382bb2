using System.IO.Hashing;
using System.Text;

namespace Strongroom.Store;

/// <summary>Where something lies in a tree: names as bytes with <c>/</c> between them; empty for the tree's own folder. Immutable; equal when the bytes are.</summary>
public readonly struct TreePath : IEquatable<TreePath>
{
    private readonly byte[]? bytes;

    private TreePath(byte[] bytes) => this.bytes = bytes;

    /// <summary>The path as bytes.</summary>
    public ReadOnlySpan<byte> Bytes => bytes;

    public bool IsRoot => bytes is null or [];

    /// <summary>The last of its names; empty for the tree's own folder.</summary>
    internal ReadOnlySpan<byte> Name => Bytes[(Bytes.LastIndexOf((byte)'/') + 1)..];

    /// <summary>The folder that holds it; the tree's own folder is its own.</summary>
    internal TreePath Parent => Bytes.LastIndexOf((byte)'/') is var end and > 0 ? new(Bytes[..end].ToArray()) : default;

    public static bool operator ==(TreePath left, TreePath right) => left.Equals(right);

    public static bool operator !=(TreePath left, TreePath right) => !left.Equals(right);

    /// <summary>From text; slashes at its ends and doubled ones do not count.</summary>
    public static TreePath Of(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        return Of(Encoding.UTF8.GetBytes(path));
    }

    /// <summary>From bytes, for names that are not UTF-8.</summary>
    public static TreePath Of(ReadOnlySpan<byte> path)
    {
        var names = new List<byte[]>();
        foreach (var range in path.Split((byte)'/'))
        {
            if (!path[range].IsEmpty && !path[range].SequenceEqual("."u8))
                names.Add(path[range].ToArray());
        }

        return Of(names);
    }

    /// <summary>The path of an entry of the folder at this path.</summary>
    public TreePath Join(ReadOnlySpan<byte> name) => new(IsRoot ? name.ToArray() : [.. bytes!, (byte)'/', .. name]);

    public bool Equals(TreePath other) => Bytes.SequenceEqual(other.Bytes);

    public override bool Equals(object? obj) => obj is TreePath other && Equals(other);

    public override int GetHashCode() => (int)XxHash3.HashToUInt64(Bytes);

    /// <summary>For people: what is not UTF-8 is replaced.</summary>
    public override string ToString() => Encoding.UTF8.GetString(Bytes);

    internal static TreePath Of(IReadOnlyCollection<byte[]> names)
    {
        var path = new byte[Math.Max(0, names.Sum(name => name.Length + 1) - 1)];
        var at = 0;
        foreach (var name in names)
        {
            if (at > 0)
                path[at++] = (byte)'/';
            name.CopyTo(path, at);
            at += name.Length;
        }

        return new(path);
    }

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
