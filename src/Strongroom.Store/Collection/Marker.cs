using System.Collections.Concurrent;
using Strongroom.Store.Log;
using Strongroom.Store.Manifests;

namespace Strongroom.Store.Collection;

/// <summary>Finds what snapshots reach: each node is read once, however many snapshots share it, and nodes are read in parallel. Thread-safe.</summary>
/// <remarks>What was marked before is not looked at again, so marking the snapshots that came since costs only what they brought.</remarks>
internal sealed class Marker(ManifestReader tree, CollectionState state, Relocations relocations, int workers)
{
    private readonly ConcurrentDictionary<RelocationTableId, byte> needed = [];
    private readonly ConcurrentDictionary<(uint PackSeq, ushort Ordinal), Slot> watched = [];
    private long nodes;

    public LiveMap Live { get; } = new();

    /// <summary>Tables that led to something live.</summary>
    public IReadOnlyCollection<RelocationTableId> NeededTables => (IReadOnlyCollection<RelocationTableId>)needed.Keys;

    /// <summary>Packs whose live chunks are remembered one by one.</summary>
    public Func<uint, bool> Watches { get; init; } = static _ => false;

    /// <summary>The live chunks of the packs that are watched, by their places.</summary>
    public IReadOnlyDictionary<(uint PackSeq, ushort Ordinal), Slot> Watched => watched;

    /// <summary>Manifest nodes that were read.</summary>
    public long Nodes => Interlocked.Read(ref nodes);

    /// <exception cref="StoreException">NotFound, Corrupt: a manifest of a live snapshot cannot be read, so nobody knows what is live.</exception>
    public async Task MarkAsync(IEnumerable<Snapshot> snapshots, CancellationToken cancellationToken)
    {
        using var pending = new PendingNodes(workers);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        foreach (var root in snapshots.SelectMany(ManifestPointer.RootsOf))
            await VisitAsync(root, pending, stop.Token);
        pending.Done();
        await Task.WhenAll(Enumerable.Range(0, workers).Select(_ => Workers.StartAsync(() => WorkAsync(pending, stop))));
    }

    private async Task WorkAsync(PendingNodes pending, CancellationTokenSource stop)
    {
        var children = new List<ManifestPointer>();
        try
        {
            while (await pending.TakeAsync(stop.Token) is { } node)
            {
                children.Clear();
                Interlocked.Increment(ref nodes);
                await ManifestWalk.ReadChildrenAsync(tree, node, children, stop.Token);
                foreach (var child in children)
                    await VisitAsync(child, pending, stop.Token);
                pending.Done();
            }
        }
        catch
        {
            await stop.CancelAsync();
            throw;
        }
    }

    private ValueTask VisitAsync(ManifestPointer pointer, PendingNodes pending, CancellationToken cancellationToken)
    {
        var slot = pointer.Slot;
        if (!Live.Mark(slot.PackSeq, slot.Ordinal, slot.StoredLengthBytes))
            return default;
        if (Watches(slot.PackSeq))
            watched[(slot.PackSeq, slot.Ordinal)] = slot;
        if (!pointer.IsData)
            pending.Add(pointer);
        return state.IsRelocated(slot.PackSeq) ? MarkMovedAsync(slot, cancellationToken) : default;
    }

    private async ValueTask MarkMovedAsync(Slot slot, CancellationToken cancellationToken)
    {
        var place = await relocations.ResolveAsync(slot, id => needed.TryAdd(id, 0), cancellationToken);
        Live.Mark(place.PackSeq, place.Ordinal, place.StoredLengthBytes);
        if (Watches(place.PackSeq))
            watched[(place.PackSeq, place.Ordinal)] = place;
    }
}
