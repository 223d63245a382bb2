namespace Strongroom.Blocks.Iscsi.Scsi;

/// <summary>A run of blocks that a CDB names, known to lie on the unit.</summary>
internal readonly record struct BlockRange(long FirstBlock, long Blocks)
{
    public long OffsetBytes => FirstBlock * LogicalUnit.BlockBytes;

    public long LengthBytes => Blocks * LogicalUnit.BlockBytes;

    /// <summary>The run of a command with an LBA and a number of blocks at the places that its group has (SPC-4, 4.2.2).</summary>
    /// <exception cref="ScsiException">It goes over the end.</exception>
    public static BlockRange Of(ScsiCommand command) => (command.Opcode >> 5) switch
    {
        0 => Checked(command, command.Number32(0) & 0x1f_ffff, command.Cdb[4] == 0 ? 256u : command.Cdb[4]),
        1 or 2 => Checked(command, command.Number32(2), command.Number16(7)),
        5 => Checked(command, command.Number32(2), command.Number32(6)),
        _ => Checked(command, command.Number64(2), command.Number32(10)),
    };

    /// <exception cref="ScsiException">It goes over the end.</exception>
    public static BlockRange Checked(ScsiCommand command, ulong first, uint blocks)
    {
        var all = (ulong)command.Unit.Blocks;
        return first > all || blocks > all - first ? throw new ScsiException(Sense.OutOfRange) : new((long)first, blocks);
    }

    /// <exception cref="ScsiException">It is longer than one command may move.</exception>
    public BlockRange RequireTransfer() => LengthBytes <= LogicalUnit.MostTransferBytes ? this : throw new ScsiException(Sense.InvalidFieldInCdb);
}
