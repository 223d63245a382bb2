using System.Buffers.Binary;

namespace Strongroom.Blocks.Iscsi.Scsi;

/// <summary>Sense keys (SPC-4, table 48).</summary>
internal enum SenseKey : byte
{
    NoSense = 0x0,
    MediumError = 0x3,
    IllegalRequest = 0x5,
    UnitAttention = 0x6,
    DataProtect = 0x7,
    AbortedCommand = 0xb,
    Miscompare = 0xe,
}

/// <summary>Why a command failed: sense key, additional sense code with its qualifier (SPC-4, 4.5), and the INFORMATION field where it has a meaning.</summary>
internal sealed record Sense(SenseKey Key, ushort Code, uint? Information = null)
{
    public const int LengthBytes = 18;

    public static Sense None { get; } = new(SenseKey.NoSense, 0x0000);

    public static Sense InvalidOpcode { get; } = new(SenseKey.IllegalRequest, 0x2000);

    public static Sense OutOfRange { get; } = new(SenseKey.IllegalRequest, 0x2100);

    public static Sense InvalidFieldInCdb { get; } = new(SenseKey.IllegalRequest, 0x2400);

    public static Sense NoSuchLogicalUnit { get; } = new(SenseKey.IllegalRequest, 0x2500);

    public static Sense InvalidFieldInParameters { get; } = new(SenseKey.IllegalRequest, 0x2600);

    public static Sense ParameterListLength { get; } = new(SenseKey.IllegalRequest, 0x1a00);

    public static Sense SavingNotSupported { get; } = new(SenseKey.IllegalRequest, 0x3900);

    public static Sense InvalidReleaseOfReservation { get; } = new(SenseKey.IllegalRequest, 0x2604);

    public static Sense WriteProtected { get; } = new(SenseKey.DataProtect, 0x2700);

    public static Sense SpaceAllocationFailed { get; } = new(SenseKey.DataProtect, 0x2707);

    public static Sense UnrecoveredReadError { get; } = new(SenseKey.MediumError, 0x1100);

    public static Sense WriteError { get; } = new(SenseKey.MediumError, 0x0c00);

    public static Sense ResetOccurred { get; } = new(SenseKey.UnitAttention, 0x2903);

    public static Sense ModeParametersChanged { get; } = new(SenseKey.UnitAttention, 0x2a01);

    public static Sense ReservationsPreempted { get; } = new(SenseKey.UnitAttention, 0x2a03);

    public static Sense ReservationsReleased { get; } = new(SenseKey.UnitAttention, 0x2a04);

    public static Sense RegistrationsPreempted { get; } = new(SenseKey.UnitAttention, 0x2a05);

    public static Sense DataPhaseError { get; } = new(SenseKey.AbortedCommand, 0x4b00);

    /// <summary>The offset is that of the first byte that differs.</summary>
    public static Sense Miscompare(int offsetBytes) => new(SenseKey.Miscompare, 0x1d00, (uint)offsetBytes);

    /// <summary>Fixed format, current error (SPC-4, 4.5.3).</summary>
    public byte[] Format()
    {
        var sense = new byte[LengthBytes];
        sense[0] = (byte)(Information is null ? 0x70 : 0xf0);
        sense[2] = (byte)Key;
        BinaryPrimitives.WriteUInt32BigEndian(sense.AsSpan(3), Information ?? 0);
        sense[7] = LengthBytes - 8;
        BinaryPrimitives.WriteUInt16BigEndian(sense.AsSpan(12), Code);
        return sense;
    }

    /// <summary>Descriptor format, current error (SPC-4, 4.5.2), with an information descriptor where there is information.</summary>
    public byte[] FormatDescriptors()
    {
        var sense = new byte[Information is null ? 8 : 20];
        sense[0] = 0x72;
        sense[1] = (byte)Key;
        BinaryPrimitives.WriteUInt16BigEndian(sense.AsSpan(2), Code);
        if (Information is not { } information)
            return sense;
        sense[7] = 12;
        sense[9] = 10;
        sense[10] = 0x80;
        BinaryPrimitives.WriteUInt64BigEndian(sense.AsSpan(12), information);
        return sense;
    }

    public override string ToString() => $"{Key} {Code >> 8:x2}/{Code & 0xff:x2}";
}
