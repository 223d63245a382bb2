namespace Strongroom.Blocks.Iscsi.Pdus;

/// <summary>Which CmdSN the initiator may send (RFC 7143, 4.2.2.1). Numbers are compared as in RFC 1982. Safe from many threads.</summary>
internal sealed class CommandWindow(int depth)
{
    private readonly Lock _lock = new();
    private uint _expected; // guarded by _lock
    private uint _most; // guarded by _lock

    /// <summary>The first login request says where counting begins.</summary>
    public void Begin(uint commandSn)
    {
        lock (_lock)
            (_expected, _most) = (commandSn, commandSn + (uint)depth - 1);
    }

    public (uint Expected, uint Most) Snapshot()
    {
        lock (_lock)
            return (_expected, _most);
    }

    /// <summary>False for a number outside the window, or one that was there already.</summary>
    public bool Contains(uint commandSn)
    {
        lock (_lock)
            return (int)(commandSn - _expected) >= 0 && (int)(_most - commandSn) >= 0;
    }

    /// <summary>True when it is the number that is due, which is thereby taken.</summary>
    public bool TryTake(uint commandSn)
    {
        lock (_lock)
        {
            if (commandSn != _expected)
                return false;
            _expected++;
            return true;
        }
    }

    /// <summary>A command is done: there is room for one more.</summary>
    public void Free()
    {
        lock (_lock)
            _most++;
    }
}
