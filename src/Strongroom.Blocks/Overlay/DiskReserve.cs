namespace Strongroom.Blocks.Overlay;

/// <summary>Room on a disk that is kept free for others. Thread-safe.</summary>
/// <param name="folder">A folder on the disk.</param>
/// <param name="bytes">How much is kept free; 0 for nothing.</param>
public sealed class DiskReserve(string folder, long bytes)
{
    /// <summary>So long an answer is good: what is written meanwhile is little beside the reserve.</summary>
    private const long GoodForMilliseconds = 50;

    private long _lookedAt = long.MinValue;
    private volatile bool _isTouched;

    /// <summary>Whether less is free by now.</summary>
    public bool IsTouched
    {
        get
        {
            var now = Environment.TickCount64;
            if (now - Volatile.Read(ref _lookedAt) is >= 0 and < GoodForMilliseconds) return _isTouched;
            _isTouched = bytes > 0 && new DriveInfo(folder).AvailableFreeSpace < bytes;
            Volatile.Write(ref _lookedAt, now);
            return _isTouched;
        }
    }
}
