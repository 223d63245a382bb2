namespace Strongroom.Store.Simulation.World;

/// <summary>What was tried with one snapshot, and what the store promised about it.</summary>
internal sealed class Promise(SnapshotId id, IReadOnlyList<DiskModel> disks)
{
    public SnapshotId Id => id;

    public IReadOnlyList<DiskModel> Disks => disks;

    /// <summary>Its place in the log, once the commit was acknowledged.</summary>
    public long? LogSequence { get; set; }

    public bool IsDeletionTried { get; set; }

    public bool IsDeletionPromised { get; set; }

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

    public Promise Add(SnapshotId id, IReadOnlyList<DiskModel> disks) => promises[id] = new(id, disks);
}

/// <summary>The store broke its word.</summary>
internal sealed class BrokenPromiseException(string message) : Exception(message);
