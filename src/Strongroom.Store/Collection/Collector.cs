using Strongroom.Store.Log;
using Strongroom.Store.Manifests;

namespace Strongroom.Store.Collection;

/// <summary>Mark and sweep of packs that are wholly dead, while nothing else uses the vault in this process.</summary>
/// <remarks>
/// Safe against other processes too: the SWEEP entry is refused when the log moved since the mark, and a session of another process that
/// was open before a SWEEP cannot commit after it. A crash anywhere is repaired by the next run.
/// </remarks>
internal sealed class Collector(VaultStore vault, IReadOnlyCollection<SnapshotId> mustBeLive)
{
    private const int Attempts = 3;

    public async Task<CollectReport> RunAsync(CancellationToken cancellationToken)
    {
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            await vault.Log.RefreshAsync(cancellationToken);
            RequireWholeLog();
            RequireLive();
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
            if (await vault.Log.AppendAsync(LogEntryType.Sweep, _ => IsUnmovedSince(markedAt) ? bytes : null, cancellationToken) is null)
                continue;
            await SweepAsync(dead, cancellationToken);
            return new(false, packs.Count - dead.Count, dead.Count, dead.Sum(pack => pack.LengthBytes));
        }

        throw new StoreException(StoreErrorKind.Conflict, "Another process keeps changing the vault. Collect again when it is idle.");
    }

    /// <summary>Damage that came to light since leaves the head where it was.</summary>
    private bool IsUnmovedSince(long markedAt) => vault.Log.Head == markedAt && vault.Log.Damage.Count == 0;

    private void RequireWholeLog()
    {
        if (vault.Log.Damage.Count > 0)
        {
            throw new StoreException(
                StoreErrorKind.Corrupt,
                $"Nothing is collected, because {vault.Log.Damage[0]} and may have named packs that are needed. "
                + "Stop the server and put that file of the vault's log/ back from a copy of the vault.");
        }
    }

    /// <summary>A log that lost its last entries looks whole; only somebody else can know that they were there.</summary>
    private void RequireLive()
    {
        var absent = mustBeLive.Where(id => vault.Find(id) is null).ToList();
        if (absent.Count == 0)
            return;

        // A caller whose list is older than a deletion asks again; a list that is newer shows a loss.
        var lost = absent.Where(id => !vault.Log.State.Snapshots.IsDeleted(id)).ToList();
        throw lost.Count == 0
            ? new StoreException(StoreErrorKind.Conflict, $"Nothing is collected, because recovery points were deleted meanwhile, among them {absent[0]}. Collect again.")
            : new StoreException(
                StoreErrorKind.Corrupt,
                $"Nothing is collected, because the vault's log has lost the entries of {lost.Count} recovery points that are still listed, among them {lost[0]}. "
                + "Restore from a copy of the vault's folder, or delete those recovery points.");
    }

    private async Task<HashSet<uint>> MarkAsync(CancellationToken cancellationToken)
    {
        var live = new HashSet<uint>();
        var walk = new ManifestWalk(vault.Tree);
        foreach (var root in vault.Log.State.Snapshots.AllLive.SelectMany(ManifestPointer.RootsOf))
        {
            await foreach (var pointer in walk.VisitAsync(root, cancellationToken))
                live.Add(pointer.Slot.PackSeq);
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
