using System.Collections.Frozen;

namespace Strongroom.Blocks.Iscsi.Scsi;

/// <summary>What a reservation of another nexus does to a command (SPC-4, table 67; SBC-3, table 13).</summary>
internal enum CommandAccess
{
    /// <summary>It goes through always.</summary>
    Always,

    /// <summary>It conflicts with RESERVE(6) only.</summary>
    Inspects,

    /// <summary>It conflicts with what keeps others from reading.</summary>
    Reads,

    /// <summary>It conflicts with what keeps others from writing.</summary>
    Writes,
}

/// <summary>Performs a command.</summary>
internal delegate ValueTask<ScsiResult> CommandHandler(ScsiCommand command, CancellationToken cancellationToken);

/// <summary>A command that is spoken.</summary>
/// <param name="Opcode">Its operation code.</param>
/// <param name="ServiceAction">Its service action; null when the opcode has none.</param>
/// <param name="Usage">The bits of its CDB that are evaluated (SPC-4, 6.33.3), in hexadecimal, opcode first.</param>
internal sealed record CommandEntry(byte Opcode, int? ServiceAction, CommandAccess Access, string Usage, CommandHandler Handler)
{
    public byte[] UsageBits { get; } = Convert.FromHexString(Usage);

    /// <summary>It takes data or changes the unit: refused where the unit is read-only.</summary>
    public bool ChangesMedium { get; init; }
}

