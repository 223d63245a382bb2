using System.Buffers.Binary;

namespace Strongroom.Blocks.Iscsi.Scsi;

/// <summary>REPORT SUPPORTED OPERATION CODES (SPC-4, 6.33): the table of commands as it is.</summary>
internal static class OpcodeCommands
{
    private const byte WithTimeouts = 0x80;
    private const int TimeoutsBytes = 12;

    public static ValueTask<ScsiResult> ReportSupportedOpcodes(ScsiCommand command, CancellationToken cancellationToken)
    {
        var withTimeouts = (command.Cdb[2] & WithTimeouts) != 0;
        var (opcode, action) = (command.Cdb[3], command.Number16(4));
        var hasActions = CommandTable.HasServiceActions(opcode);
        var data = (command.Cdb[2] & 7) switch
        {
            0 => All(withTimeouts),
            1 when !hasActions => One(CommandTable.Find(opcode, null), withTimeouts),
            2 when hasActions => One(CommandTable.Find(opcode, action), withTimeouts),
            3 => One(CommandTable.Find(opcode, hasActions ? action : null), withTimeouts),
            _ => throw new ScsiException(Sense.InvalidFieldInCdb),
        };
        return command.AnswerAsync(data, command.Number32(6), cancellationToken);
    }

    private static byte[] All(bool withTimeouts)
    {
        const byte hasTimeouts = 0x02;
        const byte hasServiceAction = 0x01;
        var list = new List<byte>(4096) { 0, 0, 0, 0 };
        foreach (var entry in CommandTable.All)
        {
            var flags = (withTimeouts ? hasTimeouts : 0) | (entry.ServiceAction is null ? 0 : hasServiceAction);
            list.AddRange([entry.Opcode, 0, 0, (byte)(entry.ServiceAction ?? 0), 0, (byte)flags, 0, (byte)entry.UsageBits.Length]);
            if (withTimeouts)
                list.AddRange(Timeouts());
        }

        byte[] data = [.. list];
        BinaryPrimitives.WriteUInt32BigEndian(data, (uint)data.Length - 4);
        return data;
    }

    private static byte[] One(CommandEntry? entry, bool withTimeouts)
    {
        const byte notSupported = 1;
        const byte supported = 3;
        if (entry is null)
            return [0, notSupported, 0, 0];
        var flags = (byte)(supported | (withTimeouts ? WithTimeouts : 0));
        return [0, flags, 0, (byte)entry.UsageBits.Length, .. entry.UsageBits, .. withTimeouts ? Timeouts() : []];
    }

    /// <summary>Nothing is said about times.</summary>
    private static byte[] Timeouts()
    {
        var descriptor = new byte[TimeoutsBytes];
        descriptor[1] = TimeoutsBytes - 2;
        return descriptor;
    }
}
