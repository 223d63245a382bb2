using System.Buffers.Binary;
using Strongroom.Store.Manifests;

namespace Strongroom.Store.Streams;

/// <summary>One line of a stream's manifest: so many bytes, and where they are.</summary>
internal readonly record struct StreamRecord(long LengthBytes, Slot Slot);

/// <summary>The nodes of a stream's manifest (<c>docs/store-format.md</c> section 8).</summary>
internal static class StreamNode
{
    public const int RecordLengthBytes = 8 + Slot.LengthBytes;
    public const int FanOut = 256;
    public const int GreatestHeight = 8;
    public const int GreatestChunkLengthBytes = 4 << 20;

    /// <summary>The plaintext length of the node that a slot points to.</summary>
    /// <exception cref="StoreException">Corrupt: it points to no node of a stream.</exception>
    public static int RawLengthOf(Slot slot) => slot.Kind == SlotKind.Whole && slot.Flags is > 0 and <= FanOut
        ? slot.Flags * RecordLengthBytes
        : throw Malformed();

    public static byte[] Format(ReadOnlySpan<StreamRecord> records)
    {
        var node = new byte[records.Length * RecordLengthBytes];
        for (var i = 0; i < records.Length; i++)
        {
            var target = node.AsSpan(i * RecordLengthBytes);
            BinaryPrimitives.WriteInt64LittleEndian(target, records[i].LengthBytes);
            records[i].Slot.WriteTo(target[8..]);
        }

        return node;
    }

    /// <summary>Reads a node of <paramref name="level"/> that stands for so many bytes, and checks it.</summary>
    /// <exception cref="StoreException">Corrupt: no writer makes such a node.</exception>
    public static StreamRecord[] Parse(ReadOnlySpan<byte> node, int level, long lengthBytes)
    {
        if (node.Length == 0 || node.Length % RecordLengthBytes != 0 || node.Length > FanOut * RecordLengthBytes)
            throw Malformed();
        var records = new StreamRecord[node.Length / RecordLengthBytes];
        var rest = lengthBytes;
        for (var i = 0; i < records.Length; i++)
        {
            var source = node.Slice(i * RecordLengthBytes, RecordLengthBytes);
            var record = new StreamRecord(BinaryPrimitives.ReadInt64LittleEndian(source), Slot.Read(source[8..]));
            if (record.LengthBytes <= 0 || record.LengthBytes > rest || !IsWellFormed(record, level))
                throw Malformed();
            records[i] = record;
            rest -= record.LengthBytes;
        }

        return rest == 0 ? records : throw Malformed();
    }

    private static bool IsWellFormed(StreamRecord record, int level) => record.Slot.Kind switch
    {
        SlotKind.Hole => record.Slot == default,
        SlotKind.Whole when level == 1 => record.Slot.Flags == 0 && record.LengthBytes <= GreatestChunkLengthBytes,
        SlotKind.Whole => record.Slot.Flags is > 0 and <= FanOut,
        _ => false,
    };

    private static StoreException Malformed() => StoreException.Corrupt("A node of a stream's manifest is malformed");
}
