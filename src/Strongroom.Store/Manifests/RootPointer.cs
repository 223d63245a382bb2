using System.Buffers.Binary;
using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;

namespace Strongroom.Store.Manifests;

/// <summary>What a reference to an image, a stream or a tree consists of: 57 bytes on disk (<c>docs/store-format.md</c>).</summary>
internal readonly record struct RootPointer(long LengthBytes, int Height, Slot Root)
{
    public const int EncodedLengthBytes = 9 + Slot.LengthBytes;

    public static RootPointer Read(ReadOnlySpan<byte> source) =>
        new(BinaryPrimitives.ReadInt64LittleEndian(source), source[8], Slot.Read(source[9..]));

    public void WriteTo(Span<byte> target)
    {
        BinaryPrimitives.WriteInt64LittleEndian(target, LengthBytes);
        target[8] = (byte)Height;
        Root.WriteTo(target[9..]);
    }

    /// <summary>The text form: <paramref name="prefix"/>, then the bytes in base64url.</summary>
    public string Format(string prefix)
    {
        Span<byte> bytes = stackalloc byte[EncodedLengthBytes];
        WriteTo(bytes);
        return prefix + Base64Url.EncodeToString(bytes);
    }

    /// <summary>Reads what <see cref="Format"/> wrote.</summary>
    public static bool TryParse(string prefix, [NotNullWhen(true)] string? text, out RootPointer pointer)
    {
        pointer = default;
        if (text is null || !text.StartsWith(prefix, StringComparison.Ordinal))
            return false;
        var encoded = text.AsSpan(prefix.Length);

        // Exactly as it was written: what is valid with spaces in it has another length, and the decoder wants room for it.
        if (encoded.Length != Base64Url.GetEncodedLength(EncodedLengthBytes) || !Base64Url.IsValid(encoded, out var length) || length != EncodedLengthBytes)
            return false;
        Span<byte> bytes = stackalloc byte[EncodedLengthBytes];
        Base64Url.DecodeFromChars(encoded, bytes);
        pointer = Read(bytes);
        return true;
    }
}
