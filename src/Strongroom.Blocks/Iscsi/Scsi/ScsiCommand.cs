using System.Buffers.Binary;

namespace Strongroom.Blocks.Iscsi.Scsi;

/// <summary>A command for a logical unit.</summary>
/// <param name="Cdb">16 bytes, whatever the command's own length.</param>
/// <param name="Nexus">The initiator port and the target port.</param>
/// <param name="Unit">The logical unit.</param>
/// <param name="Transfer">Its data.</param>
internal sealed record ScsiCommand(byte[] Cdb, Nexus Nexus, LogicalUnit Unit, IDataTransfer Transfer)
{
    public byte Opcode => Cdb[0];

    public ushort Number16(int offset) => BinaryPrimitives.ReadUInt16BigEndian(Cdb.AsSpan(offset));

    public uint Number32(int offset) => BinaryPrimitives.ReadUInt32BigEndian(Cdb.AsSpan(offset));

    public ulong Number64(int offset) => BinaryPrimitives.ReadUInt64BigEndian(Cdb.AsSpan(offset));

    /// <summary>Answers with parameter data, cut to the allocation length.</summary>
    public async ValueTask<ScsiResult> AnswerAsync(byte[] data, uint allocationLength, CancellationToken cancellationToken)
    {
        var length = (int)Math.Min((uint)data.Length, allocationLength);
        if (length > 0)
            await Transfer.SendAsync(length, (offset, buffer, _) => Copy(data, offset, buffer), cancellationToken).ConfigureAwait(false);
        return ScsiResult.Good;
    }

    /// <summary>The whole of a parameter list.</summary>
    /// <exception cref="ScsiException">The initiator announced fewer bytes.</exception>
    public async ValueTask<ReadOnlyMemory<byte>> ReceiveAllAsync(int lengthBytes, CancellationToken cancellationToken)
    {
        if (lengthBytes == 0)
            return default;
        var data = await Transfer.ReceiveAsync(lengthBytes, cancellationToken).ConfigureAwait(false);
        return data.Length == lengthBytes ? data : throw new ScsiException(Sense.InvalidFieldInCdb);
    }

    /// <summary>The data of a command that makes no sense with other than so many.</summary>
    /// <exception cref="ScsiException">The initiator announced more or fewer bytes.</exception>
    public ValueTask<ReadOnlyMemory<byte>> ReceiveExactlyAsync(int lengthBytes, CancellationToken cancellationToken) =>
        Transfer.AnnouncedBytes == lengthBytes ? ReceiveAllAsync(lengthBytes, cancellationToken) : throw new ScsiException(Sense.InvalidFieldInCdb);

    private static ValueTask Copy(byte[] data, long offset, Memory<byte> buffer)
    {
        data.AsMemory((int)offset, buffer.Length).CopyTo(buffer);
        return ValueTask.CompletedTask;
    }
}

/// <summary>An I_T nexus: the initiator port (name and ISID) as the target sees it through its one port.</summary>
internal sealed record Nexus(string InitiatorName, ulong Isid)
{
    /// <summary>The TransportID of the initiator port (SPC-4, 7.6.4.6, format 01b), padded to a multiple of 4 bytes.</summary>
    public byte[] TransportId()
    {
        var name = System.Text.Encoding.UTF8.GetBytes($"{InitiatorName},i,0x{Isid:x12}\0");
        var length = Math.Max(20, (name.Length + 3) & ~3);
        var id = new byte[4 + length];
        id[0] = 0x45;
        BinaryPrimitives.WriteUInt16BigEndian(id.AsSpan(2), (ushort)length);
        name.CopyTo(id, 4);
        return id;
    }
}
