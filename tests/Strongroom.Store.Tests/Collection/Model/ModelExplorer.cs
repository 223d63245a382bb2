using System.Collections.Immutable;
using System.IO.Hashing;
using System.Text;
using Strongroom.Store.Collection;
using Strongroom.Store.Log;

namespace Strongroom.Store.Tests.Collection.Model;

/// <summary>How much the processes of a model may do.</summary>
internal sealed record ModelSize(int Purges, ImmutableArray<int> Sessions, ImmutableArray<int> Runs);

/// <summary>Visits every world that the model can reach, in depth first order, and checks each.</summary>
internal sealed class ModelExplorer(ModelSize size, ModelMutant mutant)
{
    private readonly HashSet<UInt128> seen = [];
    private readonly HashSet<UInt128> settled = [];

    public int Worlds => seen.Count;

    /// <summary>How many worlds there were from which a quiet collection was tried.</summary>
    public int Collections => settled.Count;

    /// <summary>What is wrong with the first bad world that was met, or null when all are good.</summary>
    public string? Explore()
    {
        var pending = new Stack<ModelWorld>();
        pending.Push(Start());
        while (pending.TryPop(out var world))
        {
            if (!seen.Add(Digest(world.Key())))
                continue;
            if ((world.Loss() ?? WhatStays(world)) is { } wrong)
                return wrong;
            foreach (var next in Moves(world))
                pending.Push(next);
        }

        return null;
    }

    private static UInt128 Digest(string key) => XxHash128.HashToUInt128(Encoding.UTF8.GetBytes(key));

    /// <summary>One snapshot of two chunks, committed by somebody who is gone.</summary>
    private ModelWorld Start()
    {
        ImmutableArray<ModelRef> manifest = [new(1, 0, 'a'), new(1, 1, 'b')];
        var log = ModelLog.Empty().Append(LogEntryType.Commit, ModelWorld.FormatSnapshot(1, manifest));
        return new(
            log,
            ImmutableSortedDictionary<uint, string>.Empty.Add(1, "ab"),
            ImmutableDictionary<RelocationTableId, ModelTable>.Empty,
            ImmutableDictionary<int, ImmutableArray<ModelRef>>.Empty.Add(1, manifest),
            [.. size.Sessions.Select(sessions => new ModelWriter(sessions))],
            [.. size.Runs.Select(runs => new ModelCollector(runs))],
            NextPack: 2,
            NextSnapshot: 2,
            size.Purges);
    }

    private IEnumerable<ModelWorld> Moves(ModelWorld world)
    {
        for (var i = 0; i < world.Writers.Length; i++)
        {
            foreach (var next in ModelWriter.Moves(world, i, mutant))
                yield return next;
        }

        for (var i = 0; i < world.Collectors.Length; i++)
        {
            foreach (var next in ModelCollector.Moves(world, i, mutant))
                yield return next;
        }

        if (world.PurgesLeft == 0)
            yield break;
        foreach (var snapshot in ModelWorld.LiveOf(world.Log))
        {
            var payload = new PurgeEntry(DateTimeOffset.UnixEpoch, false, [ModelWorld.IdOf(snapshot)]).Format();
            yield return world with { Log = world.Log.Append(LogEntryType.Purge, payload), PurgesLeft = world.PurgesLeft - 1 };
        }
    }

    /// <summary>What garbage is left when every process dies here and one collector works undisturbed; null when none is.</summary>
    private string? WhatStays(ModelWorld world)
    {
        var quiet = world with { Writers = [], Collectors = [new(0)], PurgesLeft = 0 };
        if (!settled.Add(Digest(quiet.Key())))
            return null;

        // Three runs: the first may only find what the dead left half done.
        for (var run = 0; run < 3; run++)
        {
            quiet = quiet with { Collectors = [new(1)] };
            while (quiet.Collectors[0].Step(quiet, 0, mutant) is { } next)
                quiet = next;
        }

        return quiet.Loss() ?? quiet.Garbage();
    }
}
