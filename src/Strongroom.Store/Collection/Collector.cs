using Strongroom.Store.Log;
using Strongroom.Store.Packs;

namespace Strongroom.Store.Collection;

/// <summary>One collection: finish what others left, mark, condemn, reconcile, copy, sweep, delete (<c>docs/adr/0005-collection-without-locks.md</c>).</summary>
/// <remarks>
/// Backups, restores and other collections go on meanwhile, in this process and in others. What is safe is decided by the log alone: a SWEEP
/// is refused when anything was committed since it was decided. A crash anywhere is finished by the next run, whoever makes it.
/// </remarks>
internal sealed partial class Collector(VaultStore vault, IReadOnlyCollection<SnapshotId> mustBeLive, CollectOptions options)
{
    private const int Attempts = 16;
    private Marker marker = null!;
    private long markedTo;
    private IReadOnlyList<PackInfo> packs = [];
    private CollectReport report = new(0, 0, 0, 0, 0, 0);

    private CollectionState State => vault.Log.State.Collection;

    public async Task<CollectReport> RunAsync(CancellationToken cancellationToken)
    {
        await LookAsync(cancellationToken);

        // A log that is never silent for long shows that the clocks of its writers went on as clocks do (ClockState).
        if (vault.Log.Now - vault.Log.State.LastTime >= ClockState.SignOfLifeAfter)
            await vault.Log.AppendSignOfLifeAsync(cancellationToken);
        var deletedThrough = await FinishAsync(cancellationToken);

        // Nobody gains from the grace of an empty one, and what is garbage by now would wait for it. Asked before all is listed and marked, for which there is no use until then.
        if (State.Condemned is { } pending && IsInGrace(pending))
            return Report(pending);

        // Listed before the mark: what appears later is not touched.
        packs = await vault.RefreshPacksAsync(cancellationToken);
        await MarkAsync(cancellationToken);
        AddMissing();
        if (State.Condemned is { } waiting && options.Grace > TimeSpan.Zero)
        {
            if (IsInGrace(waiting))
                return Report(waiting);
            await CarryOutAsync(waiting.Sequence, cancellationToken);
        }

        var condemned = await WithoutRetainedAsync(Choose(), cancellationToken);

        if (condemned.Count == 0 && !IsEndDue(deletedThrough) && !await HasTablesToDropAsync(cancellationToken))
            return Report(State.Condemned);
        var payload = new CondemnPayload(markedTo, deletedThrough, PackRangeSet.OfPacks(condemned)).Format();
        var entry = await vault.Log.AppendAsync(LogEntryType.Condemn, _ => IsWhole() ? payload : null, cancellationToken);
        if (entry is null)
            RequireWholeLog();
        else if (options.Grace == TimeSpan.Zero)
            await CarryOutAndEndAsync(entry.Sequence, cancellationToken);
        return Report(State.Condemned);
    }

    /// <summary>True when an empty CONDEMN has a use: nothing came of the last one, whose packs deduplication still passes over, or the log can forget what was deleted.</summary>
    private bool IsEndDue(long deletedThrough) =>
        State.Condemned is { Packs.IsEmpty: false } || State.Undeleted.Keys.Any(sweep => sweep <= deletedThrough);

    private async Task CarryOutAndEndAsync(long condemnSequence, CancellationToken cancellationToken)
    {
        await CarryOutAsync(condemnSequence, cancellationToken);
        var empty = new CondemnPayload(markedTo, 0, new()).Format();
        bool IsSpent() => State.Condemned is { Packs.IsEmpty: false } left && left.Sequence == condemnSequence;
        if (IsSpent())
            await vault.Log.AppendAsync(LogEntryType.Condemn, _ => IsWhole() && IsSpent() ? empty : null, cancellationToken);
    }

    private bool IsInGrace(Condemnation condemned) => !condemned.Packs.IsEmpty && vault.Log.Now - condemned.Time < options.Grace;

    private bool IsWhole() => vault.Log.Damage.Count == 0;

