using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Strongroom.Store.Images;
using Strongroom.Store.Keys;

namespace Strongroom.Store.Journals;

/// <summary>The names and bytes of session journals (<c>docs/store-format.md</c> section 13).</summary>
internal static class JournalFormat
{
    public const string Folder = "sess/";
    public const int SourceLengthBytes = 16;
    public const int GreatestRecords = 256;
    private const int HeaderLengthBytes = 64;
    private const int RecordHeadLengthBytes = 8;
    private const int SaltOffsetBytes = 16;
    private const int TagLengthBytes = OneTimeSeal.TagLengthBytes;
    private const int GreatestLengthBytes =
        HeaderLengthBytes + (GreatestRecords * (RecordHeadLengthBytes + NodeFormat.GreatestLengthBytes)) + TagLengthBytes;

    /// <summary>What stands for a source in names, as hex: the same token, length and parent make the same, and it says nothing of them.</summary>
    public static string SourceOf(KeyRing ring, string token, long lengthBytes, ImageRef? parent)
    {
        var text = Encoding.UTF8.GetBytes(token);
        var bytes = new byte[9 + ImageRef.EncodedLengthBytes + text.Length];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, lengthBytes);
        if (parent is { } image)
        {
            bytes[8] = 1;
            image.WriteTo(bytes.AsSpan(9));
        }

