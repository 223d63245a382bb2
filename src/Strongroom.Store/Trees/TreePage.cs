using System.Buffers.Binary;
using System.Text;

namespace Strongroom.Store.Trees;

/// <summary>The pages of folders (<c>docs/store-format.md</c> section 9). What is read is checked to the last byte: a tree may come from anywhere.</summary>
internal static class TreePage
{
    public const int GreatestEntryLengthBytes = 1 << 20;
    public const int GreatestNameLengthBytes = 255;
    public const int GreatestInlineLengthBytes = 512;
    public const int GreatestLinkLengthBytes = 4095;
    private const int FixedLengthBytes = 56;
    private const int GreatestMode = 0xFFF;
    private const TreeEntryFlags KnownFlags = TreeEntryFlags.ChangedWhileRead | TreeEntryFlags.Sparse | TreeEntryFlags.NotSettled;

    /// <summary>How a file's content is kept.</summary>
    private enum Form : byte
    {
        None = 0,
        Inline = 1,
        Stream = 2,
    }

    /// <summary>An entry as its bytes.</summary>
    public static byte[] Format(TreeEntry entry)
    {
        var writer = new EntryWriter();
        writer.UInt32(0);
        writer.Byte((byte)entry.Kind);
        writer.Byte((byte)entry.Flags);
        writer.UInt16((ushort)entry.Mode);
        writer.UInt32(entry.UserId);
        writer.UInt32(entry.GroupId);
        writer.Time(entry.ModifiedAt);
        writer.Time(entry.ChangedAt);
        writer.UInt64(entry.Inode);
        writer.UInt32(entry.Device);
        writer.UInt32(entry.Links);
        writer.Short(entry.Name.Span);
        writer.Short(Encoding.UTF8.GetBytes(entry.UserName));
        writer.Short(Encoding.UTF8.GetBytes(entry.GroupName));
        writer.UInt16((ushort)entry.Attributes.Count);
        foreach (var attribute in entry.Attributes)
        {
            writer.Short(attribute.Name.Span);
            writer.UInt32((uint)attribute.Value.Length);
            writer.Raw(attribute.Value.Span);
        }

        FormatContent(entry, writer);
        var bytes = writer.ToArray();
        BinaryPrimitives.WriteInt32LittleEndian(bytes, bytes.Length);
        return bytes;
    }

    /// <summary>Reads all entries of a page. They ascend strictly within it.</summary>
    /// <param name="page">Its bytes. The entries keep pointing into them.</param>
    /// <param name="isTop">True for the tree's own page: one entry without a name.</param>
    /// <exception cref="StoreException">Corrupt: no writer makes such a page.</exception>
    public static List<TreeEntry> Parse(ReadOnlyMemory<byte> page, bool isTop)
    {
        var entries = new List<TreeEntry>();
        while (page.Length > 0)
        {
            if (page.Length < FixedLengthBytes)
                throw Malformed();
            var length = BinaryPrimitives.ReadUInt32LittleEndian(page.Span);
            if (length is < FixedLengthBytes or > GreatestEntryLengthBytes || length > page.Length)
                throw Malformed();
            var entry = ParseEntry(page[..(int)length]);
            if (isTop ? entry.Name.Length > 0 || entries.Count > 0 : !IsName(entry.Name.Span))
                throw Malformed();
            if (entries.Count > 0 && entries[^1].Name.Span.SequenceCompareTo(entry.Name.Span) >= 0)
                throw Malformed();
            entries.Add(entry);
            page = page[(int)length..];
        }

        return entries.Count > 0 ? entries : throw Malformed();
    }

    /// <summary>True for what may be a name in a folder.</summary>
    public static bool IsName(ReadOnlySpan<byte> name) =>
        name.Length is > 0 and <= GreatestNameLengthBytes && !name.ContainsAny((byte)'/', (byte)0) && !name.SequenceEqual("."u8) && !name.SequenceEqual(".."u8);

    public static StoreException Malformed() => StoreException.Corrupt("A folder of a tree is malformed");

