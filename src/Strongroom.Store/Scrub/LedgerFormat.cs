using System.Buffers.Binary;
using System.Security.Cryptography;
using Strongroom.Store.Keys;
using Strongroom.Store.Log;

namespace Strongroom.Store.Scrub;

/// <summary>What is known of a pack.</summary>
/// <param name="IsDamaged">It was damaged or missing when it was last looked at.</param>
/// <param name="DigestAt">When its digest was last found to match, or the damage was found, in Unix milliseconds.</param>
/// <param name="OpenedAt">When every chunk of it was last opened and identified, in Unix milliseconds; 0 for never.</param>
internal readonly record struct LedgerLine(bool IsDamaged, long DigestAt, long OpenedAt);

/// <summary>The bytes of a scrub ledger (<c>docs/store-format.md</c> section 12).</summary>
internal static class LedgerFormat
{
    public const int HeaderLengthBytes = 48;
    public const int LineLengthBytes = 24;
    private const int TagLengthBytes = OneTimeSeal.TagLengthBytes;

    private static ReadOnlySpan<byte> Magic => "SRSCRUB1"u8;

    private static ReadOnlySpan<byte> Info => "strongroom scrub v1"u8;

    public static byte[] Seal(KeyRing ring, IReadOnlyDictionary<uint, LedgerLine> lines)
    {
        var plain = new byte[lines.Count * LineLengthBytes];
        var next = 0;
        foreach (var (pack, line) in lines.OrderBy(line => line.Key))
        {
            var target = plain.AsSpan(next++ * LineLengthBytes);
            BinaryPrimitives.WriteUInt32LittleEndian(target, pack);
            target[4] = line.IsDamaged ? (byte)1 : (byte)0;
            BinaryPrimitives.WriteInt64LittleEndian(target[8..], line.DigestAt);
            BinaryPrimitives.WriteInt64LittleEndian(target[16..], line.OpenedAt);
        }

        var blob = new byte[HeaderLengthBytes + plain.Length + TagLengthBytes];
        var header = blob.AsSpan(0, HeaderLengthBytes);
        Magic.CopyTo(header);
        BinaryPrimitives.WriteUInt16LittleEndian(header[8..], 1);
        BinaryPrimitives.WriteInt32LittleEndian(header[12..], lines.Count);
        RandomNumberGenerator.Fill(header.Slice(16, 16));
        ring.VaultId.TryWriteBytes(header[32..], bigEndian: true, out _);
        OneTimeSeal.Seal(ring, Info, SaltOf(header), header, plain, blob.AsSpan(HeaderLengthBytes));
        return blob;
    }

    /// <summary>False when the bytes are no whole and authentic ledger of this vault: then nothing is known.</summary>
    public static bool TryOpen(KeyRing ring, ReadOnlySpan<byte> blob, Dictionary<uint, LedgerLine> lines)
    {
        if (blob.Length < HeaderLengthBytes + TagLengthBytes || !blob.StartsWith(Magic) || BinaryPrimitives.ReadUInt16LittleEndian(blob[8..]) != 1
            || BinaryPrimitives.ReadUInt32LittleEndian(blob[12..]) * (long)LineLengthBytes != blob.Length - HeaderLengthBytes - TagLengthBytes)
            return false;
        var plain = new byte[blob.Length - HeaderLengthBytes - TagLengthBytes];
        if (!OneTimeSeal.TryOpen(ring, Info, SaltOf(blob), blob[..HeaderLengthBytes], blob[HeaderLengthBytes..], plain))
            return false;

        for (var source = plain.AsSpan(); source.Length > 0; source = source[LineLengthBytes..])
        {
            var pack = BinaryPrimitives.ReadUInt32LittleEndian(source);
            var line = new LedgerLine(source[4] != 0, BinaryPrimitives.ReadInt64LittleEndian(source[8..]), BinaryPrimitives.ReadInt64LittleEndian(source[16..]));
            if (!PayloadReader.IsTime(line.DigestAt) || !PayloadReader.IsTime(line.OpenedAt))
                continue;

            // Of several ledgers the newest knowledge counts.
            if (!lines.TryGetValue(pack, out var known) || known.DigestAt < line.DigestAt)
                lines[pack] = line with { OpenedAt = Math.Max(line.OpenedAt, known.OpenedAt) };
        }

        return true;
    }

    private static ReadOnlySpan<byte> SaltOf(ReadOnlySpan<byte> header) => header.Slice(16, 16);
}
