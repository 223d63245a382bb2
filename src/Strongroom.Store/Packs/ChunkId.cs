using System.Buffers.Binary;
using Strongroom.Store.Hashing;

namespace Strongroom.Store.Packs;

/// <summary>Keyed BLAKE3 of a chunk's plaintext under a key of the vault. Ordered as its 32 bytes are.</summary>
internal readonly record struct ChunkId : IComparable<ChunkId>
{
    public const int LengthBytes = 32;
    private readonly ulong word0;
    private readonly ulong word1;
    private readonly ulong word2;
    private readonly ulong word3;

    public ChunkId(ReadOnlySpan<byte> source)
    {
        word0 = BinaryPrimitives.ReadUInt64BigEndian(source);
        word1 = BinaryPrimitives.ReadUInt64BigEndian(source[8..]);
        word2 = BinaryPrimitives.ReadUInt64BigEndian(source[16..]);
        word3 = BinaryPrimitives.ReadUInt64BigEndian(source[24..]);
    }

    /// <summary>The first 8 bytes; evenly distributed, so they serve as a hash.</summary>
    public ulong First => word0;

    /// <summary>Bytes 8 to 15.</summary>
    public ulong Second => word1;

    public static ChunkId Compute(byte[] key, ReadOnlySpan<byte> plain)
    {
        Span<byte> digest = stackalloc byte[LengthBytes];
        Blake3.KeyedHash(key, plain, digest);
        return new(digest);
    }

    public int CompareTo(ChunkId other)
    {
        var order = word0.CompareTo(other.word0);
        if (order == 0)
            order = word1.CompareTo(other.word1);
        if (order == 0)
            order = word2.CompareTo(other.word2);
        return order == 0 ? word3.CompareTo(other.word3) : order;
    }

    public override int GetHashCode() => (int)word0;

    public override string ToString() => $"{word0:x16}{word1:x16}{word2:x16}{word3:x16}";

    public void WriteTo(Span<byte> target)
    {
        BinaryPrimitives.WriteUInt64BigEndian(target, word0);
        BinaryPrimitives.WriteUInt64BigEndian(target[8..], word1);
        BinaryPrimitives.WriteUInt64BigEndian(target[16..], word2);
        BinaryPrimitives.WriteUInt64BigEndian(target[24..], word3);
    }
}
