using Strongroom.Store.Log;

namespace Strongroom.Store.Collection;

/// <summary>Mark and sweep of packs that are wholly dead, while nothing else uses the vault in this process.</summary>
/// <remarks>
/// Safe against other processes too: the SWEEP entry is refused when the log moved since the mark, and a session of another process that
/// was open before a SWEEP cannot commit after it. A crash anywhere is repaired by the next run.
/// </remarks>
internal sealed class Collector(VaultStore vault)
{
    private const int Attempts = 3;

    public async Task<CollectReport> RunAsync(CancellationToken cancellationToken)
    {
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            await vault.Log.RefreshAsync(cancellationToken);
            RequireWholeLog();
            var markedAt = vault.Log.Head;

            // Listed before the mark: what appears later is not touched.
            var packs = vault.PackSet.ToList();
            var live = await MarkAsync(cancellationToken);
            var dead = packs.Where(pack => !live.Contains(pack.PackSeq)).ToList();
            if (dead.Count == 0)
                return new(false, packs.Count, 0, 0);
            var payload = new PayloadWriter().UInt32((uint)dead.Count);
            foreach (var pack in dead)
                payload.UInt32(pack.PackSeq);
            var bytes = payload.ToArray();
            if (await vault.Log.AppendAsync(LogEntryType.Sweep, _ => vault.Log.Head == markedAt ? bytes : null, cancellationToken) is null)
                continue;
            await SweepAsync(dead, cancellationToken);
            return new(false, packs.Count - dead.Count, dead.Count, dead.Sum(pack => pack.LengthBytes));
        }

        throw new StoreException(StoreErrorKind.Conflict, "Another process keeps changing the vault. Collect again when it is idle.");
    }

    private void RequireWholeLog()
    {
        if (vault.Log.Damage.Count > 0)
            throw StoreException.Corrupt($"Nothing is collected, because {vault.Log.Damage[0]} and may have named packs that are needed");
    }

    private async Task<HashSet<uint>> MarkAsync(CancellationToken cancellationToken)
    {
        var live = new HashSet<uint>();
        var walk = new Images.TreeWalk(vault.Tree);
        foreach (var disk in vault.Snapshots.SelectMany(snapshot => snapshot.Images))
        {
            await foreach (var (slot, _) in walk.VisitAsync(disk.Image, cancellationToken))
                live.Add(slot.PackSeq);
        }

        return live;
    }

    private async Task SweepAsync(List<(uint PackSeq, Packs.PackContent Content, long LengthBytes)> dead, CancellationToken cancellationToken)
    {
        foreach (var pack in dead)
        {
            await vault.Packs.Backend.DeleteAsync(Packs.PackFormat.NameOf(pack.Content, pack.PackSeq), cancellationToken);
            vault.PackSet.Remove(pack.PackSeq);
            vault.Packs.Forget(pack.PackSeq);
        }
    }
}
