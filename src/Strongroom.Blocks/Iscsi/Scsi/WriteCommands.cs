namespace Strongroom.Blocks.Iscsi.Scsi;

/// <summary>WRITE, WRITE AND VERIFY and SYNCHRONIZE CACHE of 6, 10, 12 and 16 bytes (SBC-3, 5).</summary>
internal static class WriteCommands
{
    private const byte ForceUnitAccess = 0x08;

    public static async ValueTask<ScsiResult> Write(ScsiCommand command, CancellationToken cancellationToken)
    {
        await WriteDataAsync(command, cancellationToken).ConfigureAwait(false);
        if (command.Opcode >> 5 != 0 && (command.Cdb[1] & ForceUnitAccess) != 0)
            await LogicalUnit.FlushAsync().ConfigureAwait(false);
        return ScsiResult.Good;
    }

    public static async ValueTask<ScsiResult> WriteAndVerify(ScsiCommand command, CancellationToken cancellationToken)
    {
        var check = (command.Cdb[1] >> 1) & 3;
        if (check > 1)
            throw new ScsiException(Sense.InvalidFieldInCdb);
        var (range, data) = await WriteDataAsync(command, cancellationToken).ConfigureAwait(false);
        if (range.Blocks > 0)
            await ReadCommands.CompareAsync(command.Unit, range, check, data, cancellationToken).ConfigureAwait(false);
        return ScsiResult.Good;
    }

    public static async ValueTask<ScsiResult> SynchronizeCache(ScsiCommand command, CancellationToken cancellationToken)
    {
        _ = BlockRange.Of(command);
        await LogicalUnit.FlushAsync().ConfigureAwait(false);
        return ScsiResult.Good;
    }

    private static async ValueTask<(BlockRange Range, ReadOnlyMemory<byte> Data)> WriteDataAsync(ScsiCommand command, CancellationToken cancellationToken)
    {
        ReadCommands.RequireNoProtection(command);
        var range = BlockRange.Of(command).RequireTransfer();
        if (range.Blocks == 0)
            return (range, default);
        var data = await command.Transfer.ReceiveAsync((int)range.LengthBytes, cancellationToken).ConfigureAwait(false);

        // An initiator that announced fewer bytes than its CDB names gets what is whole written, and a residual count.
        data = data[..(data.Length - (data.Length % LogicalUnit.BlockBytes))];
        if (!data.IsEmpty)
            await command.Unit.WriteAsync(range.OffsetBytes, data, cancellationToken).ConfigureAwait(false);
        return (range, data);
    }
}
