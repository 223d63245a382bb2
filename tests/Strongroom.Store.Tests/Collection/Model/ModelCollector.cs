using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Strongroom.Store.Collection;
using Strongroom.Store.Log;
using Strongroom.Store.Packs;

namespace Strongroom.Store.Tests.Collection.Model;

internal enum CollectorStep
{
    Idle,
    Begun,
    Listed,
    Condemned,
    Reconciled,
    Copied,
    Swept,
}

/// <summary>A process that collects: it finishes what others left, marks, condemns, reconciles, copies, sweeps and deletes, one step at a time.</summary>
internal sealed record ModelCollector(int RunsLeft)
{
    private CollectorStep step;
    private ModelLog? view;
    private long deletedThrough;
    private ImmutableArray<uint> packs = [];
    private long condemn;
    private long reconciledTo;
    private ImmutableArray<uint> dead = [];
    private ImmutableArray<uint> toCopy = [];
    private ImmutableArray<RelocationTableId> dropped = [];
    private ModelTable? table;

    public bool IsIdle => step == CollectorStep.Idle;

    public void AddTo(StringBuilder key)
    {
        key.Append(CultureInfo.InvariantCulture, $"{RunsLeft},{(int)step},{view?.Number},{deletedThrough},{condemn},{reconciledTo},{table?.Id.Attempt}:");
        key.AppendJoin('+', packs).Append('d').AppendJoin('+', dead).Append('c').AppendJoin('+', toCopy).Append('t').AppendJoin('+', dropped.Select(id => id.CondemnSequence));
    }

    /// <summary>Every world that one step of this collector leads to.</summary>
    public static IEnumerable<ModelWorld> Moves(ModelWorld world, int index, ModelMutant mutant)
    {
        var collector = world.Collectors[index];
        if (!collector.IsIdle)
            yield return With(world, index, collector.Stopped());
        if (collector.Step(world, index, mutant) is { } next)
            yield return next;
    }

    /// <summary>The one next step, or null when there is nothing to do.</summary>
    public ModelWorld? Step(ModelWorld world, int index, ModelMutant mutant) => step switch
    {
        CollectorStep.Idle when RunsLeft > 0 => Begin(world, index, mutant),
        CollectorStep.Idle => null,
        CollectorStep.Begun => With(world, index, this with { step = CollectorStep.Listed, packs = [.. world.Packs.Keys] }),
        CollectorStep.Listed => Condemn(world, index),
        CollectorStep.Condemned => Reconcile(world, index, mutant),
        CollectorStep.Reconciled => Copy(world, index),
        CollectorStep.Copied => Sweep(world, index, mutant),
        _ => Delete(world, index),
    };

    private static ModelWorld With(ModelWorld world, int index, ModelCollector collector) =>
        world with { Collectors = world.Collectors.SetItem(index, collector) };

    private ModelCollector Stopped() => new(RunsLeft);

    /// <summary>Reads the log to its head, and deletes what sweeps of others, or tables that never came into force, have left behind.</summary>
    private ModelWorld Begin(ModelWorld world, int index, ModelMutant mutant)
    {
        var state = world.Log.State.Collection;
        var begun = this with { RunsLeft = RunsLeft - 1, step = CollectorStep.Begun, view = world.Log };
        if (mutant == ModelMutant.NothingFinished)
            return With(world, index, begun);
        var left = state.Undeleted.Values.SelectMany(swept => swept.Numbers).ToList();
        var stray = world.Tables.Keys.Where(id => state.IsStray(id, world.Log.Sequence)).ToList();
        return With(world, index, begun with { deletedThrough = state.Undeleted.Keys.DefaultIfEmpty().Max() }) with
        {
            Packs = world.Packs.RemoveRange(left),
            Tables = world.Tables.RemoveRange(stray),
        };
    }

    private ModelWorld Condemn(ModelWorld world, int index)
    {
        var live = world.Mark(view!, out var needed);
        var condemned = packs.Where(pack => !view!.State.Collection.IsSwept(pack) && world.Packs.TryGetValue(pack, out var content)
            && live.LiveIn(pack).Chunks < content.Length).ToList();

        // An empty CONDEMN makes way for the end of tables: those that are not needed, and those of a collector that died before its SWEEP.
        if (condemned.Count == 0 && world.Tables.Keys.All(needed.Contains))
            return With(world, index, Stopped());
        var log = world.Log.Append(
            LogEntryType.Condemn, new CondemnPayload(view!.Sequence, deletedThrough, PackRangeSet.OfPacks(condemned)).Format());
        return With(world, index, this with { step = CollectorStep.Condemned, condemn = log.Sequence, packs = [.. condemned] }) with { Log = log };
    }

