using System.Buffers.Binary;
using System.Text;

namespace Strongroom.Backup.FileRecovery.Browsing.Archives;

/// <summary>Headers of a tar archive in GNU's form, which keeps names that are no text, and numbers of any size.</summary>
/// <remarks>
/// Source: "Basic Tar Format" of the GNU tar manual. Blocks of 512 bytes; a number that does not fit in octal is big-endian with the first
/// bit set; a name of more than 100 bytes comes before its header as the data of one of type L (names) or K (link targets).
/// </remarks>
internal static class TarHeader
{
    public const int BlockBytes = 512;

    private const int NameBytes = 100;

    /// <summary>The header of an entry, with those of its long names before it.</summary>
    /// <param name="name">Relative; of a folder it ends with a slash.</param>
    /// <param name="type">The type flag.</param>
    /// <param name="sizeBytes">Of the data that follows.</param>
    /// <param name="linkTarget">Of a link; else empty.</param>
    public static byte[] Of(ReadOnlySpan<byte> name, FileEntry entry, char type, long sizeBytes, ReadOnlySpan<byte> linkTarget)
    {
        var blocks = new MemoryStream();
        if (linkTarget.Length > NameBytes) WriteLong(blocks, 'K', linkTarget);
        if (name.Length > NameBytes) WriteLong(blocks, 'L', name);
        var block = New(name, type, sizeBytes, linkTarget);
        Number(block.AsSpan(100, 8), entry.Mode);
        Number(block.AsSpan(108, 8), entry.UserId);
        Number(block.AsSpan(116, 8), entry.GroupId);
        Number(block.AsSpan(136, 12), entry.ModifiedSeconds);
        if (type is '3' or '4')
        {
            // Linux: glibc's gnu_dev_major and gnu_dev_minor.
            Number(block.AsSpan(329, 8), ((entry.Device >> 8) & 0xFFF) | ((entry.Device >> 32) & ~0xFFFL));
            Number(block.AsSpan(337, 8), (entry.Device & 0xFF) | ((entry.Device >> 12) & ~0xFFL));
        }

        Seal(block);
        blocks.Write(block);
        return blocks.ToArray();
    }

    /// <summary>Zeros that fill the last block of so many bytes.</summary>
    public static int Padding(long lengthBytes) => (int)((BlockBytes - (lengthBytes % BlockBytes)) % BlockBytes);

    private static void WriteLong(MemoryStream blocks, char type, ReadOnlySpan<byte> text)
    {
        var block = New("././@LongLink"u8, type, text.Length + 1, default);
        Number(block.AsSpan(100, 8), 0);
        Number(block.AsSpan(108, 8), 0);
        Number(block.AsSpan(116, 8), 0);
        Number(block.AsSpan(136, 12), 0);
        Seal(block);
        blocks.Write(block);
        blocks.Write(text);
        blocks.Write(new byte[1 + Padding(text.Length + 1)]);
    }

    private static byte[] New(ReadOnlySpan<byte> name, char type, long sizeBytes, ReadOnlySpan<byte> linkTarget)
    {
        var block = new byte[BlockBytes];
        name[..Math.Min(name.Length, NameBytes)].CopyTo(block);
        Number(block.AsSpan(124, 12), sizeBytes);
        block[156] = (byte)type;
        linkTarget[..Math.Min(linkTarget.Length, NameBytes)].CopyTo(block.AsSpan(157));
        "ustar  \0"u8.CopyTo(block.AsSpan(257));
        return block;
    }

    private static void Seal(Span<byte> block)
    {
        block.Slice(148, 8).Fill((byte)' ');
        var sum = 0;
        foreach (var octet in block) sum += octet;
        Encoding.ASCII.GetBytes(Convert.ToString(sum, 8).PadLeft(6, '0') + "\0 ", block.Slice(148, 8));
    }

    private static void Number(Span<byte> field, long value)
    {
        var digits = field.Length - 1;
        if (value >= 0 && value < 1L << (3 * digits))
        {
            Encoding.ASCII.GetBytes(Convert.ToString(value, 8).PadLeft(digits, '0') + "\0", field);
            return;
        }

        // Two's complement of the field's whole length.
        field.Fill(value < 0 ? (byte)0xFF : (byte)0);
        BinaryPrimitives.WriteInt64BigEndian(field[^8..], value);
        field[0] |= 0x80;
    }
}