    private CollectReport Report(Condemnation? waiting) => report with
    {
        PacksKept = vault.PackSet.Count,
        PacksCondemned = waiting is null ? 0 : vault.PackSet.ToList().Count(pack => waiting.Packs.Contains(pack.PackSeq)),
    };

    private async Task LookAsync(CancellationToken cancellationToken)
    {
        await vault.Log.RefreshAsync(cancellationToken);
        RequireWholeLog();
        RequireLive();
    }

    /// <summary>Deletes what is swept and still there, and tables that never came into force; the last SWEEP of which, and of all before it, nothing is left.</summary>
    private async Task<long> FinishAsync(CancellationToken cancellationToken)
    {
        var head = vault.Log.Head;
        var deletedThrough = 0L;
        var finished = new Dictionary<long, PackRangeSet>();
        var isRetained = false;
        foreach (var (sweep, swept) in State.Undeleted.Where(one => one.Key <= head).OrderBy(one => one.Key).ToList())
        {
            var isKnown = vault.Retention.IsFinished(sweep);
            var isGone = isKnown || await DeleteAsync(swept.Numbers, cancellationToken);
            if (isGone && !isKnown)
                finished.Add(sweep, swept);
            isRetained |= !isGone;
            deletedThrough = isRetained ? deletedThrough : sweep;
        }

        foreach (var table in await vault.ListTablesAsync(cancellationToken))
        {
            if (State.IsStray(table, head))
                await vault.Retention.TryDeleteAsync(table.Name, cancellationToken);
        }

        // The next CONDEMN forgets these packs for ever, and until then a power cut may bring a deleted name back.
        foreach (var content in (PackContent[])[PackContent.Data, PackContent.Nodes])
            await PackFolders.SyncAsync(vault.Packs.Backend, content, finished.Values.SelectMany(swept => swept.Numbers), cancellationToken);

        await vault.RemoveOldJournalsAsync(options.Grace, cancellationToken);
        vault.Retention.Finish(finished.Keys);
        vault.Relocations.Forget();
        return deletedThrough;
    }

