namespace Strongroom.Blocks.Iscsi.Scsi;

/// <summary>COMPARE AND WRITE and ORWRITE (SBC-3, 5.2 and 5.7): what they read, and what they write of it, is one step.</summary>
internal static class CompareCommands
{
    public static async ValueTask<ScsiResult> CompareAndWrite(ScsiCommand command, CancellationToken cancellationToken)
    {
        ReadCommands.RequireNoProtection(command);
        var range = BlockRange.Checked(command, command.Number64(2), command.Cdb[13]);
        if (range.Blocks > LogicalUnit.MostCompareBlocks)
            throw new ScsiException(Sense.InvalidFieldInCdb);
        var length = (int)range.LengthBytes;
        var data = await command.ReceiveExactlyAsync(2 * length, cancellationToken).ConfigureAwait(false);
        if (length == 0)
            return ScsiResult.Good;
        await command.Unit.ChangeAsync(
            range,
            found =>
            {
                var at = ReadCommands.FirstDifference(found.Span, data.Span[..length]);
                if (at >= 0)
                    throw new ScsiException(Sense.Miscompare(at));
                data[length..].CopyTo(found);
            },
            cancellationToken).ConfigureAwait(false);
        return ScsiResult.Good;
    }

    public static async ValueTask<ScsiResult> OrWrite(ScsiCommand command, CancellationToken cancellationToken)
    {
        ReadCommands.RequireNoProtection(command);
        var range = BlockRange.Of(command).RequireTransfer();
        if (range.Blocks == 0)
            return ScsiResult.Good;
        var data = await command.ReceiveExactlyAsync((int)range.LengthBytes, cancellationToken).ConfigureAwait(false);
        await command.Unit.ChangeAsync(
            range,
            found =>
            {
                var target = found.Span;
                for (var at = 0; at < target.Length; at++)
                    target[at] |= data.Span[at];
            },
            cancellationToken).ConfigureAwait(false);
        return ScsiResult.Good;
    }
}
