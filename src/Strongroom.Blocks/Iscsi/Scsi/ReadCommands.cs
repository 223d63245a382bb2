namespace Strongroom.Blocks.Iscsi.Scsi;

/// <summary>READ, VERIFY and PRE-FETCH of 6, 10, 12 and 16 bytes (SBC-3, 5).</summary>
internal static class ReadCommands
{
    private const int PieceBytes = 256 * 1024;

    public static async ValueTask<ScsiResult> Read(ScsiCommand command, CancellationToken cancellationToken)
    {
        RequireNoProtection(command);
        var range = BlockRange.Of(command).RequireTransfer();
        if (range.Blocks > 0)
            await command.Transfer.SendAsync(range.LengthBytes, (offset, buffer, token) => command.Unit.ReadAsync(range.OffsetBytes + offset, buffer, token), cancellationToken).ConfigureAwait(false);
        return ScsiResult.Good;
    }

    /// <summary>BYTCHK 0 reads the blocks; 1 compares them with the initiator's; 3 compares each with the one that was sent.</summary>
    public static async ValueTask<ScsiResult> Verify(ScsiCommand command, CancellationToken cancellationToken)
    {
        RequireNoProtection(command);
        var range = BlockRange.Of(command).RequireTransfer();
        var check = (command.Cdb[1] >> 1) & 3;
        if (check == 2)
            throw new ScsiException(Sense.InvalidFieldInCdb);
        if (range.Blocks == 0)
            return ScsiResult.Good;
        var expected = check == 0 ? default : await command.Transfer.ReceiveAsync(check == 1 ? (int)range.LengthBytes : LogicalUnit.BlockBytes, cancellationToken).ConfigureAwait(false);
        await CompareAsync(command.Unit, range, check, expected, cancellationToken).ConfigureAwait(false);
        return ScsiResult.Good;
    }

    /// <summary>The store's own read-ahead does the work; CONDITION MET would say that all is cached, and is not claimed.</summary>
    public static ValueTask<ScsiResult> Prefetch(ScsiCommand command, CancellationToken cancellationToken)
    {
        _ = BlockRange.Of(command);
        return ValueTask.FromResult(ScsiResult.Good);
    }

    /// <summary>Protection information is not offered: asking for it is an error.</summary>
    public static void RequireNoProtection(ScsiCommand command)
    {
        if (command.Opcode >> 5 != 0 && command.Cdb[1] >> 5 != 0)
            throw new ScsiException(Sense.InvalidFieldInCdb);
    }

    public static async ValueTask CompareAsync(LogicalUnit unit, BlockRange range, int check, ReadOnlyMemory<byte> expected, CancellationToken cancellationToken)
    {
        var length = check == 1 ? Math.Min(range.LengthBytes, expected.Length) : range.LengthBytes;
        var buffer = new byte[Math.Min(PieceBytes, length)];
        for (long offset = 0; offset < length; offset += buffer.Length)
        {
            var piece = buffer.AsMemory(0, (int)Math.Min(buffer.Length, length - offset));
            await unit.ReadAsync(range.OffsetBytes + offset, piece, cancellationToken).ConfigureAwait(false);
            var at = check switch
            {
                1 => FirstDifference(piece.Span, expected.Span[(int)offset..]),
                3 => FirstDifferenceOfEach(piece.Span, expected.Span),
                _ => -1,
            };
            if (at >= 0)
                throw new ScsiException(Sense.Miscompare((int)offset + at));
        }
    }

    /// <summary>Where two runs differ first; -1 when the first is a prefix of the second.</summary>
    public static int FirstDifference(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right)
    {
        var common = left.CommonPrefixLength(right);
        return common == left.Length ? -1 : common;
    }

    private static int FirstDifferenceOfEach(ReadOnlySpan<byte> blocks, ReadOnlySpan<byte> block)
    {
        for (var start = 0; start < blocks.Length; start += LogicalUnit.BlockBytes)
        {
            var at = FirstDifference(blocks.Slice(start, LogicalUnit.BlockBytes), block);
            if (at >= 0)
                return start + at;
        }

        return -1;
    }
}
