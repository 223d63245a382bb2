using System.Buffers.Binary;

namespace Strongroom.Blocks.Iscsi.Scsi;

/// <summary>UNMAP, WRITE SAME and GET LBA STATUS (SBC-3, 5.28, 5.43 and 5.6). What is unmapped reads as zeros.</summary>
internal static class ProvisioningCommands
{
    public const int MostUnmapDescriptors = 256;
    private const int PieceBytes = 256 * 1024;
    private const int DescriptorBytes = 16;
    private const int MostStatusDescriptors = 1024;
    private const byte AnchorBit = 0x10;
    private const byte NoDataBit = 0x01;

    public static async ValueTask<ScsiResult> Unmap(ScsiCommand command, CancellationToken cancellationToken)
    {
        var length = command.Number16(7);
        if (length == 0)
            return ScsiResult.Good;
        if (length < 8)
            throw new ScsiException(Sense.ParameterListLength);
        var list = await command.ReceiveAllAsync(length, cancellationToken).ConfigureAwait(false);
        var described = BinaryPrimitives.ReadUInt16BigEndian(list.Span[2..]);
        if (described > length - 8 || described / DescriptorBytes > MostUnmapDescriptors)
            throw new ScsiException(Sense.InvalidFieldInParameters);

        // All is looked at before anything is done.
        var ranges = new List<BlockRange>();
        for (var at = 8; at + DescriptorBytes <= 8 + described; at += DescriptorBytes)
        {
            var range = BlockRange.Checked(command, BinaryPrimitives.ReadUInt64BigEndian(list.Span[at..]), BinaryPrimitives.ReadUInt32BigEndian(list.Span[(at + 8)..]));
            if (range.Blocks > LogicalUnit.MostUnmapBlocks)
                throw new ScsiException(Sense.InvalidFieldInParameters);
            ranges.Add(range);
        }

        foreach (var range in ranges.Where(range => range.Blocks > 0))
            await command.Unit.ZeroAsync(range, cancellationToken).ConfigureAwait(false);
        return ScsiResult.Good;
    }

    /// <summary>A number of blocks of 0 goes to the end of the unit.</summary>
    public static async ValueTask<ScsiResult> WriteSame(ScsiCommand command, CancellationToken cancellationToken)
    {
        ReadCommands.RequireNoProtection(command);
        var flags = command.Cdb[1];
        if ((flags & AnchorBit) != 0)
            throw new ScsiException(Sense.InvalidFieldInCdb);
        var range = BlockRange.Of(command);
        if (range.Blocks == 0)
            range = range with { Blocks = command.Unit.Blocks - range.FirstBlock };
        if (range.Blocks > LogicalUnit.MostSameBlocks)
            throw new ScsiException(Sense.InvalidFieldInCdb);
        var hasData = command.Opcode != 0x93 || (flags & NoDataBit) == 0;
        var block = hasData ? await command.ReceiveExactlyAsync(LogicalUnit.BlockBytes, cancellationToken).ConfigureAwait(false) : default;
        if (range.Blocks == 0)
            return ScsiResult.Good;

        // Zeros take no room, with the UNMAP bit or without; other data are written even where unmapping was allowed.
        if (!block.Span.ContainsAnyExcept((byte)0))
            await command.Unit.ZeroAsync(range, cancellationToken).ConfigureAwait(false);
        else
            await RepeatAsync(command.Unit, range, block, cancellationToken).ConfigureAwait(false);
        return ScsiResult.Good;
    }

    public static async ValueTask<ScsiResult> GetLbaStatus(ScsiCommand command, CancellationToken cancellationToken)
    {
        var first = command.Number64(2);
        if (first >= (ulong)command.Unit.Blocks)
            throw new ScsiException(Sense.OutOfRange);
        var allocation = command.Number32(10);
        var most = (int)Math.Clamp(((long)allocation - 8) / DescriptorBytes, 1, MostStatusDescriptors);
        var runs = await command.Unit.DescribeAsync((long)first, most, cancellationToken).ConfigureAwait(false);
        var data = new byte[8 + (DescriptorBytes * runs.Count)];
        BinaryPrimitives.WriteUInt32BigEndian(data, (uint)data.Length - 4);
        for (var index = 0; index < runs.Count; index++)
        {
            var descriptor = data.AsSpan(8 + (DescriptorBytes * index));
            BinaryPrimitives.WriteInt64BigEndian(descriptor, runs[index].Range.FirstBlock);
            BinaryPrimitives.WriteUInt32BigEndian(descriptor[8..], (uint)runs[index].Range.Blocks);
            descriptor[12] = (byte)(runs[index].IsMapped ? 0 : 1);
        }

        return await command.AnswerAsync(data, allocation, cancellationToken).ConfigureAwait(false);
    }

    private static async ValueTask RepeatAsync(LogicalUnit unit, BlockRange range, ReadOnlyMemory<byte> block, CancellationToken cancellationToken)
    {
        var piece = new byte[Math.Min(range.LengthBytes, PieceBytes)];
        for (var at = 0; at < piece.Length; at += LogicalUnit.BlockBytes)
            block.CopyTo(piece.AsMemory(at));
        for (long offset = 0; offset < range.LengthBytes; offset += piece.Length)
            await unit.WriteAsync(range.OffsetBytes + offset, piece.AsMemory(0, (int)Math.Min(piece.Length, range.LengthBytes - offset)), cancellationToken).ConfigureAwait(false);
    }
}
