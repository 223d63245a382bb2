using System.Collections.Concurrent;

namespace Strongroom.Store.Packs;

/// <summary>Packs that failed a read since the vault was opened: new backups do not build on them, so what they held is stored anew. Thread-safe.</summary>
internal sealed class SuspectPacks
{
    private readonly ConcurrentDictionary<uint, string> packs = [];

    /// <summary>The packs, each with what was found first.</summary>
    public IReadOnlyDictionary<uint, string> All => packs;

    public bool Any => !packs.IsEmpty;

    public bool Contains(uint packSeq) => !packs.IsEmpty && packs.ContainsKey(packSeq);

    public void Add(uint packSeq, string what) => packs.TryAdd(packSeq, what);

    /// <summary>Once the pack is gone or proven whole.</summary>
    public void Remove(uint packSeq) => packs.TryRemove(packSeq, out _);
}
