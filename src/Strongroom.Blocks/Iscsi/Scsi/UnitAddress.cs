using System.Buffers.Binary;

namespace Strongroom.Blocks.Iscsi.Scsi;

/// <summary>Logical unit numbers as 8 bytes (SAM-5, 4.7).</summary>
internal static class UnitAddress
{
    public const int LengthBytes = 8;

    /// <summary>The number; null when the address cannot be one of ours.</summary>
    public static byte? Parse(ReadOnlySpan<byte> address)
    {
        if (address[2..].ContainsAnyExcept((byte)0))
            return null;

        // Peripheral device addressing on bus 0, or flat space addressing.
        return address[0] is 0x00 or 0x40 ? address[1] : null;
    }

    public static void Write(Span<byte> target, byte number) => BinaryPrimitives.WriteUInt64BigEndian(target, (ulong)number << 48);
}
