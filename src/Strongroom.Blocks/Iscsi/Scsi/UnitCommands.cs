using System.Buffers.Binary;

namespace Strongroom.Blocks.Iscsi.Scsi;

/// <summary>Commands about the unit itself (SPC-4, 6).</summary>
internal static class UnitCommands
{
    public static ValueTask<ScsiResult> TestUnitReady(ScsiCommand command, CancellationToken cancellationToken) => ValueTask.FromResult(ScsiResult.Good);

    /// <summary>The medium is always there and never leaves: starting, stopping and power conditions change nothing; loading and ejecting is an error.</summary>
    public static ValueTask<ScsiResult> StartStop(ScsiCommand command, CancellationToken cancellationToken)
    {
        const byte loadOrEject = 0x02;
        return (command.Cdb[4] & loadOrEject) != 0 ? throw new ScsiException(Sense.InvalidFieldInCdb) : ValueTask.FromResult(ScsiResult.Good);
    }

    /// <summary>The medium cannot be removed, so its removal is prevented in any case.</summary>
    public static ValueTask<ScsiResult> PreventAllow(ScsiCommand command, CancellationToken cancellationToken) =>
        (command.Cdb[4] & 0x02) != 0 ? throw new ScsiException(Sense.InvalidFieldInCdb) : ValueTask.FromResult(ScsiResult.Good);

    public static ValueTask<ScsiResult> RequestSense(ScsiCommand command, CancellationToken cancellationToken)
    {
        const byte descriptors = 0x01;
        var sense = command.Unit.Attentions.Take(command.Nexus) ?? Sense.None;
        var data = (command.Cdb[1] & descriptors) != 0 ? sense.FormatDescriptors() : sense.Format();
        return command.AnswerAsync(data, command.Cdb[4], cancellationToken);
    }

    public static ValueTask<ScsiResult> ReportLuns(ScsiCommand command, CancellationToken cancellationToken) =>
        ReportLuns(command, command.Unit.Identity.Luns, cancellationToken);

    public static ValueTask<ScsiResult> ReportLuns(ScsiCommand command, IReadOnlyList<byte> luns, CancellationToken cancellationToken)
    {
        const uint leastAllocation = 16;
        var allocation = command.Number32(6);
        if (allocation < leastAllocation || command.Cdb[2] > 0x02)
            throw new ScsiException(Sense.InvalidFieldInCdb);

        // Of well-known logical units (01h) there are none.
        var reported = command.Cdb[2] == 0x01 ? [] : luns;
        var data = new byte[8 + (UnitAddress.LengthBytes * reported.Count)];
        BinaryPrimitives.WriteUInt32BigEndian(data, (uint)data.Length - 8);
        for (var index = 0; index < reported.Count; index++)
            UnitAddress.Write(data.AsSpan(8 + (UnitAddress.LengthBytes * index)), reported[index]);
        return command.AnswerAsync(data, allocation, cancellationToken);
    }
}
