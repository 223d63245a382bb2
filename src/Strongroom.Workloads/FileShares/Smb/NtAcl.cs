using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Strongroom.Store;

namespace Strongroom.Workloads.FileShares.Smb;

/// <summary>
/// Owner, group and access rights: between libsmbclient's words (<c>REVISION:1,OWNER:S-1-5-18,GROUP:...,ACL:S-1-1-0:0/0/0x001f01ff</c>) and what Samba keeps in a file system,
/// the extended attribute <c>security.NTACL</c>.
/// </summary>
/// <remarks>The words do not tell whether a folder's rights are kept from what it would inherit, nor what is audited.</remarks>
internal static class NtAcl
{
    private const ushort SelfRelative = 0x8000, HasAccessList = 0x4, IsInheritedFrom = 0x400;
    private const int Inherited = 0x10;
    private const int HeaderBytes = 20, ListHeaderBytes = 8, RightHeaderBytes = 8;
    private const int Pointer = 0x20000;
    private const int BlobBytes = 8;
    private const int HashBytes = 64;
    private const int MostRights = 4000;

    private static ReadOnlySpan<byte> Name => "security.NTACL"u8;

    /// <summary>True for the attribute that holds them.</summary>
    public static bool Is(ExtendedAttribute attribute) => attribute.Name.Span.SequenceEqual(Name);

    /// <summary>From the words to the attribute, in its first version: a security descriptor and no more.</summary>
    /// <exception cref="IOException">They are none, or say less than the server knows.</exception>
    public static ExtendedAttribute Write(string text)
    {
        byte[] owner = [], group = [];
        var rights = new List<byte[]>();
        ushort control = SelfRelative;
        foreach (var part in text.Split(','))
        {
            var at = part.IndexOf(':', StringComparison.Ordinal);
            var (word, rest) = at < 0 ? (part, "") : (part[..at], part[(at + 1)..]);
            if (word == "OWNER") owner = Sid.Parse(rest);
            else if (word == "GROUP") group = Sid.Parse(rest);
            else if (word == "ACL") rights.Add(WriteRight(rest, ref control));
            else if (word != "REVISION") throw Unknown(text);
        }

        // Either nobody has any rights, or everybody has all: the words are the same.
        if (rights.Count == 0) throw new IOException("it has no list of access rights, or an empty one, which libsmbclient does not tell apart");
        var list = WriteList(rights);
        var value = new byte[BlobBytes + HeaderBytes + list.Length + owner.Length + group.Length];
        BinaryPrimitives.WriteUInt16LittleEndian(value, 1);
        BinaryPrimitives.WriteUInt16LittleEndian(value.AsSpan(2), 1);
        BinaryPrimitives.WriteInt32LittleEndian(value.AsSpan(4), Pointer);
        var descriptor = value.AsSpan(BlobBytes);
        descriptor[0] = 1;
        BinaryPrimitives.WriteUInt16LittleEndian(descriptor[2..], control);
        // The places in a descriptor count from the begin of the attribute.
        var end = BlobBytes + HeaderBytes;
        Append(value, owner, 4, ref end);
        Append(value, group, 8, ref end);
        Append(value, list, 16, ref end);
        return new(Name.ToArray(), value);
    }

    /// <summary>From the attribute to the words; null where an entry has none.</summary>
    /// <exception cref="IOException">It is in no form that is known.</exception>
    public static string? Read(TreeEntry entry)
    {
        if (entry.Attributes.FirstOrDefault(Is) is not { } found) return null;
        try
        {
            return ReadDescriptor(found.Value.Span, DescriptorOffset(found.Value.Span));
        }
        catch (Exception failure) when (failure is ArgumentOutOfRangeException or IndexOutOfRangeException)
        {
            throw new IOException("its access rights are kept in a form that is not known", failure);
        }
    }

    private static IOException Unknown(string text) => new($"'{(text.Length > 200 ? text[..200] : text)}' are no access rights");

    private static void Append(byte[] value, byte[] part, int field, ref int end)
    {
        if (part.Length == 0) return;
        BinaryPrimitives.WriteInt32LittleEndian(value.AsSpan(BlobBytes + field), end);
        part.CopyTo(value, end);
        end += part.Length;
    }

