using System.Buffers;
using System.Buffers.Binary;

namespace Strongroom.Store.Trees;

/// <summary>Writes the fields of a folder's entry.</summary>
internal sealed class EntryWriter
{
    private readonly ArrayBufferWriter<byte> target = new();

    public byte[] ToArray() => target.WrittenSpan.ToArray();

    public void Byte(byte value)
    {
        target.GetSpan(1)[0] = value;
        target.Advance(1);
    }

    public void UInt16(ushort value)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(target.GetSpan(2), value);
        target.Advance(2);
    }

    public void UInt32(uint value)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(target.GetSpan(4), value);
        target.Advance(4);
    }

    public void UInt64(ulong value)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(target.GetSpan(8), value);
        target.Advance(8);
    }

    public void Time(FileTime value)
    {
        UInt64((ulong)value.Seconds);
        UInt32((uint)value.Nanoseconds);
    }

    public void Raw(ReadOnlySpan<byte> value) => target.Write(value);

    /// <summary>At most 255 bytes, with their number before them.</summary>
    public void Short(ReadOnlySpan<byte> value)
    {
        Byte(checked((byte)value.Length));
        Raw(value);
    }

    public void Stream(StreamRef value)
    {
        value.WriteTo(target.GetSpan(StreamRef.EncodedLengthBytes));
        target.Advance(StreamRef.EncodedLengthBytes);
    }
}

/// <summary>Reads what <see cref="EntryWriter"/> wrote; throws <see cref="StoreException"/> Corrupt where fields are missing or impossible.</summary>
internal ref struct EntryReader(ReadOnlyMemory<byte> source)
{
    private const int NanosecondsPerSecond = 1_000_000_000;

    public ReadOnlyMemory<byte> Rest { get; private set; } = source;

    public byte Byte() => Bytes(1).Span[0];

    public ushort UInt16() => BinaryPrimitives.ReadUInt16LittleEndian(Bytes(2).Span);

    public uint UInt32() => BinaryPrimitives.ReadUInt32LittleEndian(Bytes(4).Span);

    public ulong UInt64() => BinaryPrimitives.ReadUInt64LittleEndian(Bytes(8).Span);

    public FileTime Time()
    {
        var seconds = (long)UInt64();
        var nanoseconds = UInt32();
        return nanoseconds < NanosecondsPerSecond ? new(seconds, (int)nanoseconds) : throw TreePage.Malformed();
    }

    public ReadOnlyMemory<byte> Short() => Bytes(Byte());

    public ReadOnlyMemory<byte> Bytes(uint lengthBytes)
    {
        if (lengthBytes > Rest.Length)
            throw TreePage.Malformed();
        var found = Rest[..(int)lengthBytes];
        Rest = Rest[(int)lengthBytes..];
        return found;
    }
}
