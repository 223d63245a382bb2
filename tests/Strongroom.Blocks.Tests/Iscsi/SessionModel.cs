namespace Strongroom.Blocks.Tests.Iscsi;

/// <summary>What is done to a target, and by which initiator port.</summary>
internal enum Move
{
    LogIn,
    LogInWithWrongSecret,
    Read,
    Write,
    WriteWhenAsked,
    LogOut,
    LoseConnection,
    BreakProtocol,
    AbortNothing,
    ResetUnit,
    ResetTarget,
    RemoveTarget,
    AddTarget,
}

/// <summary>A move with what it needs.</summary>
internal sealed record Step(Move Move, byte Port, byte Lun, int Block, int Blocks, int Seed);

/// <summary>What a port must see: the disk and its own writes, as long as they are kept for it.</summary>
internal sealed class PortModel(byte[] disk)
{
    private readonly Dictionary<byte, byte[]> units = [];
    private readonly HashSet<byte> wasReset = [];

    public bool IsLoggedIn { get; private set; }

    /// <summary>Changes are kept for it.</summary>
    public bool HasOverlay { get; private set; }

    public void LogIn() => (IsLoggedIn, HasOverlay) = (true, true);

    /// <summary>The connection is gone; changes wait, what was to be told does not.</summary>
    public void Lose()
    {
        IsLoggedIn = false;
        wasReset.Clear();
    }

    public void Forget()
    {
        Lose();
        HasOverlay = false;
        units.Clear();
    }

    public void Reset(byte lun) => wasReset.Add(lun);

    /// <summary>True once after a reset of the unit: the next command is told of it instead.</summary>
    public bool TakeReset(byte lun) => wasReset.Remove(lun);

    public byte[] Unit(byte lun)
    {
        if (!units.TryGetValue(lun, out var unit))
            units[lun] = unit = (byte[])disk.Clone();
        return unit;
    }
}
