namespace Strongroom.Blocks.Iscsi.Scsi;

/// <summary>How a command ended (SAM-5, 5.3.1).</summary>
internal enum ScsiStatus : byte
{
    Good = 0x00,
    CheckCondition = 0x02,
    ReservationConflict = 0x18,
}

/// <summary>How a command ended, with its sense when that is CHECK CONDITION.</summary>
internal readonly record struct ScsiResult(ScsiStatus Status, Sense? Sense = null)
{
    public static ScsiResult Good => new(ScsiStatus.Good);
}

/// <summary>Ends a command with CHECK CONDITION.</summary>
internal sealed class ScsiException(Sense sense) : Exception($"The command ends with {sense}.")
{
    public Sense Sense { get; } = sense;
}

/// <summary>Ends a command with RESERVATION CONFLICT.</summary>
internal sealed class ReservationConflictException() : Exception("Another initiator port holds a reservation.");
