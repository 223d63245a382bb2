using System.Collections.Concurrent;
using Strongroom.Store.Packs;

namespace Strongroom.Store.Collection;

internal sealed partial class Collector
{
    /// <summary>Packs of which nothing is live and that nobody is writing, and packs of which little is live, those with the least first.</summary>
    private List<uint> Choose()
    {
        var inUse = vault.PacksInUse(options.Grace);
        var others = vault.Log.State.PackNumbers.ReservedByWritersHeardSince(vault.Log.Now - options.Grace, vault.Log.WriterId);
        var free = packs.Where(pack => !State.IsSwept(pack.PackSeq) && !inUse.Contains(pack.PackSeq)).ToList();
        var chosen = free.Where(pack => marker.Live.LiveIn(pack.PackSeq).Chunks == 0 && !others.Contains(pack.PackSeq)).Select(pack => pack.PackSeq).ToList();
        var room = options.GreatestShareToCompact * packs.Sum(pack => pack.LengthBytes);
        foreach (var pack in free.Where(IsWorthCompacting).OrderBy(pack => marker.Live.LiveIn(pack.PackSeq).Bytes))
        {
            room -= marker.Live.LiveIn(pack.PackSeq).Bytes;
            if (room < 0)
                break;
            chosen.Add(pack.PackSeq);
        }

        // A damaged pack is replaced by what can be read of it elsewhere, when that is all of it.
        chosen.AddRange(free.Select(pack => pack.PackSeq).Where(IsToBeReplaced).Except(chosen));
        return chosen;
    }

    private bool IsToBeReplaced(uint pack) =>
        vault.Log.State.Quarantine.Contains(pack) && marker.Live.LiveIn(pack).Chunks > 0 && packs.Any(known => known.PackSeq == pack && known.Content == PackContent.Data);

    /// <summary>A pack of data that is in quarantine because it is gone counts as there, without length: its chunks may be elsewhere.</summary>
    private void AddMissing()
    {
        var listed = packs.Select(pack => pack.PackSeq).ToHashSet();
        var missing = marker.Watched.Keys.Select(place => place.PackSeq).Distinct().Where(pack => !listed.Contains(pack)).ToList();
        packs = [.. packs, .. missing.Select(pack => new PackInfo(pack, PackContent.Data, 0))];
    }

    /// <summary>What nothing needs and the storage retains stays where it is, and may be found by deduplication again, until it can be deleted.</summary>
    /// <remarks>Packs to compact are not spared: as long as they are needed their retention would go on, and they would stay for ever.</remarks>
    private async Task<List<uint>> WithoutRetainedAsync(List<uint> chosen, CancellationToken cancellationToken)
    {
        if (!vault.Retention.IsInUse)
            return chosen;
        var contents = packs.ToDictionary(pack => pack.PackSeq, pack => pack.Content);
        var spared = new ConcurrentDictionary<uint, byte>();
        await Parallel.ForEachAsync(
            chosen.Where(pack => marker.Live.LiveIn(pack).Chunks == 0),
            new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = cancellationToken, TaskScheduler = TaskScheduler.Current },
            async (pack, token) =>
            {
                if (await vault.Retention.FindAsync(pack, PackFormat.NameOf(contents[pack], pack), token) is not null)
                    spared[pack] = 0;
            });
        return [.. chosen.Where(pack => !spared.ContainsKey(pack))];
    }

    /// <summary>Whether enough comes free, beside what any pack of the live chunks takes: else small packs would be copied again and again.</summary>
    private bool IsWorthCompacting(PackInfo pack)
    {
        var live = marker.Live.LiveIn(pack.PackSeq);
        return live.Chunks > 0 && pack.LengthBytes - PackFormat.LengthOf(live.Chunks, live.Bytes) > (1 - options.CompactBelow) * pack.LengthBytes;
    }

    /// <summary>True when a table is in the storage that nothing live needs, or that belongs to a CONDEMN whose maker seems to be gone.</summary>
    private async Task<bool> HasTablesToDropAsync(CancellationToken cancellationToken)
    {
        var tables = await vault.ListTablesAsync(cancellationToken);
        var waits = State.Condemned is { } condemned && vault.Log.Now - condemned.Time < options.Grace ? condemned.Sequence : 0;
        return tables.Any(table => table.CondemnSequence <= markedTo && table.CondemnSequence != waits && !marker.NeededTables.Contains(table));
    }
}
