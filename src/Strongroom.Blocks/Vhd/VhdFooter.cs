using System.Buffers.Binary;

namespace Strongroom.Blocks.Vhd;

/// <summary>What the footer says the file is.</summary>
public enum VhdDiskType
{
    Fixed = 2,
    Dynamic = 3,
    Differencing = 4,
}

/// <summary>The 512 bytes at the end of every VHD, and also at the beginning of a dynamic one (Virtual Hard Disk Image Format Specification 1.0, "Hard Disk Footer Format").</summary>
/// <param name="CurrentSizeBytes">Size of the disk as the guest sees it.</param>
/// <param name="DiskType">As read; may be a value that the specification does not know.</param>
/// <param name="UniqueId">Identity of the disk; two disks of one machine must not share it.</param>
/// <param name="CreatedAt">Time of creation to the second; the format holds 2000-01-01 to 2136.</param>
public sealed record VhdFooter(long CurrentSizeBytes, VhdDiskType DiskType, Guid UniqueId, DateTimeOffset CreatedAt)
{
    public const int LengthBytes = 512;

    private const int ChecksumOffset = 64;
    private static readonly DateTimeOffset Epoch = new(2000, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private static ReadOnlySpan<byte> Cookie => "conectix"u8;

    /// <summary>True when the 512 bytes begin as a footer does; says nothing of whether the rest is sound.</summary>
    public static bool HasCookie(ReadOnlySpan<byte> bytes) => bytes.StartsWith(Cookie);

    /// <summary>Reads and checks a footer.</summary>
    /// <param name="bytes">Exactly 512 bytes.</param>
    /// <exception cref="InvalidDataException">Not a footer, wrong checksum, unknown version, or a size that is no disk's.</exception>
    public static VhdFooter Parse(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != LengthBytes || !HasCookie(bytes))
            throw new InvalidDataException("This is not a VHD: there is no footer at its end.");
        var stored = BinaryPrimitives.ReadUInt32BigEndian(bytes[ChecksumOffset..]);
        var computed = Checksum(bytes);
        if (stored != computed)
            throw new InvalidDataException($"The VHD's footer is damaged: checksum 0x{stored:x8}, computed 0x{computed:x8}.");
        var version = BinaryPrimitives.ReadUInt32BigEndian(bytes[12..]);
        if (version >> 16 != 1)
            throw new InvalidDataException($"VHD version 0x{version:x8} is unknown; 1.0 is supported.");
        var size = BinaryPrimitives.ReadUInt64BigEndian(bytes[48..]);
        if (size > long.MaxValue / 2 || size % LengthBytes != 0)
            throw new InvalidDataException($"The VHD's footer gives a size of {size} bytes, which is not a whole number of sectors.");
        return new VhdFooter(
            (long)size,
            (VhdDiskType)BinaryPrimitives.ReadUInt32BigEndian(bytes[60..]),
            new Guid(bytes.Slice(68, 16), bigEndian: true),
            Epoch.AddSeconds(BinaryPrimitives.ReadUInt32BigEndian(bytes[24..])));
    }

    /// <summary>Writes the footer of a fixed disk.</summary>
    /// <param name="bytes">Exactly 512 bytes; all of them are set.</param>
    public void Write(Span<byte> bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(bytes.Length, LengthBytes);
        bytes.Clear();
        Cookie.CopyTo(bytes);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[8..], 2);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[12..], 0x0001_0000);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[16..], ulong.MaxValue);
        var seconds = Math.Clamp((CreatedAt - Epoch).TotalSeconds, 0, uint.MaxValue);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[24..], (uint)seconds);

        // The creator decides how others find the size: QEMU believes the size field only of creators it knows, of others it takes the
        // (smaller) geometry and cuts the disk's end off. "win " on "Wi2k" is what Hyper-V and Azure themselves write.
        "win "u8.CopyTo(bytes[28..]);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[32..], 0x000A_0000);
        "Wi2k"u8.CopyTo(bytes[36..]);

        BinaryPrimitives.WriteInt64BigEndian(bytes[40..], CurrentSizeBytes);
        BinaryPrimitives.WriteInt64BigEndian(bytes[48..], CurrentSizeBytes);
        var geometry = VhdGeometry.For(CurrentSizeBytes);
        BinaryPrimitives.WriteUInt16BigEndian(bytes[56..], geometry.Cylinders);
        bytes[58] = geometry.Heads;
        bytes[59] = geometry.SectorsPerTrack;
        BinaryPrimitives.WriteUInt32BigEndian(bytes[60..], (uint)DiskType);
        UniqueId.TryWriteBytes(bytes.Slice(68, 16), bigEndian: true, out _);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[ChecksumOffset..], Checksum(bytes));
    }

    /// <summary>One's complement of the sum of all bytes but the checksum's own four.</summary>
    private static uint Checksum(ReadOnlySpan<byte> bytes)
    {
        var sum = 0u;
        for (var index = 0; index < bytes.Length; index++)
        {
            if (index is < ChecksumOffset or >= ChecksumOffset + 4)
                sum += bytes[index];
        }

        return ~sum;
    }
}
