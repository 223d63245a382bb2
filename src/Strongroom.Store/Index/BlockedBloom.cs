using Strongroom.Store.Packs;

namespace Strongroom.Store.Index;

/// <summary>A Bloom filter whose seven bits for an id lie in one cache line; about 1 % false positives at 10 bits a record.</summary>
internal sealed class BlockedBloom(byte[] bits)
{
    private const int BlockLengthBytes = 64;
    private const int BitsPerRecord = 10;
    private const int BitsPerId = 7;

    public BlockedBloom(long records)
        : this(new byte[Math.Max(1, ((records * BitsPerRecord) + 511) / 512) * BlockLengthBytes])
    {
    }

    public byte[] Bits => bits;

    public uint Blocks => (uint)(bits.Length / BlockLengthBytes);

    public void Add(ChunkId id)
    {
        var block = BlockOf(id);
        var rest = id.Second;
        for (var i = 0; i < BitsPerId; i++, rest >>= 9)
            block[(int)(rest & 511) >> 3] |= (byte)(1 << (int)(rest & 7));
    }

    /// <summary>False is certain.</summary>
    public bool MayContain(ChunkId id)
    {
        var block = BlockOf(id);
        var rest = id.Second;
        for (var i = 0; i < BitsPerId; i++, rest >>= 9)
        {
            if ((block[(int)(rest & 511) >> 3] & (1 << (int)(rest & 7))) == 0)
                return false;
        }

        return true;
    }

    private Span<byte> BlockOf(ChunkId id) =>
        bits.AsSpan((int)Math.BigMul(id.First, Blocks, out _) * BlockLengthBytes, BlockLengthBytes);
}
