using System.Buffers.Binary;

namespace Strongroom.Blocks.Iscsi.Scsi;

/// <summary>MODE SENSE and MODE SELECT of 6 and 10 bytes (SPC-4, 6.10 to 6.14).</summary>
internal static class ModeCommands
{
    private const byte Sense6 = 0x1a;
    private const byte Select6 = 0x15;

    public static ValueTask<ScsiResult> Sense(ScsiCommand command, CancellationToken cancellationToken)
    {
        const int savedValues = 3;
        const byte allSubpages = 0xff;
        var (control, code, subpage) = (command.Cdb[2] >> 6, (byte)(command.Cdb[2] & 0x3f), command.Cdb[3]);
        if (control == savedValues)
            throw new ScsiException(Scsi.Sense.SavingNotSupported);
        if (subpage is not (0 or allSubpages) || (code != ModePages.AllPages && !ModePages.Codes.Contains(code)))
            throw new ScsiException(Scsi.Sense.InvalidFieldInCdb);
        var pages = ModePages.Codes
            .Where(page => code == ModePages.AllPages || page == code)
            .SelectMany(page => control switch { 0 => ModePages.Page(page, command.Unit.Mode), 1 => ModePages.Changeable(page), _ => ModePages.Page(page, new()) });
        var isShort = command.Opcode == Sense6;
        byte[] data = [.. Header(command, isShort), .. pages];
        if (isShort)
            data[0] = (byte)(data.Length - 1);
        else
            BinaryPrimitives.WriteUInt16BigEndian(data, (ushort)(data.Length - 2));
        return command.AnswerAsync(data, isShort ? command.Cdb[4] : command.Number16(7), cancellationToken);
    }

    public static async ValueTask<ScsiResult> Select(ScsiCommand command, CancellationToken cancellationToken)
    {
        const byte savePages = 0x01;
        const byte pageFormat = 0x10;
        var isShort = command.Opcode == Select6;
        if ((command.Cdb[1] & savePages) != 0 || (command.Cdb[1] & pageFormat) == 0)
            throw new ScsiException(Scsi.Sense.InvalidFieldInCdb);
        var length = isShort ? command.Cdb[4] : command.Number16(7);
        if (length == 0)
            return ScsiResult.Good;
        var headerLength = isShort ? 4 : 8;
        if (length < headerLength)
            throw new ScsiException(Scsi.Sense.ParameterListLength);
        var list = await command.ReceiveAllAsync(length, cancellationToken).ConfigureAwait(false);
        var descriptors = isShort ? list.Span[3] : BinaryPrimitives.ReadUInt16BigEndian(list.Span[6..]);
        if (headerLength + descriptors > length)
            throw new ScsiException(Scsi.Sense.ParameterListLength);
        Apply(list.Span[(headerLength + descriptors)..], command.Unit.Mode);
        command.Unit.Attentions.RaiseForAll(Scsi.Sense.ModeParametersChanged, except: command.Nexus);
        return ScsiResult.Good;
    }

    private static void Apply(ReadOnlySpan<byte> pages, ModeSettings settings)
    {
        while (!pages.IsEmpty)
        {
            if (pages.Length < 2 || 2 + pages[1] > pages.Length)
                throw new ScsiException(Scsi.Sense.ParameterListLength);
            ModePages.Apply(pages[..(2 + pages[1])], settings);
            pages = pages[(2 + pages[1])..];
        }
    }

    /// <summary>The header and, unless DBD is set, one block descriptor.</summary>
    private static byte[] Header(ScsiCommand command, bool isShort)
    {
        const byte disableBlockDescriptors = 0x08;
        const byte longDescriptor = 0x10;
        const byte writeProtected = 0x80;
        const byte forceUnitAccess = 0x10;
        var device = (byte)(forceUnitAccess | (command.Unit.IsReadOnly ? writeProtected : 0));
        var hasDescriptor = (command.Cdb[1] & disableBlockDescriptors) == 0;
        var isLong = hasDescriptor && !isShort && (command.Cdb[1] & longDescriptor) != 0;
        var descriptor = new byte[!hasDescriptor ? 0 : isLong ? 16 : 8];
        if (isLong)
        {
            BinaryPrimitives.WriteInt64BigEndian(descriptor, command.Unit.Blocks);
            BinaryPrimitives.WriteUInt32BigEndian(descriptor.AsSpan(12), LogicalUnit.BlockBytes);
        }
        else if (hasDescriptor)
        {
            BinaryPrimitives.WriteUInt32BigEndian(descriptor, (uint)Math.Min(command.Unit.Blocks, uint.MaxValue));
            BinaryPrimitives.WriteUInt32BigEndian(descriptor.AsSpan(4), LogicalUnit.BlockBytes);
        }

        return isShort
            ? [0, 0, device, (byte)descriptor.Length, .. descriptor]
            : [0, 0, 0, device, isLong ? (byte)1 : (byte)0, 0, 0, (byte)descriptor.Length, .. descriptor];
    }
}
