using System.Buffers.Binary;
using Strongroom.Store;

namespace Strongroom.Workloads.FileShares.Smb;

/// <summary>
/// DOS attributes and the time of birth as Samba keeps them in a file system, as the extended attribute <c>user.DOSATTRIB</c>: a restore into a folder that Samba serves
/// shows them again.
/// </summary>
internal static class SambaAttributes
{
    /// <summary>Those that clients set: read-only, hidden, system, archive.</summary>
    public const int Settable = 0x27;

    public const int Archive = 0x20;

    private const int Normal = 0x80;
    private const ushort Newest = 5;
    private const int HasAttributes = 0x1, HasBirth = 0x10;
    private const int Version4 = 4, Version4LengthBytes = 32, Version5LengthBytes = 24, Version3 = 3;
    private const long TicksTo1970 = 116_444_736_000_000_000;
    private const long TicksOfSecond = 10_000_000;
    private const int NanosecondsOfTick = 100;

    private static ReadOnlySpan<byte> Name => "user.DOSATTRIB"u8;

    /// <summary>True for the attribute that holds them.</summary>
    public static bool Is(ExtendedAttribute attribute) => attribute.Name.Span.SequenceEqual(Name);

    /// <param name="attributes">The bits that SMB shows.</param>
    /// <param name="born">To 100 ns.</param>
    public static ExtendedAttribute Write(int attributes, FileTime born)
    {
        // An empty text with its padding, the version twice, padding, what is valid, the attributes, the time.
        var value = new byte[Version5LengthBytes];
        BinaryPrimitives.WriteUInt16LittleEndian(value.AsSpan(2), Newest);
        BinaryPrimitives.WriteUInt16LittleEndian(value.AsSpan(4), Newest);
        BinaryPrimitives.WriteInt32LittleEndian(value.AsSpan(8), HasAttributes | HasBirth);
        BinaryPrimitives.WriteInt32LittleEndian(value.AsSpan(12), attributes & ~Normal);
        BinaryPrimitives.WriteInt64LittleEndian(value.AsSpan(16), TicksOf(born));
        return new(Name.ToArray(), value);
    }

    /// <summary>What an entry has; of the time of birth null where it is not known, and of the attributes where there is no such extended attribute.</summary>
    public static (int Attributes, FileTime? Born)? Read(TreeEntry entry) => Read(entry.Attributes);

    /// <inheritdoc cref="Read(TreeEntry)"/>
    public static (int Attributes, FileTime? Born)? Read(IReadOnlyList<ExtendedAttribute> kept)
    {
        if (kept.FirstOrDefault(Is) is not { } found) return null;
        var value = found.Value.Span;
        if (value.Length < Version5LengthBytes || value[0] != 0) return null;
        var version = BinaryPrimitives.ReadUInt16LittleEndian(value[2..]);
        var valid = BinaryPrimitives.ReadInt32LittleEndian(value[8..]);
        var attributes = (valid & HasAttributes) != 0 ? BinaryPrimitives.ReadInt32LittleEndian(value[12..]) : 0;
        FileTime? born = (valid & HasBirth) == 0 ? null : version switch
        {
            Newest => TimeOf(BinaryPrimitives.ReadInt64LittleEndian(value[16..])),
            Version4 when value.Length >= Version4LengthBytes => TimeOf(BinaryPrimitives.ReadInt64LittleEndian(value[24..])),
            _ => null,
        };
        return version is Version3 or Version4 or Newest ? (attributes, born) : null;
    }

    private static long TicksOf(FileTime time) => (time.Seconds * TicksOfSecond) + (time.Nanoseconds / NanosecondsOfTick) + TicksTo1970;

    private static FileTime TimeOf(long ticks)
    {
        var (seconds, rest) = Math.DivRem(ticks - TicksTo1970, TicksOfSecond);
        return rest < 0 ? new(seconds - 1, (int)(rest + TicksOfSecond) * NanosecondsOfTick) : new(seconds, (int)rest * NanosecondsOfTick);
    }
}
