namespace Strongroom.Backup.FileRecovery;

/// <summary>How many mounts there may be, of an item and of all. Thread-safe.</summary>
internal sealed class MountPlaces(FileRecoveryOptions options)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<Guid, int> _taken = []; // guarded by _lock
    private int _total; // guarded by _lock

    /// <exception cref="BackupRefusedException">All places are taken.</exception>
    public void Take(Guid itemKey)
    {
        lock (_lock)
        {
            var taken = _taken.GetValueOrDefault(itemKey);
            if (taken >= options.MaxMountsOfItem) throw TooMany($"{taken} recovery points of this machine are");
            if (_total >= options.MaxMounts) throw TooMany($"{_total} recovery points are");
            _taken[itemKey] = taken + 1;
            _total++;
        }
    }

    public void Give(Guid itemKey)
    {
        lock (_lock)
        {
            _total--;
            if (--_taken[itemKey] == 0) _taken.Remove(itemKey);
        }
    }

    private static BackupRefusedException TooMany(string what) =>
        new(BackupRefusal.TooManyMounts, $"{what} mounted for the recovery of files. Revoke one that is not needed any more, and try again.");
}
