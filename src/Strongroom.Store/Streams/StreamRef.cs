using System.Buffers.Binary;
using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using Strongroom.Store.Manifests;
using Strongroom.Store.Streams;

namespace Strongroom.Store;

/// <summary>Names a stream in a vault: where its root lies and how long it is. Opaque; <see cref="ToString"/> and <see cref="TryParse"/> round-trip.</summary>
public readonly record struct StreamRef
{
    internal const int EncodedLengthBytes = 9 + Slot.LengthBytes;
    private const string TextPrefix = "str1.";

    internal StreamRef(long lengthBytes, int height, Slot root)
    {
        LengthBytes = lengthBytes;
        Height = height;
        Root = root;
    }

    /// <summary>The stream's length in bytes.</summary>
    public long LengthBytes { get; }

    internal int Height { get; }

    internal Slot Root { get; }

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
        if (text is null || !text.StartsWith(prefix, StringComparison.Ordinal))
            return false;
        var encoded = text.AsSpan(prefix.Length);

        // Exactly as it was written: what is valid with spaces in it has another length, and the decoder wants room for it.
        if (encoded.Length != Base64Url.GetEncodedLength(EncodedLengthBytes) || !Base64Url.IsValid(encoded, out var length) || length != EncodedLengthBytes)
            return false;
        Span<byte> bytes = stackalloc byte[EncodedLengthBytes];
        Base64Url.DecodeFromChars(encoded, bytes);
        var found = Decode(bytes);
        if (!found.IsWellFormed)
            return false;
        stream = found;
        return true;
    }

    internal string Format(string prefix)
    {
        Span<byte> bytes = stackalloc byte[EncodedLengthBytes];
        WriteTo(bytes);
        return prefix + Base64Url.EncodeToString(bytes);
    }

    /// <exception cref="StoreException">Corrupt: no stream has such a reference.</exception>
    internal static StreamRef Read(ReadOnlySpan<byte> source)
    {
        var stream = Decode(source);
        return stream.IsWellFormed ? stream : throw StoreException.Corrupt("A reference to a stream is malformed");
    }

    internal void WriteTo(Span<byte> target)
    {
        BinaryPrimitives.WriteInt64LittleEndian(target, LengthBytes);
        target[8] = (byte)Height;
        Root.WriteTo(target[9..]);
    }

    private static StreamRef Decode(ReadOnlySpan<byte> source) =>
        new(BinaryPrimitives.ReadInt64LittleEndian(source), source[8], Slot.Read(source[9..]));
}