    private static void FormatContent(TreeEntry entry, EntryWriter writer)
    {
        switch (entry.Kind)
        {
            case TreeEntryKind.File when entry.Inline is { } inline:
                writer.Byte((byte)Form.Inline);
                writer.Raw(inline);
                break;
            case TreeEntryKind.File when entry.Stream is { } stream:
                writer.Byte((byte)Form.Stream);
                writer.Stream(stream);
                break;
            case TreeEntryKind.File:
                writer.Byte((byte)Form.None);
                break;
            case TreeEntryKind.Folder when entry.Stream is { } pages:
                writer.Stream(pages);
                break;
            case TreeEntryKind.SymbolicLink:
                writer.Raw(entry.LinkTarget.Span);
                break;
            case TreeEntryKind.CharacterDevice or TreeEntryKind.BlockDevice:
                writer.UInt32(entry.DeviceMajor);
                writer.UInt32(entry.DeviceMinor);
                break;
        }
    }

    private static TreeEntry ParseEntry(ReadOnlyMemory<byte> source)
    {
        var reader = new EntryReader(source);
        _ = reader.UInt32();
        var kind = (TreeEntryKind)reader.Byte();
        var flags = (TreeEntryFlags)reader.Byte();
        var entry = new TreeEntry
        {
            Kind = kind,
            Flags = flags,
            Mode = reader.UInt16(),
            UserId = reader.UInt32(),
            GroupId = reader.UInt32(),
            ModifiedAt = reader.Time(),
            ChangedAt = reader.Time(),
            Inode = reader.UInt64(),
            Device = reader.UInt32(),
            Links = reader.UInt32(),
            Name = reader.Short(),
            UserName = Encoding.UTF8.GetString(reader.Short().Span),
            GroupName = Encoding.UTF8.GetString(reader.Short().Span),
            Attributes = ParseAttributes(ref reader),
        };
        if ((flags & ~KnownFlags) != 0 || entry.Mode > GreatestMode)
            throw Malformed();
        return ParseContent(entry, reader.Rest);
    }

    private static ExtendedAttribute[] ParseAttributes(ref EntryReader reader)
    {
        var attributes = new ExtendedAttribute[reader.UInt16()];
        for (var i = 0; i < attributes.Length; i++)
        {
            var attribute = new ExtendedAttribute(reader.Short(), reader.Bytes(reader.UInt32()));
            if (attribute.Name.Length == 0 || attribute.Name.Span.Contains((byte)0)
                || (i > 0 && attributes[i - 1].Name.Span.SequenceCompareTo(attribute.Name.Span) >= 0))
                throw Malformed();
            attributes[i] = attribute;
        }

        return attributes;
    }

    private static TreeEntry ParseContent(TreeEntry entry, ReadOnlyMemory<byte> content)
    {
        switch (entry.Kind)
        {
            case TreeEntryKind.File when content.Length > 0:
                return ((Form)content.Span[0], content.Length - 1) switch
                {
                    (Form.None, 0) => entry,
                    (Form.Inline, <= GreatestInlineLengthBytes) => entry with { Inline = content[1..].ToArray() },
                    (Form.Stream, StreamRef.EncodedLengthBytes) => entry with { Stream = StreamRef.Read(content.Span[1..]) },
                    _ => throw Malformed(),
                };
            case TreeEntryKind.Folder when content.Length == 0:
                return entry;
            case TreeEntryKind.Folder when content.Length == StreamRef.EncodedLengthBytes:
                var pages = StreamRef.Read(content.Span);
                return pages.Root.IsHole && pages.LengthBytes > 0 ? throw Malformed() : entry with { Stream = pages };
            case TreeEntryKind.SymbolicLink when content.Length is > 0 and <= GreatestLinkLengthBytes && !content.Span.Contains((byte)0):
                return entry with { LinkTarget = content };
            case TreeEntryKind.CharacterDevice or TreeEntryKind.BlockDevice when content.Length == 8:
                return entry with
                {
                    DeviceMajor = BinaryPrimitives.ReadUInt32LittleEndian(content.Span),
                    DeviceMinor = BinaryPrimitives.ReadUInt32LittleEndian(content.Span[4..]),
                };
            case TreeEntryKind.Fifo or TreeEntryKind.Socket when content.Length == 0:
                return entry;
            default:
                throw Malformed();
        }
    }
}
