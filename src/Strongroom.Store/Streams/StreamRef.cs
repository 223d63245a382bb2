using System.Diagnostics.CodeAnalysis;
using Strongroom.Store.Manifests;
using Strongroom.Store.Streams;

namespace Strongroom.Store;

/// <summary>Names a stream in a vault: where its root lies and how long it is. Opaque; <see cref="ToString"/> and <see cref="TryParse"/> round-trip.</summary>
public readonly record struct StreamRef
{
    internal const int EncodedLengthBytes = RootPointer.EncodedLengthBytes;
    private const string TextPrefix = "str1.";
    private readonly RootPointer pointer;

    internal StreamRef(long lengthBytes, int height, Slot root)
        : this(new RootPointer(lengthBytes, height, root))
    {
    }

    private StreamRef(RootPointer pointer) => this.pointer = pointer;

    /// <summary>The stream's length in bytes.</summary>
    public long LengthBytes => pointer.LengthBytes;

    internal int Height => pointer.Height;

    internal Slot Root => pointer.Root;

    internal bool IsWellFormed => LengthBytes >= 0
        && (Root.IsHole
            ? Height == 0 && Root == default
            : LengthBytes > 0 && Height <= StreamNode.GreatestHeight && (Height > 0 || LengthBytes <= StreamNode.GreatestChunkLengthBytes));

    /// <summary>Reads what <see cref="ToString"/> wrote. True says that the text is well formed, not that the stream exists.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out StreamRef stream) => TryParseAs(TextPrefix, text, out stream);

    public override string ToString() => Format(TextPrefix);

    internal static bool TryParseAs(string prefix, [NotNullWhen(true)] string? text, out StreamRef stream)
    {
        stream = default;
        if (!RootPointer.TryParse(prefix, text, out var found) || !new StreamRef(found).IsWellFormed)
            return false;
        stream = new(found);
        return true;
    }

    internal string Format(string prefix) => pointer.Format(prefix);

    /// <exception cref="StoreException">Corrupt: no stream has such a reference.</exception>
    internal static StreamRef Read(ReadOnlySpan<byte> source)
    {
        var stream = new StreamRef(RootPointer.Read(source));
        return stream.IsWellFormed ? stream : throw StoreException.Corrupt("A reference to a stream is malformed");
    }

    internal void WriteTo(Span<byte> target) => pointer.WriteTo(target);
}
