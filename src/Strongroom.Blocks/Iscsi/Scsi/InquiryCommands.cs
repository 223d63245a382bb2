using System.Buffers.Binary;
using System.Text;

namespace Strongroom.Blocks.Iscsi.Scsi;

/// <summary>INQUIRY and its vital product data (SPC-4, 6.6 and 7.8; SBC-3, 6.6).</summary>
internal static class InquiryCommands
{
    /// <summary>No device can be at this logical unit number.</summary>
    public const byte NoDevice = 0x7f;

    private const int StandardBytes = 96;
    private static readonly ushort[] Standards = [0x00a0, 0x0960, 0x0460, 0x04c0]; // SAM-5, iSCSI, SPC-4, SBC-3
    private static readonly byte[] Pages = [0x00, 0x80, 0x83, 0xb0, 0xb1, 0xb2];

    public static ValueTask<ScsiResult> Inquiry(ScsiCommand command, CancellationToken cancellationToken)
    {
        var wantsPage = (command.Cdb[1] & 1) != 0;
        if (!wantsPage && command.Cdb[2] != 0)
            throw new ScsiException(Sense.InvalidFieldInCdb);
        var data = wantsPage ? Page(command.Unit, command.Cdb[2]) : Standard(deviceType: 0);
        return command.AnswerAsync(data, command.Number16(3), cancellationToken);
    }

    public static byte[] Standard(byte deviceType)
    {
        var data = new byte[StandardBytes];
        data[0] = deviceType;
        data[2] = 0x06; // SPC-4
        data[3] = 0x12; // hierarchical addressing, this format
        data[4] = StandardBytes - 5;
        data[7] = 0x02; // commands are queued
        Encoding.ASCII.GetBytes(UnitIdentity.Vendor + UnitIdentity.Product + UnitIdentity.Revision).CopyTo(data, 8);
        for (var index = 0; index < Standards.Length; index++)
            BinaryPrimitives.WriteUInt16BigEndian(data.AsSpan(58 + (2 * index)), Standards[index]);
        return data;
    }

    private static byte[] Page(LogicalUnit unit, byte page)
    {
        byte[] content = page switch
        {
            0x00 => Pages,
            0x80 => Encoding.ASCII.GetBytes(unit.Identity.Serial),
            0x83 => Designators(unit.Identity),
            0xb0 => BlockLimits(unit),
            0xb1 => BlockDeviceCharacteristics(),
            0xb2 => Provisioning(unit),
            _ => throw new ScsiException(Sense.InvalidFieldInCdb),
        };
        byte[] data = [0, page, 0, 0, .. content];
        BinaryPrimitives.WriteUInt16BigEndian(data.AsSpan(2), (ushort)content.Length);
        return data;
    }

    private static byte[] Designators(UnitIdentity identity) =>
    [
        .. Designator(codeSet: 2, association: 0, type: 1, Encoding.ASCII.GetBytes(UnitIdentity.Vendor + identity.Serial)),
        .. Designator(codeSet: 1, association: 0, type: 3, identity.LocalName),
        .. Designator(codeSet: 1, association: 1, type: 4, [0, 0, 0, 1]),
        .. Designator(codeSet: 3, association: 1, type: 8, Terminated(identity.PortName)),
    ];

    private static byte[] Designator(int codeSet, int association, int type, byte[] value)
    {
        const int iscsi = 5;
        const int hasProtocol = 0x80;
        var ofPort = association == 1;
        return [(byte)(codeSet | (ofPort ? iscsi << 4 : 0)), (byte)(type | (association << 4) | (ofPort ? hasProtocol : 0)), 0, (byte)value.Length, .. value];
    }

    /// <summary>UTF-8 with a zero at its end, padded to a multiple of 4 bytes.</summary>
    private static byte[] Terminated(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        Array.Resize(ref bytes, (bytes.Length + 4) & ~3);
        return bytes;
    }

    private static byte[] BlockLimits(LogicalUnit unit)
    {
        const uint alignmentIsValid = 0x8000_0000;
        const int optimalTransferBlocks = 512;
        var canChange = !unit.IsReadOnlyForever;
        var page = new byte[60];
        page[1] = canChange ? (byte)LogicalUnit.MostCompareBlocks : (byte)0;
        BinaryPrimitives.WriteUInt16BigEndian(page.AsSpan(2), LogicalUnit.GrainBlocks);
        BinaryPrimitives.WriteUInt32BigEndian(page.AsSpan(4), LogicalUnit.MostTransferBytes / LogicalUnit.BlockBytes);
        BinaryPrimitives.WriteUInt32BigEndian(page.AsSpan(8), optimalTransferBlocks);
        if (!canChange)
            return page;
        BinaryPrimitives.WriteUInt32BigEndian(page.AsSpan(16), LogicalUnit.MostUnmapBlocks);
        BinaryPrimitives.WriteUInt32BigEndian(page.AsSpan(20), ProvisioningCommands.MostUnmapDescriptors);
        BinaryPrimitives.WriteUInt32BigEndian(page.AsSpan(24), LogicalUnit.GrainBlocks);
        BinaryPrimitives.WriteUInt32BigEndian(page.AsSpan(28), alignmentIsValid);
        BinaryPrimitives.WriteUInt64BigEndian(page.AsSpan(32), LogicalUnit.MostSameBlocks);
        return page;
    }

    private static byte[] BlockDeviceCharacteristics()
    {
        var page = new byte[60];
        page[1] = 1; // it does not rotate
        return page;
    }

    private static byte[] Provisioning(LogicalUnit unit)
    {
        const byte unmap = 0x80;
        const byte writeSame16 = 0x40;
        const byte writeSame10 = 0x20;
        const byte readsAsZeros = 0x04;
        const byte thin = 2;
        return [0, (byte)(readsAsZeros | (unit.IsReadOnlyForever ? 0 : unmap | writeSame16 | writeSame10)), thin, 0];
    }
}
