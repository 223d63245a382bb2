using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Strongroom.Store.Collection;
using Strongroom.Store.Log;

namespace Strongroom.Store.Tests.Collection.Model;

internal enum WriterStep
{
    Idle,
    Open,
    Written,
    Checked,
}

/// <summary>A process that backs up: it looks, writes a pack, asks whether its commit holds, and appends it.</summary>
internal sealed record ModelWriter(int SessionsLeft)
{
    private WriterStep step;
    private ModelLog? view;
    private ImmutableArray<(uint Pack, string Content)> known = [];
    private string content = "";
    private int parent;
    private ImmutableArray<ModelRef> manifest = [];
    private ImmutableArray<uint> found = [];
    private uint own;

    public void AddTo(StringBuilder key)
    {
        key.Append(CultureInfo.InvariantCulture, $"{SessionsLeft},{(int)step},{view?.Number},{content},{parent},{own}");
        if (step == WriterStep.Open)
            key.AppendJoin('+', known.Select(pack => $"{pack.Pack}{pack.Content}"));
        foreach (var place in manifest)
            key.Append(CultureInfo.InvariantCulture, $" {place.Pack}.{place.Ordinal}");
        key.Append('f').AppendJoin('+', found);
    }

    /// <summary>Every world that one step of this writer leads to.</summary>
    public static IEnumerable<ModelWorld> Moves(ModelWorld world, int index, ModelMutant mutant)
    {
        var writer = world.Writers[index];
        if (writer.step != WriterStep.Idle)
            yield return With(world, index, writer.Stopped());
        switch (writer.step)
        {
            case WriterStep.Idle when writer.SessionsLeft > 0:
                foreach (var content in (string[])["a", "ab"])
                {
                    foreach (var parent in ModelWorld.LiveOf(world.Log).Prepend(0))
                        yield return With(world, index, writer.Opened(world, content, parent));
                }

                break;
            case WriterStep.Open:
                yield return writer.Write(world, index);
                break;
            case WriterStep.Written:
                // A session that its check refuses has ended: the backup runs again.
                var holds = writer.Claims(mutant).WhyNot(world.Log.State) is null;
                yield return With(world, index, holds ? writer with { step = WriterStep.Checked, view = world.Log } : writer.Stopped());
                break;
            case WriterStep.Checked when writer.view == world.Log || mutant == ModelMutant.NoSecondLook:
                yield return writer.Commit(world, index);
                break;
            case WriterStep.Checked:
                yield return With(world, index, writer with { step = WriterStep.Written, view = null });
                break;
        }
    }

    private static ModelWorld With(ModelWorld world, int index, ModelWriter writer) => world with { Writers = world.Writers.SetItem(index, writer) };

    private ModelWriter Stopped() => new(SessionsLeft);

    private ModelWriter Opened(ModelWorld world, string what, int whose) => this with
    {
        SessionsLeft = SessionsLeft - 1,
        step = WriterStep.Open,
        view = world.Log,
        known = [.. world.Packs.Select(pack => (pack.Key, pack.Value))],
        content = what,
        parent = whose,
    };

    /// <summary>Takes what the parent has, then what packs have that were known at the opening, and stores the rest.</summary>
    private ModelWorld Write(ModelWorld world, int index)
    {
        var state = view!.State.Collection;
        var places = new List<ModelRef>();
        var referred = new SortedSet<uint>();
        var stored = "";
        foreach (var letter in content)
        {
            if (parent != 0 && world.Manifests[parent].FirstOrDefault(place => place.Content == letter) is { Pack: > 0 } shared)
            {
                places.Add(shared);
            }
            else if (known.FirstOrDefault(pack => state.IsUsable(pack.Pack) && pack.Content.Contains(letter, StringComparison.Ordinal)) is { Pack: > 0 } hit)
            {
                places.Add(new(hit.Pack, (ushort)hit.Content.IndexOf(letter, StringComparison.Ordinal), letter));
                referred.Add(hit.Pack);
            }
            else
            {
                places.Add(new(world.NextPack, (ushort)stored.Length, letter));
                stored += letter;
            }
        }

        var written = this with
        {
            step = WriterStep.Written, view = null, known = [], manifest = [.. places], found = [.. referred], own = stored.Length > 0 ? world.NextPack : 0,
        };
        var after = With(world, index, written);
        if (stored.Length == 0)
            return after;
        return after with { Packs = world.Packs.Add(world.NextPack, stored), NextPack = world.NextPack + 1 };
    }

    private CommitClaims Claims(ModelMutant mutant)
    {
        var claims = new CommitClaims();
        if (own != 0 && mutant != ModelMutant.OwnPacksUnchecked)
            claims.AddPack(own);
        foreach (var pack in mutant == ModelMutant.FoundPacksUnchecked ? [] : found)
            claims.AddPack(pack);
        if (parent != 0 && mutant != ModelMutant.ParentsUnchecked)
            claims.AddParent(state => state.Snapshots.Holds(ModelWorld.ImageOf(parent)));
        return claims;
    }

    private ModelWorld Commit(ModelWorld world, int index)
    {
        var snapshot = world.NextSnapshot;
        return With(world, index, Stopped()) with
        {
            Log = world.Log.Append(LogEntryType.Commit, ModelWorld.FormatSnapshot(snapshot, manifest)),
            Manifests = world.Manifests.Add(snapshot, manifest),
            NextSnapshot = snapshot + 1,
        };
    }
}
