using System.Diagnostics.CodeAnalysis;
using Strongroom.Store.Images;
using Strongroom.Store.Manifests;

namespace Strongroom.Store;

/// <summary>Names an image in a vault: where its root lies and how long it is. Opaque; <see cref="ToString"/> and <see cref="TryParse"/> round-trip.</summary>
public readonly record struct ImageRef
{
    internal const int EncodedLengthBytes = RootPointer.EncodedLengthBytes;
    private const string TextPrefix = "img1.";
    private readonly RootPointer pointer;

    internal ImageRef(long lengthBytes, int height, Slot root)
        : this(new RootPointer(lengthBytes, height, root))
    {
    }

    private ImageRef(RootPointer pointer) => this.pointer = pointer;

    /// <summary>The image's size in bytes.</summary>
    public long LengthBytes => pointer.LengthBytes;

    internal int Height => pointer.Height;

    internal Slot Root => pointer.Root;

    /// <summary>False for what no writer makes: then nothing may be read by it.</summary>
    internal bool IsWellFormed => LengthBytes >= 0 && Height == ImageGeometry.HeightOf(LengthBytes);

    /// <summary>Reads what <see cref="ToString"/> wrote. True says that the text is well formed, not that the image exists.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out ImageRef image)
    {
        image = default;
        if (!RootPointer.TryParse(TextPrefix, text, out var found))
            return false;
        image = new(found);
        return image.IsWellFormed;
    }

    public override string ToString() => pointer.Format(TextPrefix);

    internal static ImageRef Read(ReadOnlySpan<byte> source) => new(RootPointer.Read(source));

    internal void WriteTo(Span<byte> target) => pointer.WriteTo(target);
}
