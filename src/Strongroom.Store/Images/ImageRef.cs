using System.Buffers.Binary;
using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using Strongroom.Store.Images;
using Strongroom.Store.Manifests;

namespace Strongroom.Store;

/// <summary>Names an image in a vault: where its root lies and how long it is. Opaque; <see cref="ToString"/> and <see cref="TryParse"/> round-trip.</summary>
public readonly record struct ImageRef
{
    internal const int EncodedLengthBytes = 9 + Slot.LengthBytes;
    private const string TextPrefix = "img1.";

    internal ImageRef(long lengthBytes, int height, Slot root)
    {
        LengthBytes = lengthBytes;
        Height = height;
        Root = root;
    }

    /// <summary>The image's size in bytes.</summary>
    public long LengthBytes { get; }

    internal int Height { get; }

    internal Slot Root { get; }

    /// <summary>False for what no writer makes: then nothing may be read by it.</summary>
    internal bool IsWellFormed => LengthBytes >= 0 && Height == ImageGeometry.HeightOf(LengthBytes);

    /// <summary>Reads what <see cref="ToString"/> wrote. True says that the text is well formed, not that the image exists.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out ImageRef image)
    {
        image = default;
        if (text is null || !text.StartsWith(TextPrefix, StringComparison.Ordinal))
            return false;
        var encoded = text.AsSpan(TextPrefix.Length);

        // Exactly as it was written: what is valid with spaces in it has another length, and the decoder wants room for it.
        if (encoded.Length != Base64Url.GetEncodedLength(EncodedLengthBytes) || !Base64Url.IsValid(encoded, out var length) || length != EncodedLengthBytes)
            return false;
        Span<byte> bytes = stackalloc byte[EncodedLengthBytes];
        Base64Url.DecodeFromChars(encoded, bytes);
        image = Read(bytes);
        return image.IsWellFormed;
    }

    public override string ToString()
    {
        Span<byte> bytes = stackalloc byte[EncodedLengthBytes];
        WriteTo(bytes);
        return TextPrefix + Base64Url.EncodeToString(bytes);
    }

    internal static ImageRef Read(ReadOnlySpan<byte> source) =>
        new(BinaryPrimitives.ReadInt64LittleEndian(source), source[8], Slot.Read(source[9..]));

    internal void WriteTo(Span<byte> target)
    {
        BinaryPrimitives.WriteInt64LittleEndian(target, LengthBytes);
        target[8] = (byte)Height;
        Root.WriteTo(target[9..]);
    }
}
