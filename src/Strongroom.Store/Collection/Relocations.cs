using System.Collections.Concurrent;
using Strongroom.Store.Keys;
using Strongroom.Store.Log;
using Strongroom.Store.Manifests;
using Strongroom.Store.Packs;

namespace Strongroom.Store.Collection;

/// <summary>Finds chunks of packs that a compaction removed. Thread-safe. Memory: 6 bytes for 204 chunks, and 256 KiB of pages a table.</summary>
internal sealed class Relocations(VaultLog log, IBlobBackend backend, KeyRing ring)
{
    private readonly ConcurrentDictionary<RelocationTableId, RelocationTable> open = [];

    private CollectionState State => log.State.Collection;

    public bool IsRelocated(uint packSeq) => State.IsRelocated(packSeq);

    /// <summary>Reads a chunk where it lies now.</summary>
    /// <param name="slot">Where a manifest says that it lies.</param>
    /// <param name="read">Reads it; called a second time when the pack turned out to be gone.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <exception cref="StoreException">NotFound: the pack is lost, or nothing live needs the chunk any more.</exception>
    public async ValueTask ReadAsync(Slot slot, Func<Slot, CancellationToken, ValueTask> read, CancellationToken cancellationToken)
    {
        var place = State.IsRelocated(slot.PackSeq) ? await ResolveAsync(slot, null, cancellationToken) : slot;
        try
        {
            await read(place, cancellationToken);
        }
        catch (StoreException failure) when (failure.Kind == StoreErrorKind.NotFound)
        {
            // Another process may have moved it since this one looked at the log.
            await log.RefreshAsync(cancellationToken);
            var moved = await ResolveAsync(place, null, cancellationToken);
            if (moved == place)
                throw;
            await read(moved, cancellationToken);
        }
    }

    /// <summary>Where the chunk lies now, as far as the log was read; <paramref name="slot"/> itself when it was not moved.</summary>
    /// <param name="slot">Where a manifest says that it lies.</param>
    /// <param name="passed">Takes the tables that led there, when it is given. Called from this call only.</param>
    /// <param name="cancellationToken">Ends the search.</param>
    /// <exception cref="StoreException">NotFound: its pack was removed, and nothing live pointed to it.</exception>
    public async ValueTask<Slot> ResolveAsync(Slot slot, Action<RelocationTableId>? passed, CancellationToken cancellationToken)
    {
        for (var last = 0L; State.IsSwept(slot.PackSeq);)
        {
            if (State.TableOf(slot.PackSeq) is not { } id || await (await OpenAsync(id, cancellationToken)).FindAsync(slot.PackSeq, slot.Ordinal, cancellationToken) is not { } found)
            {
                throw new StoreException(
                    StoreErrorKind.NotFound, $"Pack {slot.PackSeq:x8} was removed, because no recovery point needed it any more. List the recovery points again.");
            }

            // What was moved lies in a pack that was swept later, if at all: so the way ends.
            if (id.CondemnSequence <= last)
                throw StoreException.Corrupt($"The relocation table {id.Name} leads in a circle");
            passed?.Invoke(id);
            last = id.CondemnSequence;
            slot = found.ApplyTo(slot);
        }

        return slot;
    }

    public async ValueTask<RelocationTable> OpenAsync(RelocationTableId id, CancellationToken cancellationToken)
    {
        if (open.TryGetValue(id, out var table))
            return table;
        return open.GetOrAdd(id, await RelocationTable.OpenAsync(backend, ring, id, cancellationToken));
    }

    /// <summary>Packs of which something was moved to one of <paramref name="packs"/>, be it in several steps. A table that cannot be read counts with all its packs.</summary>
    public async Task<HashSet<uint>> FindMovedToAsync(PackRangeSet packs, CancellationToken cancellationToken)
    {
        var found = new HashSet<uint>();
        if (packs.IsEmpty)
            return found;

        // What was moved lies in packs that were swept later, if at all: so the newest table comes first.
        foreach (var (id, replaced) in State.Tables.OrderByDescending(table => table.Key.CondemnSequence))
        {
            try
            {
                await foreach (var record in (await OpenAsync(id, cancellationToken)).ReadAllAsync(cancellationToken))
                {
                    if (packs.Contains(record.To) || found.Contains(record.To))
                        found.Add(record.From);
                }
            }
            catch (StoreException failure) when (failure.IsDamage)
            {
                found.UnionWith(replaced.Numbers);
            }
        }

        return found;
    }

    /// <summary>Forgets tables that are in force no more.</summary>
    public void Forget()
    {
        foreach (var id in open.Keys.Where(id => !State.Tables.ContainsKey(id)))
            open.TryRemove(id, out _);
    }
}
