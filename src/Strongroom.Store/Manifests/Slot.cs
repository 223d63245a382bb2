using System.Buffers.Binary;
using Strongroom.Store.Packs;

namespace Strongroom.Store.Manifests;

/// <summary>What a slot of a manifest node is.</summary>
internal enum SlotKind : byte
{
    Hole = 0,
    Whole = 1,

    /// <summary>Four 64 KiB sub-slots, in a split record of the leaf.</summary>
    Split = 2,

    /// <summary>Reserved: up to 32 bytes in the id field.</summary>
    Inline = 3,
}

/// <summary>Where a chunk lies and what it must be: 48 bytes on disk (<c>docs/store-format.md</c> section 5).</summary>
internal readonly record struct Slot(
    SlotKind Kind, ChunkCodec Codec, int StoredLengthBytes, uint PackSeq, ushort Ordinal, ushort Flags, uint OffsetBytes, ChunkId Id)
{
    public const int LengthBytes = 48;
    private const ushort PartFlag = 0x8000;

    public bool IsHole => Kind == SlotKind.Hole;

    /// <summary>The chunk that it points to, whatever of it is meant: the slot without its flags.</summary>
    public Slot Chunk => this with { Flags = 0 };

    /// <summary>Which 64 KiB of its chunk a sub-slot means, or null where it is a chunk of its own.</summary>
    public int? Part => (Flags & PartFlag) != 0 ? Flags & ~PartFlag : null;

    /// <summary>The sub-slot that means one 64 KiB part of this chunk.</summary>
    public Slot ToPart(int part) => this with { Flags = (ushort)(PartFlag | part) };

    public static Slot Read(ReadOnlySpan<byte> source)
    {
        var word = BinaryPrimitives.ReadUInt32LittleEndian(source);
        return new(
            (SlotKind)(word & 15),
            (ChunkCodec)((word >> 4) & 15),
            (int)(word >> 8),
            BinaryPrimitives.ReadUInt32LittleEndian(source[4..]),
            BinaryPrimitives.ReadUInt16LittleEndian(source[8..]),
            BinaryPrimitives.ReadUInt16LittleEndian(source[10..]),
            BinaryPrimitives.ReadUInt32LittleEndian(source[12..]),
            new ChunkId(source.Slice(16, ChunkId.LengthBytes)));
    }

    public void WriteTo(Span<byte> target)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(target, (uint)Kind | ((uint)Codec << 4) | ((uint)StoredLengthBytes << 8));
        BinaryPrimitives.WriteUInt32LittleEndian(target[4..], PackSeq);
        BinaryPrimitives.WriteUInt16LittleEndian(target[8..], Ordinal);
        BinaryPrimitives.WriteUInt16LittleEndian(target[10..], Flags);
        BinaryPrimitives.WriteUInt32LittleEndian(target[12..], OffsetBytes);
        Id.WriteTo(target[16..]);
    }
}