/// <summary>Every command that is spoken; what is not here is an invalid opcode. REPORT SUPPORTED OPERATION CODES shows it.</summary>
internal static class CommandTable
{
    private static readonly CommandEntry[] Entries =
    [
        new(0x00, null, CommandAccess.Inspects, "000000000004", UnitCommands.TestUnitReady),
        new(0x03, null, CommandAccess.Always, "03010000FF04", UnitCommands.RequestSense),
        new(0x08, null, CommandAccess.Reads, "081FFFFFFF04", ReadCommands.Read),
        new(0x0a, null, CommandAccess.Writes, "0A1FFFFFFF04", WriteCommands.Write) { ChangesMedium = true },
        new(0x12, null, CommandAccess.Always, "1201FFFFFF04", InquiryCommands.Inquiry),
        new(0x15, null, CommandAccess.Writes, "15110000FF04", ModeCommands.Select),
        new(0x16, null, CommandAccess.Always, "160000000004", ReservationCommands.Reserve6),
        new(0x17, null, CommandAccess.Always, "170000000004", ReservationCommands.Release6),
        new(0x1a, null, CommandAccess.Reads, "1A08FFFFFF04", ModeCommands.Sense),
        new(0x1b, null, CommandAccess.Inspects, "1B01000FF704", UnitCommands.StartStop),
        new(0x1e, null, CommandAccess.Inspects, "1E0000000304", UnitCommands.PreventAllow),
        new(0x25, null, CommandAccess.Inspects, "25000000000000000004", CapacityCommands.ReadCapacity10),
        new(0x28, null, CommandAccess.Reads, "28F8FFFFFFFF00FFFF04", ReadCommands.Read),
        new(0x2a, null, CommandAccess.Writes, "2AF8FFFFFFFF00FFFF04", WriteCommands.Write) { ChangesMedium = true },
        new(0x2e, null, CommandAccess.Writes, "2EF6FFFFFFFF00FFFF04", WriteCommands.WriteAndVerify) { ChangesMedium = true },
        new(0x2f, null, CommandAccess.Reads, "2FF6FFFFFFFF00FFFF04", ReadCommands.Verify),
        new(0x34, null, CommandAccess.Reads, "3402FFFFFFFF00FFFF04", ReadCommands.Prefetch),
        new(0x35, null, CommandAccess.Writes, "3502FFFFFFFF00FFFF04", WriteCommands.SynchronizeCache),
        new(0x41, null, CommandAccess.Writes, "41F8FFFFFFFF00FFFF04", ProvisioningCommands.WriteSame) { ChangesMedium = true },
        new(0x42, null, CommandAccess.Writes, "42000000000000FFFF04", ProvisioningCommands.Unmap) { ChangesMedium = true },
        new(0x55, null, CommandAccess.Writes, "55110000000000FFFF04", ModeCommands.Select),
        new(0x5a, null, CommandAccess.Reads, "5A18FFFF000000FFFF04", ModeCommands.Sense),
        new(0x5e, 0x00, CommandAccess.Always, "5E000000000000FFFF04", ReservationCommands.ReadKeys),
        new(0x5e, 0x01, CommandAccess.Always, "5E010000000000FFFF04", ReservationCommands.ReadReservation),
        new(0x5e, 0x02, CommandAccess.Always, "5E020000000000FFFF04", ReservationCommands.ReportCapabilities),
        new(0x5e, 0x03, CommandAccess.Always, "5E030000000000FFFF04", ReservationCommands.ReadFullStatus),
        new(0x5f, 0x00, CommandAccess.Always, "5F00000000FFFFFFFF04", ReservationCommands.Register),
        new(0x5f, 0x01, CommandAccess.Always, "5F01FF0000FFFFFFFF04", ReservationCommands.Reserve),
        new(0x5f, 0x02, CommandAccess.Always, "5F02FF0000FFFFFFFF04", ReservationCommands.Release),
        new(0x5f, 0x03, CommandAccess.Always, "5F03000000FFFFFFFF04", ReservationCommands.Clear),
        new(0x5f, 0x04, CommandAccess.Always, "5F04FF0000FFFFFFFF04", ReservationCommands.Preempt),
        new(0x5f, 0x06, CommandAccess.Always, "5F06000000FFFFFFFF04", ReservationCommands.Register),
        new(0x88, null, CommandAccess.Reads, "88F8FFFFFFFFFFFFFFFFFFFFFFFF0004", ReadCommands.Read),
        new(0x89, null, CommandAccess.Writes, "89F8FFFFFFFFFFFFFFFF000000FF0004", CompareCommands.CompareAndWrite) { ChangesMedium = true },
        new(0x8a, null, CommandAccess.Writes, "8AF8FFFFFFFFFFFFFFFFFFFFFFFF0004", WriteCommands.Write) { ChangesMedium = true },
        new(0x8b, null, CommandAccess.Writes, "8BF8FFFFFFFFFFFFFFFFFFFFFFFF0004", CompareCommands.OrWrite) { ChangesMedium = true },
        new(0x8e, null, CommandAccess.Writes, "8EF6FFFFFFFFFFFFFFFFFFFFFFFF0004", WriteCommands.WriteAndVerify) { ChangesMedium = true },
        new(0x8f, null, CommandAccess.Reads, "8FF6FFFFFFFFFFFFFFFFFFFFFFFF0004", ReadCommands.Verify),
        new(0x90, null, CommandAccess.Reads, "9002FFFFFFFFFFFFFFFFFFFFFFFF0004", ReadCommands.Prefetch),
        new(0x91, null, CommandAccess.Writes, "9102FFFFFFFFFFFFFFFFFFFFFFFF0004", WriteCommands.SynchronizeCache),
        new(0x93, null, CommandAccess.Writes, "93F9FFFFFFFFFFFFFFFFFFFFFFFF0004", ProvisioningCommands.WriteSame) { ChangesMedium = true },
        new(0x9e, 0x10, CommandAccess.Inspects, "9E100000000000000000FFFFFFFF0004", CapacityCommands.ReadCapacity16),
        new(0x9e, 0x12, CommandAccess.Reads, "9E12FFFFFFFFFFFFFFFFFFFFFFFF0004", ProvisioningCommands.GetLbaStatus),
        new(0xa0, null, CommandAccess.Always, "A000FF000000FFFFFFFF0004", UnitCommands.ReportLuns),
        new(0xa3, 0x0c, CommandAccess.Inspects, "A30C87FFFFFFFFFFFFFF0004", OpcodeCommands.ReportSupportedOpcodes),
        new(0xa8, null, CommandAccess.Reads, "A8F8FFFFFFFFFFFFFFFF0004", ReadCommands.Read),
        new(0xaa, null, CommandAccess.Writes, "AAF8FFFFFFFFFFFFFFFF0004", WriteCommands.Write) { ChangesMedium = true },
        new(0xae, null, CommandAccess.Writes, "AEF6FFFFFFFFFFFFFFFF0004", WriteCommands.WriteAndVerify) { ChangesMedium = true },
        new(0xaf, null, CommandAccess.Reads, "AFF6FFFFFFFFFFFFFFFF0004", ReadCommands.Verify),
    ];

    private static readonly FrozenDictionary<int, CommandEntry> ByKey = Entries.ToFrozenDictionary(entry => KeyOf(entry.Opcode, entry.ServiceAction));
    private static readonly FrozenSet<byte> WithServiceAction = Entries.Where(entry => entry.ServiceAction is not null).Select(entry => entry.Opcode).ToFrozenSet();

    public static IReadOnlyList<CommandEntry> All => Entries;

    /// <summary>The command of a CDB.</summary>
    /// <exception cref="ScsiException">It is not spoken, or its service action is not.</exception>
    public static CommandEntry Find(ReadOnlySpan<byte> cdb)
    {
        var hasAction = HasServiceActions(cdb[0]);
        return ByKey.TryGetValue(KeyOf(cdb[0], hasAction ? cdb[1] & 0x1f : null), out var entry)
            ? entry
            : throw new ScsiException(hasAction ? Sense.InvalidFieldInCdb : Sense.InvalidOpcode);
    }

    public static bool HasServiceActions(byte opcode) => WithServiceAction.Contains(opcode);

    public static CommandEntry? Find(byte opcode, int? serviceAction) => ByKey.GetValueOrDefault(KeyOf(opcode, serviceAction));

    private static int KeyOf(byte opcode, int? serviceAction) => (opcode << 8) | (serviceAction ?? 0xff);
}