    private ModelWorld Reconcile(ModelWorld world, int index, ModelMutant mutant)
    {
        // The mutant believes its first mark, made before it condemned.
        var seen = mutant == ModelMutant.NoReconcile ? view! : world.Log;
        var live = world.Mark(seen, out var needed);
        var plan = SweepPlan.Decide(packs, live, _ => true);
        if (table is not null)
        {
            // Copies have been made already.
            plan = SweepPlan.Of(dead, toCopy).Reconcile(
                live, (pack, ordinal) => mutant == ModelMutant.CopiesUnchecked || table.Places.ContainsKey((pack, ordinal)));
        }

        var reconciled = this with
        {
            step = table is null ? CollectorStep.Reconciled : CollectorStep.Copied,
            view = seen,
            reconciledTo = world.Log.Sequence,
            dead = [.. plan.Dead],
            toCopy = [.. plan.ToCopy],
            dropped = [.. seen.State.Collection.Tables.Keys.Where(id => mutant == ModelMutant.TablesDropped || !needed.Contains(id)).OrderBy(id => id.CondemnSequence)],
        };
        var after = With(world, index, reconciled);
        return mutant == ModelMutant.DeletedFirst ? after with { Packs = world.Packs.RemoveRange(plan.Dead) } : after;
    }

    private ModelWorld Copy(ModelWorld world, int index)
    {
        var live = world.Mark(view!, out _);
        var places = ImmutableSortedDictionary.CreateBuilder<(uint, ushort), ModelRef>();
        var copy = "";
        foreach (var pack in toCopy)
        {
            // A pack that another collection took meanwhile cannot be copied any more: then this one has lost.
            if (!world.Packs.TryGetValue(pack, out var content))
                return With(world, index, Stopped());
            foreach (var ordinal in live.LiveOrdinals(pack))
            {
                places.Add((pack, ordinal), new(world.NextPack, (ushort)copy.Length, content[ordinal]));
                copy += content[ordinal];
            }
        }

        if (copy.Length == 0)
            return With(world, index, this with { step = CollectorStep.Copied });
        var made = new ModelTable(new(condemn, world.NextPack), places.ToImmutable());
        return With(world, index, this with { step = CollectorStep.Copied, table = made }) with
        {
            Packs = world.Packs.Add(world.NextPack, copy),
            Tables = world.Tables.Add(made.Id, made),
            NextPack = world.NextPack + 1,
        };
    }

    private ModelWorld Sweep(ModelWorld world, int index, ModelMutant mutant)
    {
        var state = world.Log.State.Collection;
        var holds = state.MaySweep(condemn, reconciledTo);
        if (mutant == ModelMutant.NoFence)
            holds = state.Condemned?.Sequence == condemn;
        if (mutant == ModelMutant.NoTakeover)
            holds |= !state.IsSweptSince(reconciledTo) && world.Log.Sequence > condemn && !world.Log.State.Snapshots.Live.Any(snapshot => snapshot.LogSequence > reconciledTo);
        if (!holds)
            return With(world, index, state.Condemned?.Sequence == condemn ? this with { step = CollectorStep.Condemned } : Stopped());
        if (dead.IsEmpty && toCopy.IsEmpty && dropped.IsEmpty)
            return With(world, index, Stopped());
        var payload = new SweepPayload(
            condemn, PackRangeSet.OfPacks(dead), PackRangeSet.OfPacks(toCopy), toCopy.IsEmpty ? 0 : table!.Id.Attempt, [.. dropped.Select(id => id.CondemnSequence)]);
        return With(world, index, this with { step = CollectorStep.Swept, view = null }) with { Log = world.Log.Append(LogEntryType.Sweep, payload.Format()) };
    }

    private ModelWorld Delete(ModelWorld world, int index)
    {
        var next = dead.Concat(toCopy).FirstOrDefault(world.Packs.ContainsKey);
        if (next != 0)
            return world with { Packs = world.Packs.Remove(next) };
        return With(world, index, Stopped()) with { Tables = world.Tables.RemoveRange(dropped) };
    }
}
