using System.Collections.Concurrent;

namespace Strongroom.Store.Packs;

/// <summary>
/// Packs that failed a read since the vault was opened, that the log has in quarantine, or whose chunks were moved to such a pack: new backups do
/// not build on them, so what they held is stored anew. Thread-safe.
/// </summary>
internal sealed class SuspectPacks
{
    private readonly ConcurrentDictionary<uint, string> packs = [];
    private volatile HashSet<uint> moved = [];

    /// <summary>The packs that failed a read, each with what was found first.</summary>
    public IReadOnlyDictionary<uint, string> All => packs;

    public bool Any => !packs.IsEmpty || moved.Count > 0 || !Quarantined().IsEmpty;

    /// <summary>What the log has in quarantine.</summary>
    public Func<PackRangeSet> Quarantined { get; init; } = static () => new();

    public bool Contains(uint packSeq) =>
        (!packs.IsEmpty && packs.ContainsKey(packSeq)) || Quarantined().Contains(packSeq) || (moved.Count > 0 && moved.Contains(packSeq));

    public void Add(uint packSeq, string what) => packs.TryAdd(packSeq, what);

    /// <summary>Once the pack is gone or proven whole.</summary>
    public void Remove(uint packSeq) => packs.TryRemove(packSeq, out _);

    /// <summary>Takes the packs of which chunks were moved to a pack that is in quarantine.</summary>
    public void SetMoved(HashSet<uint> all) => moved = all;
}
