using System.Buffers.Binary;
using System.Numerics;

namespace Strongroom.Blocks.Iscsi.Pdus;

/// <summary>The digest of headers and data: CRC32C (RFC 7143, 13.1), by the processor's instruction where it has one.</summary>
internal static class Crc32C
{
    public const int LengthBytes = 4;

    public static uint Compute(ReadOnlySpan<byte> data)
    {
        var crc = uint.MaxValue;
        for (; data.Length >= sizeof(ulong); data = data[sizeof(ulong)..])
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(data));
        foreach (var value in data)
            crc = BitOperations.Crc32C(crc, value);
        return ~crc;
    }

    /// <summary>Puts the digest of <paramref name="data"/> as it goes over the wire.</summary>
    public static void Write(Span<byte> target, ReadOnlySpan<byte> data) => BinaryPrimitives.WriteUInt32LittleEndian(target, Compute(data));

    public static bool Matches(ReadOnlySpan<byte> digest, ReadOnlySpan<byte> data) => BinaryPrimitives.ReadUInt32LittleEndian(digest) == Compute(data);
}