    private static byte[] WriteList(List<byte[]> rights)
    {
        if (rights.Count == 0) return [];
        var list = new byte[ListHeaderBytes + rights.Sum(right => right.Length)];
        list[0] = 2;
        BinaryPrimitives.WriteUInt16LittleEndian(list.AsSpan(2), (ushort)list.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(list.AsSpan(4), (ushort)rights.Count);
        var at = ListHeaderBytes;
        foreach (var right in rights)
        {
            right.CopyTo(list, at);
            at += right.Length;
        }

        return list;
    }

    /// <summary>From <c>SID:type/flags/0xmask</c>.</summary>
    private static byte[] WriteRight(string text, ref ushort control)
    {
        var at = text.IndexOf(':', StringComparison.Ordinal);
        var numbers = at < 0 ? [] : text[(at + 1)..].Split('/');
        if (numbers is not [var kindText, var flagsText, ['0', 'x', .. var maskText]]
            || !byte.TryParse(kindText, CultureInfo.InvariantCulture, out var kind)
            || !byte.TryParse(flagsText, CultureInfo.InvariantCulture, out var flags)
            || !uint.TryParse(maskText, NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var mask)) throw Unknown(text);
        // Of other kinds the words leave out what they apply to, or on what condition.
        if (kind > 1) throw new IOException($"it has access rights of kind {kind}, which libsmbclient does not tell in full");
        control |= HasAccessList;
        if ((flags & Inherited) != 0) control |= IsInheritedFrom;
        var sid = Sid.Parse(text[..at]);
        var right = new byte[RightHeaderBytes + sid.Length];
        (right[0], right[1]) = (kind, flags);
        BinaryPrimitives.WriteUInt16LittleEndian(right.AsSpan(2), (ushort)right.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(right.AsSpan(4), mask);
        sid.CopyTo(right, RightHeaderBytes);
        return right;
    }

    /// <summary>Behind the version and the pointers, and in the newer versions behind hashes, a text and a time.</summary>
    private static int DescriptorOffset(ReadOnlySpan<byte> value)
    {
        const int Hashed = 4 + 4 + 4 + 2 + HashBytes;
        return BinaryPrimitives.ReadUInt16LittleEndian(value) switch
        {
            1 => BlobBytes,
            3 => Aligned(Hashed),
            4 => Aligned(Hashed + value[Hashed..].IndexOf((byte)0) + 1) + 8 + HashBytes,
            var version => throw new IOException($"its access rights are kept in version {version}, which is not known"),
        };
    }

    private static int Aligned(int offset) => (offset + 3) & ~3;

    private static string ReadDescriptor(ReadOnlySpan<byte> value, int offset)
    {
        var descriptor = value[offset..];
        var text = new StringBuilder("REVISION:1");
        if (BinaryPrimitives.ReadInt32LittleEndian(descriptor[4..]) is var owner and > 0) text.Append(",OWNER:").Append(Sid.Format(value[owner..]));
        if (BinaryPrimitives.ReadInt32LittleEndian(descriptor[8..]) is var group and > 0) text.Append(",GROUP:").Append(Sid.Format(value[group..]));
        if (BinaryPrimitives.ReadInt32LittleEndian(descriptor[16..]) is var list and > 0)
        {
            var rest = value[list..];
            var count = BinaryPrimitives.ReadUInt16LittleEndian(rest[4..]);
            if (count > MostRights) throw new IOException("its access rights are too many");
            rest = rest[ListHeaderBytes..];
            for (; count > 0; count--)
            {
                if (rest[0] > 1) throw new IOException($"it has access rights of kind {rest[0]}, which libsmbclient cannot set");
                // Decimal: some versions of the library read a hexadecimal mask as 0.
                text.Append(CultureInfo.InvariantCulture, $",ACL:{Sid.Format(rest[RightHeaderBytes..])}:{rest[0]}/{rest[1]}/{BinaryPrimitives.ReadUInt32LittleEndian(rest[4..])}");
                rest = rest[BinaryPrimitives.ReadUInt16LittleEndian(rest[2..])..];
            }
        }

        return text.ToString();
    }
}
