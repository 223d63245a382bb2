using System.Buffers;
using System.Buffers.Binary;

namespace Strongroom.Blocks.Iscsi.Pdus;

/// <summary>A PDU that came in: its basic header segment, its additional ones and its data. Disposing gives the memory back.</summary>
internal sealed class Pdu(byte[] header, ReadOnlyMemory<byte> additional, byte[] rented, int dataLengthBytes) : IDisposable
{
    public const int HeaderLengthBytes = 48;

    /// <summary>The tag that means none.</summary>
    public const uint NoTag = 0xffff_ffff;

    private byte[] _rented = rented;

    public ReadOnlySpan<byte> Header => header;

    /// <summary>The additional header segments, digests taken off.</summary>
    public ReadOnlyMemory<byte> Additional => additional;

    public ReadOnlyMemory<byte> Data => _rented.AsMemory(0, dataLengthBytes);

    public IscsiOpcode Opcode => (IscsiOpcode)(header[0] & 0x3f);

    public bool IsImmediate => (header[0] & 0x40) != 0;

    public byte Flags => header[1];

    public bool IsFinal => (header[1] & 0x80) != 0;

    public bool Continues => (header[1] & 0x40) != 0;

    public ReadOnlySpan<byte> Lun => header.AsSpan(8, 8);

    public uint InitiatorTaskTag => Number(16);

    public uint TargetTransferTag => Number(20);

    /// <summary>Of every PDU of the initiator's but data and SNACK.</summary>
    public uint CommandSn => Number(24);

    public uint Number(int offset) => BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(offset));

    public ushort Number16(int offset) => BinaryPrimitives.ReadUInt16BigEndian(header.AsSpan(offset));

    public void Dispose()
    {
        if (_rented.Length > 0)
            ArrayPool<byte>.Shared.Return(_rented);
        _rented = [];
        dataLengthBytes = 0;
    }
}