        text.CopyTo(bytes, 9 + ImageRef.EncodedLengthBytes);
        var key = new byte[32];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, ring.SealKey, key, default, "strongroom session source v1"u8);
        return Convert.ToHexStringLower(HMACSHA256.HashData(key, bytes).AsSpan(0, SourceLengthBytes));
    }

    public static string FolderOf(string source) => $"{Folder}{source}/";

    public static string NewName(string source, DateTimeOffset now) => string.Create(
        CultureInfo.InvariantCulture, $"{FolderOf(source)}{now.ToUnixTimeMilliseconds():x16}-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8))}");

    /// <summary>The source and the time in a name; false for what is no journal's.</summary>
    public static bool TryParseName(string name, [NotNullWhen(true)] out string? source, out DateTimeOffset writtenAt)
    {
        (source, writtenAt) = (null, default);
        var parts = name.Split('/');
        if (parts is not ["sess", { Length: 2 * SourceLengthBytes }, { Length: 33 }] || parts[2][16] != '-'
            || !long.TryParse(parts[2].AsSpan(0, 16), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var milliseconds)
            || !Log.PayloadReader.IsTime(milliseconds))
            return false;
        (source, writtenAt) = (parts[1], DateTimeOffset.FromUnixTimeMilliseconds(milliseconds));
        return true;
    }

    /// <summary>False for a blob that is longer or shorter than any journal.</summary>
    public static bool IsLength(long lengthBytes) => lengthBytes is >= HeaderLengthBytes + RecordHeadLengthBytes + TagLengthBytes and <= GreatestLengthBytes;

    public static byte[] Seal(KeyRing ring, string source, IReadOnlyList<JournalRecord> records)
    {
        var length = records.Sum(record => RecordHeadLengthBytes + record.Node.Length);
        var blob = new byte[HeaderLengthBytes + length + TagLengthBytes];
        var span = blob.AsSpan();
        "SRSESS01"u8.CopyTo(span);
        BinaryPrimitives.WriteUInt16LittleEndian(span[8..], 1);
        BinaryPrimitives.WriteInt32LittleEndian(span[12..], records.Count);
        RandomNumberGenerator.Fill(span.Slice(SaltOffsetBytes, 16));
        ring.VaultId.TryWriteBytes(span[32..], bigEndian: true, out _);
        Convert.FromHexString(source).CopyTo(span[48..]);
        var plain = new byte[length];
        var target = plain.AsSpan();
        foreach (var record in records)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(target, record.Leaf);
            target[4] = (byte)record.Form;
            BinaryPrimitives.WriteUInt16LittleEndian(target[6..], (ushort)record.SplitCount);
            record.Node.CopyTo(target[RecordHeadLengthBytes..]);
            target = target[(RecordHeadLengthBytes + record.Node.Length)..];
        }

        OneTimeSeal.Seal(ring, Info, SaltOf(span), span[..HeaderLengthBytes], plain, span[HeaderLengthBytes..]);
        return blob;
    }

    /// <exception cref="StoreException">Corrupt: it is not what a session of this vault wrote for this source.</exception>
    public static List<JournalRecord> Open(KeyRing ring, string source, ReadOnlySpan<byte> blob)
    {
        if (!IsLength(blob.Length) || !blob.StartsWith("SRSESS01"u8) || BinaryPrimitives.ReadUInt16LittleEndian(blob[8..]) != 1
            || new Guid(blob.Slice(32, 16), bigEndian: true) != ring.VaultId || !blob.Slice(48, SourceLengthBytes).SequenceEqual(Convert.FromHexString(source)))
            throw Damaged();
        var plain = new byte[blob.Length - HeaderLengthBytes - TagLengthBytes];
        if (!OneTimeSeal.TryOpen(ring, Info, SaltOf(blob), blob[..HeaderLengthBytes], blob[HeaderLengthBytes..], plain))
            throw Damaged();

        return Parse(plain, BinaryPrimitives.ReadUInt32LittleEndian(blob[12..]));
    }

    /// <summary>Reads the records that a journal holds behind its seal.</summary>
    /// <exception cref="StoreException">Corrupt: no session writes such records.</exception>
    internal static List<JournalRecord> Parse(ReadOnlySpan<byte> plain, uint count)
    {
        var records = new List<JournalRecord>();
        while (plain.Length >= RecordHeadLengthBytes)
        {
            var form = (JournalForm)plain[4];
            var splits = BinaryPrimitives.ReadUInt16LittleEndian(plain[6..]);
            var length = form == JournalForm.Node ? JournalRecord.NodeLengthOf(splits) : 0;
            if (form is not (JournalForm.Hole or JournalForm.Parent or JournalForm.Node) || splits > ImageGeometry.FanOut
                || plain.Length < RecordHeadLengthBytes + length)
                throw Damaged();
            records.Add(new(BinaryPrimitives.ReadUInt32LittleEndian(plain), form, plain.Slice(RecordHeadLengthBytes, length).ToArray()));
            plain = plain[(RecordHeadLengthBytes + length)..];
        }

        return plain.Length == 0 && records.Count == count ? records : throw Damaged();
    }

    private static ReadOnlySpan<byte> Info => "strongroom session v1"u8;

    private static ReadOnlySpan<byte> SaltOf(ReadOnlySpan<byte> header) => header.Slice(SaltOffsetBytes, 16);

    private static StoreException Damaged() => StoreException.Corrupt("A session's journal is damaged");
}

/// <summary>What a journal says of 64 MiB of an image.</summary>
internal enum JournalForm : byte
{
    Hole = 1,

    /// <summary>The parent's leaf in the same place.</summary>
    Parent = 2,

    /// <summary>A leaf of its own, whose bytes follow.</summary>
    Node = 3,
}

/// <summary>One leaf of which every chunk is durable.</summary>
/// <param name="Leaf">Its index in the image.</param>
/// <param name="Form">What it is.</param>
/// <param name="Node">The leaf's bytes (<see cref="NodeFormat"/>); empty unless it is one of its own.</param>
internal sealed record JournalRecord(uint Leaf, JournalForm Form, byte[] Node)
{
    public int SplitCount => Form == JournalForm.Node ? (Node.Length - ImageGeometry.NodeLengthBytes) / NodeFormat.SplitRecordLengthBytes : 0;

    public static int NodeLengthOf(int splitCount) => ImageGeometry.NodeLengthBytes + (splitCount * NodeFormat.SplitRecordLengthBytes);
}
