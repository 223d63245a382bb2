using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using Strongroom.Store.Packs;

namespace Strongroom.Store.Log;

/// <summary>Writes the fields of a log payload (<c>docs/store-format.md</c> section 6).</summary>
internal sealed class PayloadWriter
{
    private readonly ArrayBufferWriter<byte> target = new();

    public byte[] ToArray() => target.WrittenSpan.ToArray();

    public PayloadWriter Byte(byte value)
    {
        target.GetSpan(1)[0] = value;
        target.Advance(1);
        return this;
    }

    public PayloadWriter UInt32(uint value)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(target.GetSpan(4), value);
        target.Advance(4);
        return this;
    }

    public PayloadWriter Int64(long value)
    {
        BinaryPrimitives.WriteInt64LittleEndian(target.GetSpan(8), value);
        target.Advance(8);
        return this;
    }

    public PayloadWriter Guid(Guid value)
    {
        value.TryWriteBytes(target.GetSpan(16), bigEndian: true, out _);
        target.Advance(16);
        return this;
    }

    /// <summary>Bytes without a length before them.</summary>
    public PayloadWriter Raw(ReadOnlySpan<byte> value)
    {
        target.Write(value);
        return this;
    }

    public PayloadWriter Bytes(ReadOnlySpan<byte> value) => UInt32((uint)value.Length).Raw(value);

    /// <summary>A set of pack numbers: a count, then the first and the last of each range.</summary>
    public PayloadWriter Ranges(PackRangeSet packs)
    {
        UInt32((uint)packs.Ranges.Count);
        foreach (var (first, last) in packs.Ranges)
            UInt32(first).UInt32(last);
        return this;
    }

    public PayloadWriter Text(string value) => Bytes(Encoding.UTF8.GetBytes(value));
}

/// <summary>Reads what <see cref="PayloadWriter"/> wrote; throws <see cref="StoreException"/> Corrupt where fields are missing.</summary>
internal ref struct PayloadReader(ReadOnlySpan<byte> source)
{
    private ReadOnlySpan<byte> rest = source;

    public byte Byte() => Raw(1)[0];

    public uint UInt32() => BinaryPrimitives.ReadUInt32LittleEndian(Raw(4));

    public long Int64() => BinaryPrimitives.ReadInt64LittleEndian(Raw(8));

    public Guid Guid() => new(Raw(16), bigEndian: true);

    public ReadOnlySpan<byte> Bytes()
    {
        var length = UInt32();
        return length <= rest.Length ? Raw((int)length) : throw Malformed();
    }

    /// <summary>Unix milliseconds.</summary>
    public DateTimeOffset Time()
    {
        var milliseconds = Int64();
        return milliseconds >= DateTimeOffset.MinValue.ToUnixTimeMilliseconds() && milliseconds <= DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()
            ? DateTimeOffset.FromUnixTimeMilliseconds(milliseconds)
            : throw Malformed();
    }

    /// <summary>Unix milliseconds; 0 is none.</summary>
    public DateTimeOffset? TimeOrNull()
    {
        var time = Time();
        return time == DateTimeOffset.UnixEpoch ? null : time;
    }

    /// <summary>A set of pack numbers; its ranges ascend and do not touch.</summary>
    public PackRangeSet Ranges()
    {
        var ranges = new (uint First, uint Last)[Count(8)];
        for (var i = 0; i < ranges.Length; i++)
        {
            ranges[i] = (UInt32(), UInt32());
            if (ranges[i].Last < ranges[i].First || (i > 0 && ranges[i].First <= (ulong)ranges[i - 1].Last + 1))
                throw Malformed();
        }

        return PackRangeSet.Of(ranges);
    }

    public string Text() => Encoding.UTF8.GetString(Bytes());

    public ReadOnlySpan<byte> Raw(int lengthBytes)
    {
        if (lengthBytes > rest.Length)
            throw Malformed();
        var found = rest[..lengthBytes];
        rest = rest[lengthBytes..];
        return found;
    }

    /// <summary>A count of things of at least this size that must still fit.</summary>
    public int Count(int leastLengthBytes)
    {
        var count = UInt32();
        return count * (long)leastLengthBytes <= rest.Length ? (int)count : throw Malformed();
    }

    private static StoreException Malformed() => StoreException.Corrupt("A log entry's payload is malformed");
}
