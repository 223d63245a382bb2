namespace Strongroom.Blocks.Iscsi.Scsi;

/// <summary>What stands where no logical unit is (SPC-4, 5.4): it tells of itself that it is none, and LUN 0 tells of all that are.</summary>
internal static class MissingUnit
{
    public static async ValueTask<ScsiResult> ExecuteAsync(ScsiCommand command, IReadOnlyList<byte> luns, CancellationToken cancellationToken)
    {
        try
        {
            return command.Opcode switch
            {
                0x12 when (command.Cdb[1] & 1) == 0 && command.Cdb[2] == 0 =>
                    await command.AnswerAsync(InquiryCommands.Standard(InquiryCommands.NoDevice), command.Number16(3), cancellationToken).ConfigureAwait(false),
                0x03 => await command.AnswerAsync(Sense.NoSuchLogicalUnit.Format(), command.Cdb[4], cancellationToken).ConfigureAwait(false),
                0xa0 => await UnitCommands.ReportLuns(command, luns, cancellationToken).ConfigureAwait(false),
                _ => throw new ScsiException(Sense.NoSuchLogicalUnit),
            };
        }
        catch (ScsiException failure)
        {
            return new(ScsiStatus.CheckCondition, failure.Sense);
        }
    }
}