    /// <summary>Marks what is live at the head. Repeated, it marks only what came since.</summary>
    private async Task MarkAsync(CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            // A sweep may have moved what is live; then all is marked anew.
            if (markedTo == 0 || State.IsSweptSince(markedTo))
                marker = new(vault.Manifests, State, vault.Relocations, vault.Options.Workers) { Watches = vault.Log.State.Quarantine.Contains };
            markedTo = vault.Log.Head;
            try
            {
                await marker.MarkAsync(vault.Log.State.Snapshots.AllLive, cancellationToken);
                return;
            }
            catch (StoreException failure) when (failure.Kind == StoreErrorKind.NotFound && attempt < Attempts)
            {
                // Another process may have deleted a snapshot, and collected, while it was being marked.
                var before = markedTo;
                markedTo = 0;
                await LookAsync(cancellationToken);
                if (vault.Log.Head == before)
                    throw;
            }
        }
    }

    /// <summary>Removes what is condemned, as far as nothing needs it, and moves the rest as far as it is little.</summary>
    private async Task CarryOutAsync(long condemnSequence, CancellationToken cancellationToken)
    {
        // Nothing that is safe depends on the clock; but where it is wrong, deletions may have been wrong, too, and this is what cannot be undone.
        if (!vault.Governance.IsClockTrusted)
            return;
        SweepPlan? plan = null;
        CompactionResult? copies = null;
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            await LookAsync(cancellationToken);
            await MarkAsync(cancellationToken);
            if (State.Condemned is not { } condemned || condemned.Sequence != condemnSequence)
                return;
            if (copies is null)
            {
                plan = Plan(condemned);
                copies = await new Compaction(vault, marker.Live, packs, marker.Watched, options.GreatestChunksToCompact).CopyAsync(plan.ToCopy, condemnSequence, cancellationToken);
            }

            plan = plan!.Reconcile(marker.Live, copies.Live.IsLive);
            var dropped = State.TablesInOrder.Where(table => !marker.NeededTables.Contains(table)).ToList();
            if (plan.Dead.Count == 0 && plan.ToCopy.Count == 0 && dropped.Count == 0)
                return;
            SweepPlan? decided = null;
            var entry = await vault.Log.AppendAsync(
                LogEntryType.Sweep, _ => FormatSweep(condemnSequence, plan, copies, dropped, out decided), cancellationToken);
            if (entry is null)
                continue;
            report = report with { PacksCompacted = decided!.ToCopy.Count, BytesCopied = copies.BytesCopied };
            await DeleteAsync(decided.Dead.Concat(decided.ToCopy), cancellationToken);
            foreach (var table in dropped)
                await vault.Retention.TryDeleteAsync(table.Name, cancellationToken);
            vault.Relocations.Forget();
            return;
        }

        throw new StoreException(StoreErrorKind.Conflict, "Other processes keep committing to the vault. Collect again when it is less busy.");
    }

    /// <summary>What another collection swept since this one listed and marked is not planned again: it must not be moved twice.</summary>
    private SweepPlan Plan(Condemnation condemned)
    {
        var known = packs.ToDictionary(pack => pack.PackSeq);
        return SweepPlan.Decide(
            condemned.Packs.Numbers.Where(pack => known.ContainsKey(pack) && !State.IsSwept(pack)),
            marker.Live,
            pack => IsToBeReplaced(pack) || IsWorthCompacting(known[pack]));
    }

    /// <summary>The fence; called under the log's lock with everything up to the head applied. Null: decide again.</summary>
    private byte[]? FormatSweep(
        long condemnSequence, SweepPlan plan, CompactionResult copies, List<RelocationTableId> dropped, out SweepPlan? decided)
    {
        decided = null;
        if (!IsWhole() || !State.MaySweep(condemnSequence, markedTo))
            return null;

        // What sessions of this process have come to use since is spared. They would find out when they commit; this saves them the trouble.
        var inUse = vault.PacksInUse(options.Grace);
        decided = SweepPlan.Of(plan.Dead.Where(pack => !inUse.Contains(pack)), plan.ToCopy.Where(pack => !inUse.Contains(pack)));
        return new SweepPayload(
            condemnSequence,
            decided.DeadRanges,
            decided.RelocatedRanges,
            decided.ToCopy.Count > 0 ? copies.Attempt : 0,
            [.. dropped.Select(table => table.CondemnSequence)]).Format();
    }

    /// <summary>False when the storage retains one of them: the next collection tries again.</summary>
    private async Task<bool> DeleteAsync(IEnumerable<uint> gone, CancellationToken cancellationToken)
    {
        var isDone = true;
        foreach (var pack in gone)
        {
            foreach (var content in (PackContent[])[PackContent.Data, PackContent.Nodes])
            {
                if (vault.PackSet.Find(pack) is { } known && known.Content != content)
                    continue;
                var length = vault.PackSet.Find(pack)?.LengthBytes ?? 0;
                var (isGone, wasThere) = await vault.Retention.TryDeleteAsync(PackFormat.NameOf(content, pack), cancellationToken);
                isDone &= isGone;
                if (!isGone || !wasThere)
                    continue;
                report = report with { PacksDeleted = report.PacksDeleted + 1, BytesDeleted = report.BytesDeleted + length };
            }

            vault.PackSet.Remove(pack);
            vault.Packs.Forget(pack);
        }

        return isDone;
    }

    private void RequireWholeLog()
    {
        if (vault.Log.Damage.Count > 0)
        {
            throw new StoreException(
                StoreErrorKind.Corrupt,
                $"Nothing is collected, because {vault.Log.Damage[0]} and may have named packs that are needed. "
                + "Heal the vault from a copy, or, when there is none, accept the loss.");
        }
    }

    /// <summary>A log that lost its last entries looks whole; only somebody else can know that they were there.</summary>
    private void RequireLive()
    {
        var absent = mustBeLive.Where(id => !vault.Log.State.Snapshots.IsLive(id)).ToList();
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
}
