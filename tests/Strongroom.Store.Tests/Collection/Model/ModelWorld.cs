using System.Collections.Immutable;
using System.Text;
using Strongroom.Store.Collection;
using Strongroom.Store.Log;

namespace Strongroom.Store.Tests.Collection.Model;

/// <summary>A chunk at a place: one letter of content in a pack.</summary>
internal readonly record struct ModelRef(uint Pack, ushort Ordinal, char Content);

/// <summary>A relocation table: which place became which.</summary>
internal sealed record ModelTable(RelocationTableId Id, ImmutableSortedDictionary<(uint Pack, ushort Ordinal), ModelRef> Places);

/// <summary>Everything that is: the log, the storage, and what each process has in mind.</summary>
internal sealed record ModelWorld(
    ModelLog Log,
    ImmutableSortedDictionary<uint, string> Packs,
    ImmutableDictionary<RelocationTableId, ModelTable> Tables,
    ImmutableDictionary<int, ImmutableArray<ModelRef>> Manifests,
    ImmutableArray<ModelWriter> Writers,
    ImmutableArray<ModelCollector> Collectors,
    uint NextPack,
    int NextSnapshot,
    int PurgesLeft)
{
    /// <summary>The same for worlds from which the same can happen.</summary>
    public string Key()
    {
        // What was in the log decides what manifests and numbers there are, but for sessions under way, which say it themselves.
        var key = new StringBuilder().Append(Log.Number).Append('/').Append(PurgesLeft).Append('/').Append(NextPack).Append('.').Append(NextSnapshot);
        foreach (var (pack, content) in Packs)
            key.Append(';').Append(pack).Append(content);
        foreach (var table in Tables.Values.OrderBy(table => table.Id.CondemnSequence).ThenBy(table => table.Id.Attempt))
        {
            key.Append('|').Append(table.Id.CondemnSequence).Append('-').Append(table.Id.Attempt);
            foreach (var (place, moved) in table.Places)
                key.Append(' ').Append(place.Pack).Append('.').Append(place.Ordinal).Append('>').Append(moved.Pack).Append('.').Append(moved.Ordinal);
        }

        foreach (var writer in Writers)
            writer.AddTo(key.Append('W'));
        foreach (var collector in Collectors)
            collector.AddTo(key.Append('C'));
        return key.ToString();
    }

    /// <summary>Live snapshots of a log, by the numbers of the model.</summary>
    public static IEnumerable<int> LiveOf(ModelLog log) => log.State.Snapshots.Live.Select(NumberOf).Order();

    public static int NumberOf(Snapshot snapshot) => (int)snapshot.Images[0].Image.LengthBytes;

    public static ImageRef ImageOf(int snapshot) => new(snapshot, 1, default);

    public static SnapshotId IdOf(int snapshot) => new(new Guid(snapshot, 0, 0, new byte[8]));

    /// <summary>A COMMIT as the real code writes it; the manifest is in the configuration, so that logs differ when manifests do.</summary>
    public static byte[] FormatSnapshot(int snapshot, ImmutableArray<ModelRef> manifest) => SnapshotPayload.Format(
        new()
        {
            Id = IdOf(snapshot),
            ItemId = "",
            Images = [new(0, "", ImageOf(snapshot))],
            Configuration = Encoding.ASCII.GetBytes(string.Join(' ', manifest)),
        },
        DateTimeOffset.UnixEpoch);

    /// <summary>Follows relocation tables as a reader does; null when they lead nowhere.</summary>
    public ModelRef? Resolve(ModelRef place, CollectionState state)
    {
        while (state.TableOf(place.Pack) is { } id)
        {
            if (!Tables.TryGetValue(id, out var table) || !table.Places.TryGetValue((place.Pack, place.Ordinal), out var moved))
                return null;
            place = moved;
        }

        return place;
    }

    /// <summary>The first live snapshot that misses a chunk, or null: what the protocol is for.</summary>
    public string? Loss()
    {
        foreach (var snapshot in LiveOf(Log))
        {
            foreach (var place in Manifests[snapshot])
            {
                // A reader looks at the place first: a pack that is swept may still be there.
                if (!Holds(place) && !(Resolve(place, Log.State.Collection) is { } moved && Holds(moved)))
                    return $"snapshot {snapshot} misses '{place.Content}' of pack {place.Pack}";
            }
        }

        return null;
    }

    /// <summary>The first thing in the storage that no live snapshot needs, or null.</summary>
    public string? Garbage()
    {
        var live = Mark(Log, out var needed);
        foreach (var (pack, content) in Packs)
        {
            if (live.LiveIn(pack).Chunks < content.Length)
                return $"pack {pack} holds '{content}', of which {live.LiveIn(pack).Chunks} are needed";
        }

        return Tables.Keys.Where(id => !needed.Contains(id)).Select(id => $"table {id.Name} is not needed").FirstOrDefault();
    }

    /// <summary>Marks what the live snapshots of a log reach, as the collector does, and finds the tables that they need.</summary>
    public LiveMap Mark(ModelLog log, out HashSet<RelocationTableId> needed)
    {
        var live = new LiveMap();
        needed = [];
        foreach (var place in LiveOf(log).SelectMany(snapshot => Manifests[snapshot]))
        {
            for (var at = place; ;)
            {
                live.Mark(at.Pack, at.Ordinal, 1);
                if (log.State.Collection.TableOf(at.Pack) is not { } id || !Tables.TryGetValue(id, out var table)
                    || !table.Places.TryGetValue((at.Pack, at.Ordinal), out var moved))
                    break;
                needed.Add(id);
                at = moved;
            }
        }

        return live;
    }

    private bool Holds(ModelRef place) =>
        Packs.TryGetValue(place.Pack, out var content) && place.Ordinal < content.Length && content[place.Ordinal] == place.Content;
}
