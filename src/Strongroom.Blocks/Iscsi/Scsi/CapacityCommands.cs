using System.Buffers.Binary;

namespace Strongroom.Blocks.Iscsi.Scsi;

/// <summary>READ CAPACITY (SBC-3, 5.15 and 5.16).</summary>
internal static class CapacityCommands
{
    public static ValueTask<ScsiResult> ReadCapacity10(ScsiCommand command, CancellationToken cancellationToken)
    {
        const byte partialMedium = 0x01;
        if ((command.Cdb[8] & partialMedium) == 0 && command.Number32(2) != 0)
            throw new ScsiException(Sense.InvalidFieldInCdb);
        var data = new byte[8];
        BinaryPrimitives.WriteUInt32BigEndian(data, (uint)Math.Min(command.Unit.Blocks - 1, uint.MaxValue));
        BinaryPrimitives.WriteUInt32BigEndian(data.AsSpan(4), LogicalUnit.BlockBytes);
        return command.AnswerAsync(data, uint.MaxValue, cancellationToken);
    }

    public static ValueTask<ScsiResult> ReadCapacity16(ScsiCommand command, CancellationToken cancellationToken)
    {
        const byte provisioningIsManaged = 0x80;
        const byte unmappedReadsAsZeros = 0x40;
        var data = new byte[32];
        BinaryPrimitives.WriteInt64BigEndian(data, command.Unit.Blocks - 1);
        BinaryPrimitives.WriteUInt32BigEndian(data.AsSpan(8), LogicalUnit.BlockBytes);
        data[14] = provisioningIsManaged | unmappedReadsAsZeros;
        return command.AnswerAsync(data, command.Number32(10), cancellationToken);
    }
}
