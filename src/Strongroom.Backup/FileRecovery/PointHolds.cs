using Strongroom.Backup.Items;
using Strongroom.Backup.RecoveryPoints;

namespace Strongroom.Backup.FileRecovery;

/// <summary>The recovery points that somebody looks into at the moment: those do not expire meanwhile, and nobody begins to look into one that is being deleted. Thread-safe.</summary>
public sealed class PointHolds
{
    /// <summary>In the place of a number of holds: the point is being deleted.</summary>
    private const int Doomed = -1;

    private readonly Lock _lock = new();
    private readonly Dictionary<(Guid ItemKey, string Point), int> _held = []; // guarded by _lock

    public bool IsHeld(Guid itemKey, string point)
    {
        lock (_lock) return _held.GetValueOrDefault((itemKey, point)) > 0;
    }

    /// <summary>Holds a point until the result is disposed of. Whether there is such a point is looked at afterwards.</summary>
    /// <exception cref="BackupRefusedException">It is being deleted.</exception>
    public IDisposable Hold(ProtectedItem item, string point)
    {
        var key = (item.Key, point);
        lock (_lock)
        {
            var count = _held.GetValueOrDefault(key);
            if (count == Doomed) throw item.PointNotFound(point);
            _held[key] = count + 1;
        }

        return new Release(() => Let(key));
    }

    /// <summary>Keeps others from a point that is about to be deleted, until the result is disposed of; null: somebody holds it.</summary>
    public IDisposable? TryDoom(Guid itemKey, string point)
    {
        var key = (itemKey, point);
        lock (_lock)
        {
            if (!_held.TryAdd(key, Doomed)) return null;
        }

        return new Release(() =>
        {
            lock (_lock) _held.Remove(key);
        });
    }

    private void Let((Guid ItemKey, string Point) key)
    {
        lock (_lock)
        {
            if (--_held[key] == 0) _held.Remove(key);
        }
    }

    private sealed class Release(Action release) : IDisposable
    {
        private bool _isReleased;

        public void Dispose()
        {
            if (!Interlocked.Exchange(ref _isReleased, true)) release();
        }
    }
}
