namespace Strongroom.Backup.FileRecovery;

/// <summary>The recovery points that somebody looks into at the moment: those do not expire meanwhile. Thread-safe.</summary>
public sealed class PointHolds
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(Guid ItemKey, string Point), int> _held = []; // guarded by _lock

    public bool IsHeld(Guid itemKey, string point)
    {
        lock (_lock) return _held.ContainsKey((itemKey, point));
    }

    /// <summary>Holds a point until the result is disposed of. Whether there is such a point is looked at afterwards.</summary>
    public IDisposable Hold(Guid itemKey, string point)
    {
        lock (_lock) _held[(itemKey, point)] = _held.GetValueOrDefault((itemKey, point)) + 1;
        return new PointHold(this, (itemKey, point));
    }

    private void Release((Guid ItemKey, string Point) key)
    {
        lock (_lock)
        {
            if (--_held[key] == 0) _held.Remove(key);
        }
    }

    private sealed class PointHold(PointHolds holds, (Guid ItemKey, string Point) key) : IDisposable
    {
        private bool _isReleased;

        public void Dispose()
        {
            if (!Interlocked.Exchange(ref _isReleased, true)) holds.Release(key);
        }
    }
}
