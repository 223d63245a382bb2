using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using Strongroom.Store.Keys;

namespace Strongroom.Store.Log;

/// <summary>What a log entry says. The numbers are the format's.</summary>
internal enum LogEntryType : ushort
{
    Genesis = 1,
    Reserve = 2,
    Commit = 3,
    Tombstone = 4,
    Void = 5,
    Checkpoint = 6,
    Sweep = 7,
    Key = 8,
    Condemn = 9,
    Policy = 13,
    Undelete = 14,
    Quarantine = 15,
    Purge = 16,
    Lock = 17,
    Clock = 18,
    Erase = 19,
    Release = 20,
    Accept = 21,

    // Reserved for later versions, so that this one refuses rather than misreads it.
    Session = 12,
}

/// <summary>One entry of the log, opened (<c>docs/store-format.md</c> section 6).</summary>
internal sealed record LogEntry(
    long Sequence, LogEntryType Type, byte[] PreviousHash, Guid WriterId, DateTimeOffset Time, byte[] Payload, byte[] Hash)
{
    public const int HeaderLengthBytes = 92;
    public const int SaltLengthBytes = 16;
    public const int GreatestPayloadLengthBytes = 16 << 20;
    public const int GreatestLengthBytes = HeaderLengthBytes + GreatestPayloadLengthBytes + TagLengthBytes + MacLengthBytes;
    private const int TagLengthBytes = OneTimeSeal.TagLengthBytes;
    private const int KeySaltLengthBytes = sizeof(long) + SaltLengthBytes;
    private const int MacLengthBytes = 32;
    private const uint Magic = 0x474C5253; // "SRLG" as little-endian

    public static string NameOf(long sequence) => string.Create(CultureInfo.InvariantCulture, $"log/{sequence:D20}");

    public static long? ParseName(string name) =>
        name.Length == 24 && long.TryParse(name.AsSpan(4), NumberStyles.None, CultureInfo.InvariantCulture, out var sequence) ? sequence : null;

    /// <summary>True for bytes that begin as the entry of this number does; nothing vouches for them.</summary>
    public static bool IsHeader(ReadOnlySpan<byte> bytes, long sequence) =>
        bytes.Length >= HeaderLengthBytes && BinaryPrimitives.ReadUInt32LittleEndian(bytes) == Magic && BinaryPrimitives.ReadInt64LittleEndian(bytes[8..]) == sequence;

    /// <summary>What an entry says it is, before anything vouches for it; 0 for what is too short.</summary>
    public static LogEntryType TypeOf(ReadOnlySpan<byte> bytes) =>
        bytes.Length < HeaderLengthBytes ? 0 : (LogEntryType)BinaryPrimitives.ReadUInt16LittleEndian(bytes[6..]);

    /// <summary>The hash of the entry before, as an entry names it, before anything vouches for it; empty for what is too short.</summary>
    public static ReadOnlySpan<byte> PreviousHashOf(ReadOnlySpan<byte> bytes) => bytes.Length < HeaderLengthBytes ? [] : bytes.Slice(16, 32);

    /// <summary>The bytes of an entry, and their hash, to which the next entry chains.</summary>
    public static (byte[] Bytes, LogEntry Entry) Seal(
        KeyRing ring, long sequence, LogEntryType type, byte[] previousHash, Guid writerId, ReadOnlySpan<byte> salt, DateTimeOffset time, byte[] payload)
    {
        var bytes = new byte[HeaderLengthBytes + payload.Length + TagLengthBytes + MacLengthBytes];
        var span = bytes.AsSpan();
        BinaryPrimitives.WriteUInt32LittleEndian(span, Magic);
        BinaryPrimitives.WriteUInt16LittleEndian(span[4..], 1);
        BinaryPrimitives.WriteUInt16LittleEndian(span[6..], (ushort)type);
        BinaryPrimitives.WriteInt64LittleEndian(span[8..], sequence);
        previousHash.CopyTo(span[16..]);
        writerId.TryWriteBytes(span[48..], bigEndian: true, out _);
        salt.CopyTo(span[64..]);
        BinaryPrimitives.WriteInt64LittleEndian(span[80..], time.ToUnixTimeMilliseconds());
        BinaryPrimitives.WriteInt32LittleEndian(span[88..], payload.Length);
        var sealedEnd = HeaderLengthBytes + payload.Length;
        OneTimeSeal.Seal(ring, Info, KeySaltOf(sequence, salt, stackalloc byte[KeySaltLengthBytes]), span[..HeaderLengthBytes], payload, span[HeaderLengthBytes..(sealedEnd + TagLengthBytes)]);
        HMACSHA256.HashData(ring.LogKey, span[..^MacLengthBytes], span[^MacLengthBytes..]);
        var entry = new LogEntry(
            sequence, type, previousHash, writerId, DateTimeOffset.FromUnixTimeMilliseconds(time.ToUnixTimeMilliseconds()), payload, SHA256.HashData(bytes));
        return (bytes, entry);
    }

    /// <summary>Opens an entry; false when the bytes are not a whole and authentic entry of this vault at this place.</summary>
    /// <exception cref="StoreException">Unsupported: authentic, but of a newer version.</exception>
    public static bool TryOpen(KeyRing ring, long sequence, ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out LogEntry? entry)
    {
        entry = null;
        if (bytes.Length < HeaderLengthBytes + TagLengthBytes + MacLengthBytes || BinaryPrimitives.ReadUInt32LittleEndian(bytes) != Magic)
            return false;
        Span<byte> mac = stackalloc byte[MacLengthBytes];
        HMACSHA256.HashData(ring.LogKey, bytes[..^MacLengthBytes], mac);
        if (!CryptographicOperations.FixedTimeEquals(mac, bytes[^MacLengthBytes..])
            || BinaryPrimitives.ReadInt64LittleEndian(bytes[8..]) != sequence)
            return false;
        if (BinaryPrimitives.ReadUInt16LittleEndian(bytes[4..]) != 1)
            throw new StoreException(StoreErrorKind.Unsupported, $"Log entry {sequence} is of a newer format. Use a newer Strongroom.");
        var length = BinaryPrimitives.ReadInt32LittleEndian(bytes[88..]);
        var time = BinaryPrimitives.ReadInt64LittleEndian(bytes[80..]);
        if (length != bytes.Length - HeaderLengthBytes - TagLengthBytes - MacLengthBytes || !PayloadReader.IsTime(time))
            return false;
        var payload = new byte[length];
        var keySalt = KeySaltOf(sequence, bytes.Slice(64, SaltLengthBytes), stackalloc byte[KeySaltLengthBytes]);
        if (!OneTimeSeal.TryOpen(ring, Info, keySalt, bytes[..HeaderLengthBytes], bytes.Slice(HeaderLengthBytes, length + TagLengthBytes), payload))
            return false;
        entry = new LogEntry(
            sequence,
            TypeOf(bytes),
            PreviousHashOf(bytes).ToArray(),
            new Guid(bytes.Slice(48, 16), bigEndian: true),
            DateTimeOffset.FromUnixTimeMilliseconds(time),
            payload,
            SHA256.HashData(bytes));
        return true;
    }

    private static ReadOnlySpan<byte> Info => "strongroom log v1"u8;

    private static Span<byte> KeySaltOf(long sequence, ReadOnlySpan<byte> salt, Span<byte> target)
    {
        BinaryPrimitives.WriteInt64LittleEndian(target, sequence);
        salt.CopyTo(target[8..]);
        return target;
    }
}
