using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Strongroom.Blocks.Overlay;

/// <summary>Where things lie in an overlay file (docs/overlay-format.md).</summary>
internal sealed class OverlayFormat
{
    /// <summary>What is copied on write: the sector size of disks, and the page size of guests.</summary>
    public const int BlockSizeBytes = 4096;

    public const int HeaderLengthBytes = 4096;
    public const int LongestBaseNameBytes = 2048;
    public const int BlocksPerPage = BlockSizeBytes * 8;

    private const int BaseNameOffset = 32;
    private const int DigestOffset = HeaderLengthBytes - SHA256.HashSizeInBytes;

    /// <exception cref="ArgumentOutOfRangeException">The file would be longer than a file can be.</exception>
    public OverlayFormat(long diskLengthBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(diskLengthBytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(diskLengthBytes, long.MaxValue / 2);
        DiskLengthBytes = diskLengthBytes;
        Blocks = (diskLengthBytes + BlockSizeBytes - 1) / BlockSizeBytes;
        Pages = (Blocks + BlocksPerPage - 1) / BlocksPerPage;
    }

    private static ReadOnlySpan<byte> Magic => "SROVERL1"u8;

    public long DiskLengthBytes { get; }

    public long Blocks { get; }

    /// <summary>Pages of the bitmap, of 4,096 bytes.</summary>
    public long Pages { get; }

    public long FileLengthBytes => OffsetOfBlock(Blocks);

    public static long OffsetOfPage(long page) => HeaderLengthBytes + (page * BlockSizeBytes);

    public long OffsetOfBlock(long block) => OffsetOfPage(Pages) + (block * BlockSizeBytes);

    /// <summary>The header's bytes.</summary>
    /// <exception cref="ArgumentException">The base's name is too long.</exception>
    public byte[] Header(string baseName)
    {
        var name = Encoding.UTF8.GetBytes(baseName);
        if (name.Length > LongestBaseNameBytes)
            throw new ArgumentException($"The base's name takes {name.Length} bytes and must not take more than {LongestBaseNameBytes}.", nameof(baseName));
        var header = new byte[HeaderLengthBytes];
        Magic.CopyTo(header);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(8), BlockSizeBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(12), (uint)name.Length);
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(16), DiskLengthBytes);
        name.CopyTo(header, BaseNameOffset);
        SHA256.HashData(header.AsSpan(0, DigestOffset), header.AsSpan(DigestOffset));
        return header;
    }

    /// <summary>The base's name in a header, or null when it is no header of an overlay.</summary>
    public static string? BaseNameOf(ReadOnlySpan<byte> header)
    {
        if (header.Length != HeaderLengthBytes || !header.StartsWith(Magic) || !SHA256.HashData(header[..DigestOffset]).AsSpan().SequenceEqual(header[DigestOffset..]))
            return null;
        var length = BinaryPrimitives.ReadUInt32LittleEndian(header[12..]);
        return length <= LongestBaseNameBytes ? Encoding.UTF8.GetString(header.Slice(BaseNameOffset, (int)length)) : null;
    }
}
