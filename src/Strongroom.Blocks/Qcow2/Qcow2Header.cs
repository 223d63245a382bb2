using System.Buffers.Binary;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Strongroom.Blocks.Qcow2;

/// <summary>What must be known of a qcow2 before a program is let loose on it (QEMU's docs/interop/qcow2.txt, "Header").</summary>
/// <param name="Version">2 or 3.</param>
/// <param name="LengthBytes">Size of the disk as the guest sees it.</param>
/// <param name="ClusterSizeBytes">512 to 2 MiB.</param>
/// <param name="BackingFile">Name of the backing file as the image gives it, unchecked: whoever made the image chose it; null without one.</param>
/// <param name="BackingFormat">Format that the image claims for its backing file; null when it says nothing.</param>
/// <param name="IsEncrypted">The content is encrypted (AES or LUKS).</param>
/// <param name="IncompatibleFeatures">Bit 0 dirty, 1 corrupt, 2 external data file, 3 compression type, 4 extended L2 entries.</param>
/// <param name="Bitmaps">Where its bitmaps are; null where there are none, or a program that does not know them has written to it.</param>
public sealed record Qcow2Header(
    int Version,
    long LengthBytes,
    int ClusterSizeBytes,
    string? BackingFile,
    string? BackingFormat,
    bool IsEncrypted,
    ulong IncompatibleFeatures,
    Qcow2BitmapDirectory? Bitmaps = null)
{
    private const ulong CorruptBit = 1 << 1;
    private const ulong ExternalDataBit = 1 << 2;
    private const ulong KnownBits = (1 << 5) - 1;
    private const int Version2LengthBytes = 72;
    private const int Version3LengthBytes = 104;
    private const int LargestNameLengthBytes = 1023;
    private const uint BackingFormatExtension = 0xE2792ACA;
    private const uint BitmapsExtension = 0x23852875;
    private const int BitmapsExtensionLengthBytes = 24;
    private const ulong BitmapsBit = 1; // of the autoclear features: whoever does not know bitmaps clears it when it writes
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The first four bytes of every qcow2.</summary>
    public static ReadOnlySpan<byte> Magic => [(byte)'Q', (byte)'F', (byte)'I', 0xFB];

    /// <summary>The disk's clusters lie in another file, which the image names.</summary>
    public bool HasExternalDataFile => (IncompatibleFeatures & ExternalDataBit) != 0;

    /// <summary>QEMU found the metadata damaged at some time and marked the image.</summary>
    public bool IsMarkedCorrupt => (IncompatibleFeatures & CorruptBit) != 0;

    /// <summary>Reads the header of an open file.</summary>
    /// <exception cref="InvalidDataException">It is not a qcow2, or its header contradicts itself.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static Qcow2Header Read(SafeFileHandle file)
    {
        // Header, extensions and the backing file's name must all lie in the first cluster, and no cluster is larger than 2 MiB.
        var start = new byte[Version3LengthBytes];
        var count = ReadUpTo(file, start);
        if (count < Version2LengthBytes || !start.AsSpan().StartsWith(Magic))
            return Parse(start.AsSpan(0, count));
        var cluster = new byte[1 << ClusterBits(start)];
        return Parse(cluster.AsSpan(0, ReadUpTo(file, cluster)));
    }

    /// <summary>Reads the header from the image's first cluster (or the whole image where it is shorter).</summary>
    /// <exception cref="InvalidDataException">It is not a qcow2, or its header contradicts itself.</exception>
    public static Qcow2Header Parse(ReadOnlySpan<byte> cluster)
    {
        if (!cluster.StartsWith(Magic))
            throw new InvalidDataException("This is not a qcow2 image.");
        Require(cluster.Length >= Version2LengthBytes, "is cut off");
        var version = BinaryPrimitives.ReadUInt32BigEndian(cluster[4..]);
        if (version is not (2 or 3))
            throw new InvalidDataException($"qcow2 version {version} is unknown; 2 and 3 are supported.");

        var clusterSize = 1 << ClusterBits(cluster);
        var size = BinaryPrimitives.ReadUInt64BigEndian(cluster[24..]);
        Require(size <= long.MaxValue / 2, $"gives a disk size of {size} bytes");
        var cryptMethod = BinaryPrimitives.ReadUInt32BigEndian(cluster[32..]);
        Require(cryptMethod <= 2, $"names the unknown encryption method {cryptMethod}");

        var features = 0UL;
        var headerLength = (uint)Version2LengthBytes;
        if (version == 3)
        {
            Require(cluster.Length >= Version3LengthBytes, "is cut off");
            features = BinaryPrimitives.ReadUInt64BigEndian(cluster[72..]);
            Require((features & ~KnownBits) == 0, $"demands unknown features (0x{features & ~KnownBits:x}); the image was made by a newer QEMU");
            headerLength = BinaryPrimitives.ReadUInt32BigEndian(cluster[100..]);
            Require(
                headerLength >= Version3LengthBytes && headerLength % 8 == 0 && headerLength <= Math.Min(cluster.Length, clusterSize),
                $"gives its own length as {headerLength} bytes");
        }

        var nameOffset = BinaryPrimitives.ReadUInt64BigEndian(cluster[8..]);
        var nameLength = BinaryPrimitives.ReadUInt32BigEndian(cluster[16..]);
        string? backingFile = null;
        if (nameOffset != 0)
        {
            Require(nameLength is > 0 and <= LargestNameLengthBytes, $"gives a backing file name of {nameLength} bytes");
            Require(nameOffset >= headerLength && nameOffset <= (ulong)Math.Min(cluster.Length, clusterSize) - Math.Min(nameLength, (ulong)cluster.Length), "places the backing file name outside the first cluster");
            backingFile = Text(cluster.Slice((int)nameOffset, (int)nameLength));
        }

        var end = nameOffset != 0 ? (int)nameOffset : Math.Min(cluster.Length, clusterSize);
        var extensions = cluster[(int)headerLength..end];
        var backingFormat = FindExtension(extensions, BackingFormatExtension, out var format) ? Text(format) : null;
        var hasBitmaps = version == 3 && (BinaryPrimitives.ReadUInt64BigEndian(cluster[88..]) & BitmapsBit) != 0;
        var bitmaps = FindExtension(extensions, BitmapsExtension, out var place) && hasBitmaps ? ParseBitmaps(place) : (Qcow2BitmapDirectory?)null;
        return new Qcow2Header((int)version, (long)size, clusterSize, backingFile, backingFormat, cryptMethod != 0, features, bitmaps);
    }

    /// <summary>Walks the header extensions: type, length, data padded to 8 bytes; type 0 ends them. The last of a type counts.</summary>
    private static bool FindExtension(ReadOnlySpan<byte> extensions, uint wanted, out ReadOnlySpan<byte> found)
    {
        var isFound = false;
        found = default;
        while (extensions.Length >= 8)
        {
            var type = BinaryPrimitives.ReadUInt32BigEndian(extensions);
            var length = BinaryPrimitives.ReadUInt32BigEndian(extensions[4..]);
            if (type == 0)
                break;
            extensions = extensions[8..];
            Require(length <= extensions.Length, $"holds an extension of {length} bytes, which does not fit");
            if (type == wanted)
            {
                found = extensions[..(int)length];
                isFound = true;
            }

            extensions = extensions[(int)Math.Min((length + 7L) / 8 * 8, extensions.Length)..];
        }

        return isFound;
    }

    /// <summary>Number of bitmaps, reserved, then length and place of their directory.</summary>
    private static Qcow2BitmapDirectory ParseBitmaps(ReadOnlySpan<byte> place)
    {
        Require(place.Length == BitmapsExtensionLengthBytes, $"holds a bitmaps extension of {place.Length} bytes");
        var count = BinaryPrimitives.ReadUInt32BigEndian(place);
        var length = BinaryPrimitives.ReadUInt64BigEndian(place[8..]);
        var offset = BinaryPrimitives.ReadUInt64BigEndian(place[16..]);
        Require(count <= ushort.MaxValue && length <= long.MaxValue / 2 && offset <= long.MaxValue / 2, "places its bitmaps nowhere");
        return new Qcow2BitmapDirectory((int)count, (long)offset, (long)length);
    }

    private static int ClusterBits(ReadOnlySpan<byte> cluster)
    {
        var bits = BinaryPrimitives.ReadUInt32BigEndian(cluster[20..]);
        Require(bits is >= 9 and <= 21, $"gives a cluster size of 2^{bits} bytes");
        return (int)bits;
    }

    private static string Text(ReadOnlySpan<byte> bytes)
    {
        try
        {
            var text = StrictUtf8.GetString(bytes);
            Require(!text.Contains('\0', StringComparison.Ordinal), "holds a name with a NUL in it");
            return text;
        }
        catch (DecoderFallbackException exception)
        {
            throw new InvalidDataException("The qcow2 header holds a name that is not UTF-8.", exception);
        }
    }

    private static void Require(bool holds, string what)
    {
        if (!holds)
            throw new InvalidDataException($"The qcow2 header is damaged: it {what}.");
    }

    private static int ReadUpTo(SafeFileHandle file, Span<byte> buffer)
    {
        var total = 0;
        while (total < buffer.Length)
        {
            var count = RandomAccess.Read(file, buffer[total..], total);
            if (count == 0)
                break;
            total += count;
        }

        return total;
    }
}
