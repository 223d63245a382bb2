using System.Globalization;
using Strongroom.Store.Collection;
using Strongroom.Store.Governance;
using Strongroom.Store.Log;
using Strongroom.Store.Packs;

namespace Strongroom.Store.Retention;

/// <summary>A blob that locked snapshots need, and until when.</summary>
internal readonly record struct RetainedBlob(string Name, uint? PackSeq, DateTimeOffset Until);

/// <summary>Works out what locked snapshots need: packs, relocation tables, log entries, keys and the vault's birth certificate.</summary>
internal sealed class RetentionPlan(VaultStore vault, RetentionOptions options, DateTimeOffset now)
{
    private readonly List<RetainedBlob> blobs = [];
    private readonly List<string> problems = [];

    public IReadOnlyList<RetainedBlob> Blobs => blobs;

    public IReadOnlyList<string> Problems => problems;

    /// <summary>The latest end; null when no snapshot is locked.</summary>
    public DateTimeOffset? Until { get; private set; }

    private VaultState State => vault.Log.State;

    /// <param name="packs">The packs in the storage, listed after the log was read.</param>
    /// <param name="mayBeStale">True while a manifest that cannot be read may be a collection's doing: fails then, instead of reporting it.</param>
    /// <param name="cancellationToken">Nothing was changed.</param>
    public async Task DecideAsync(IReadOnlyList<PackInfo> packs, bool mayBeStale, CancellationToken cancellationToken)
    {
        // The longest first: what is marked then is settled, and each manifest node is read once, however many snapshots share it.
        var groups = State.Snapshots.AllLive.GroupBy(UntilOf).Where(group => group.Key is not null).OrderByDescending(group => group.Key).ToList();
        if (groups.Count == 0)
            return;
        Until = groups[0].Key;
        AddFoundations(Until!.Value);
        var marker = new Marker(vault.Manifests, State.Collection, vault.Relocations, vault.Options.Workers);
        var rest = packs.ToList();
        var tables = new HashSet<RelocationTableId>();
        foreach (var group in groups)
        {
            var until = group.Key!.Value;
            Predicate<PackInfo> isNeeded = pack => marker.Live.LiveIn(pack.PackSeq).Chunks > 0;
            try
            {
                await marker.MarkAsync(group, cancellationToken);
            }
            catch (StoreException failure) when (failure.IsDamage && !mayBeStale)
            {
                // Nobody knows what the rest of them needs, so everything stays as long as they do.
                problems.Add($"a manifest of {group.Count()} snapshots that are locked until {Text(until)} or less cannot be read, so every pack is retained: {failure.What}");
                isNeeded = _ => true;
                tables.UnionWith(State.Collection.Tables.Keys);
            }

            blobs.AddRange(rest.Where(pack => isNeeded(pack)).Select(pack => new RetainedBlob(PackFormat.NameOf(pack.Content, pack.PackSeq), pack.PackSeq, until)));
            rest.RemoveAll(isNeeded);
            tables.UnionWith(marker.NeededTables);
            if (rest.Count == 0)
                break;
        }

        blobs.AddRange(tables.OrderBy(table => table.CondemnSequence).Select(table => new RetainedBlob(table.Name, null, Until.Value)));
    }

    /// <summary>The end of retention that a snapshot needs, or null: what keeps it, at most so far ahead, at the end of a generation.</summary>
    private DateTimeOffset? UntilOf(Snapshot snapshot)
    {
        var until = SnapshotRules.KeptUntil(snapshot, State.Policy.Current);
        until = Later(until, State.Snapshots.FindSoftDeleted(snapshot.Id)?.DeleteAfter);
        until = Later(until, snapshot.HasLegalHold ? now.AddDays(options.HoldDaysAhead) : null);
        if (until is not { } end || end <= now)
            return null;
        var cap = now.AddDays(options.GreatestDaysAhead);
        var generation = TimeSpan.FromDays(options.GenerationDays).Ticks;
        var ticks = (end < cap ? end : cap).UtcTicks - DateTimeOffset.UnixEpoch.Ticks;
        return DateTimeOffset.UnixEpoch.AddTicks((ticks + generation - 1) / generation * generation);
    }

    /// <summary>Without these nothing opens: opening reads the newest checkpoint, what follows it, and the commits of all snapshots.</summary>
    private void AddFoundations(DateTimeOffset until)
    {
        blobs.Add(new(VaultBirth.Name, null, until));
        blobs.Add(new(vault.Keys.BlobName, null, until));
        var first = Math.Max(vault.Log.LastCheckpoint, 1);
        var commits = State.Snapshots.AllLive.Select(snapshot => snapshot.LogSequence).Where(sequence => sequence < first);
        var sequences = commits.Concat(Enumerable.Range(0, (int)(vault.Log.Head - first + 1)).Select(index => first + index));
        blobs.AddRange(sequences.Select(sequence => new RetainedBlob(LogEntry.NameOf(sequence), null, until)));
    }

    private static DateTimeOffset? Later(DateTimeOffset? one, DateTimeOffset? other) => one is null || other > one ? other ?? one : one;

    private static string Text(DateTimeOffset time) => time.ToUniversalTime().ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
}
