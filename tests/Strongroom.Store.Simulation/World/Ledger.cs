namespace Strongroom.Store.Simulation.World;

/// <summary>What was tried with one snapshot, and what the store promised about it.</summary>
internal sealed class Promise(SnapshotId id, IReadOnlyList<DiskModel> disks, IReadOnlyList<DiskModel> streams)
{
    public SnapshotId Id => id;

    public IReadOnlyList<DiskModel> Disks => disks;

    public IReadOnlyList<DiskModel> Streams => streams;

    /// <summary>Its place in the log, once the commit was acknowledged.</summary>
    public long? LogSequence { get; set; }

    public bool IsDeletionTried { get; set; }

    public bool IsDeletionPromised { get; set; }

    /// <summary>It may have been brought back, so its deletion promises nothing.</summary>
    public bool IsUndeletionTried { get; set; }

    /// <summary>When it was first tried to delete it.</summary>
    public DateTimeOffset DeletionTriedAt { get; set; }

    /// <summary>It may be gone for good.</summary>
    public bool IsPurgeTried { get; set; }

    /// <summary>Until then nobody may delete it: a lock was acknowledged.</summary>
    public DateTimeOffset LockedUntil { get; set; }

    /// <summary>Its content must be there, be it deleted or not.</summary>
    public bool IsContentOwed => LogSequence is not null && !IsPurgeTried;

    /// <summary>It must be there.</summary>
    public bool IsOwed => LogSequence is not null && !IsDeletionTried;
}

/// <summary>All promises of a run, outside the store.</summary>
internal sealed class Ledger
{
    private readonly Dictionary<SnapshotId, Promise> promises = [];

    public IReadOnlyCollection<Promise> All => promises.Values;

    public IReadOnlyCollection<SnapshotId> Owed => [.. promises.Values.Where(promise => promise.IsOwed).Select(promise => promise.Id)];

    public Promise? Find(SnapshotId id) => promises.GetValueOrDefault(id);

    public Promise Add(SnapshotId id, IReadOnlyList<DiskModel> disks, IReadOnlyList<DiskModel> streams) => promises[id] = new(id, disks, streams);
}

/// <summary>The store broke its word.</summary>
internal sealed class BrokenPromiseException(string message) : Exception(message);
