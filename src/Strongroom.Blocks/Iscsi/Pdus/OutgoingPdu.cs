using System.Buffers;
using System.Buffers.Binary;

namespace Strongroom.Blocks.Iscsi.Pdus;

/// <summary>A PDU to be sent, in one piece of memory with room for its digests. Disposing gives the memory back.</summary>
internal sealed class OutgoingPdu : IDisposable
{
    // Without a header digest the header lies just before the data; with one it moves 4 bytes down.
    private const int HeaderOffset = Crc32C.LengthBytes;
    private const int DataOffset = HeaderOffset + Pdu.HeaderLengthBytes;

    private byte[] _buffer;

    /// <param name="opcode">What it is.</param>
    /// <param name="dataLengthBytes">How much data it carries; the caller fills all of <see cref="Data"/>.</param>
    public OutgoingPdu(IscsiOpcode opcode, int dataLengthBytes = 0)
    {
        _buffer = ArrayPool<byte>.Shared.Rent(DataOffset + Padded(dataLengthBytes) + Crc32C.LengthBytes);
        _buffer.AsSpan(0, DataOffset).Clear();
        DataLengthBytes = dataLengthBytes;
        Header[0] = (byte)opcode;
        Header[1] = 0x80;
        BinaryPrimitives.WriteUInt32BigEndian(Header[4..], (uint)dataLengthBytes);
    }

    public OutgoingPdu(IscsiOpcode opcode, ReadOnlySpan<byte> data)
        : this(opcode, data.Length) => data.CopyTo(Data.Span);

    public int DataLengthBytes { get; }

    public Span<byte> Header => _buffer.AsSpan(HeaderOffset, Pdu.HeaderLengthBytes);

    public Memory<byte> Data => _buffer.AsMemory(DataOffset, DataLengthBytes);

    public OutgoingPdu Set(int offset, uint value)
    {
        BinaryPrimitives.WriteUInt32BigEndian(Header[offset..], value);
        return this;
    }

    public OutgoingPdu Set(int offset, ReadOnlySpan<byte> value)
    {
        value.CopyTo(Header[offset..]);
        return this;
    }

    public OutgoingPdu Set(int offset, byte value)
    {
        Header[offset] = value;
        return this;
    }

    /// <summary>The bytes for the wire, digests and padding added. Header and data may not be touched after it.</summary>
    public ReadOnlyMemory<byte> Seal(bool hasHeaderDigest, bool hasDataDigest)
    {
        var start = HeaderOffset;
        if (hasHeaderDigest)
        {
            start = 0;
            Header.CopyTo(_buffer);
            Crc32C.Write(_buffer.AsSpan(Pdu.HeaderLengthBytes), _buffer.AsSpan(0, Pdu.HeaderLengthBytes));
        }

        var padded = Padded(DataLengthBytes);
        var end = DataOffset + padded;
        _buffer.AsSpan(DataOffset + DataLengthBytes, padded - DataLengthBytes).Clear();
        if (hasDataDigest && padded > 0)
        {
            Crc32C.Write(_buffer.AsSpan(end), _buffer.AsSpan(DataOffset, padded));
            end += Crc32C.LengthBytes;
        }

        return _buffer.AsMemory(start, end - start);
    }

    public void Dispose()
    {
        if (_buffer.Length > 0)
            ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
    }

    private static int Padded(int lengthBytes) => (lengthBytes + 3) & ~3;
}
