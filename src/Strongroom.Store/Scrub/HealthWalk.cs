using Strongroom.Store.Manifests;
using Strongroom.Store.Packs;

namespace Strongroom.Store.Scrub;

/// <summary>What is known of snapshots from what is known of packs: of all that a snapshot needs, the worst. Each node is read once, however many snapshots share it. Not for concurrent use.</summary>
/// <remarks>Memory: about 60 bytes a node.</remarks>
internal sealed class HealthWalk(VaultStore vault, IReadOnlyDictionary<uint, LedgerLine> ledger)
{
    private const long Never = 0;
    private readonly Dictionary<(uint PackSeq, ushort Ordinal, ManifestKind Kind, int Level), Health> known = [];
    private readonly Dictionary<uint, PackContent> missing = [];

    /// <summary>Packs that a snapshot needs and that are not there.</summary>
    public IReadOnlyDictionary<uint, PackContent> Missing => missing;

    public async Task<List<SnapshotHealth>> RunAsync(IEnumerable<Snapshot> snapshots, CancellationToken cancellationToken)
    {
        var found = new List<SnapshotHealth>();
        foreach (var snapshot in snapshots)
        {
            var health = Health.Best;
            foreach (var root in ManifestPointer.RootsOf(snapshot))
                health = health.Or(await OfAsync(root, cancellationToken));
            found.Add(new(snapshot.Id, health.IsDamaged, health.Oldest is Never or long.MaxValue ? null : DateTimeOffset.FromUnixTimeMilliseconds(health.Oldest)));
        }

        return found;
    }

    private async Task<Health> OfAsync(ManifestPointer root, CancellationToken cancellationToken)
    {
        if (root.IsData)
            return await OfPackAsync(root, cancellationToken);
        if (known.TryGetValue(KeyOf(root), out var before))
            return before;
        var path = new Stack<Visit>();
        path.Push(await EnterAsync(root, cancellationToken));
        while (true)
        {
            var visit = path.Peek();
            if (visit.Next < visit.Children.Count)
            {
                var child = visit.Children[visit.Next++];
                if (child.IsData)
                    visit.Health = visit.Health.Or(await OfPackAsync(child, cancellationToken));
                else if (known.TryGetValue(KeyOf(child), out var health))
                    visit.Health = visit.Health.Or(health);
                else
                    path.Push(await EnterAsync(child, cancellationToken));
                continue;
            }

            path.Pop();
            known[KeyOf(visit.Node)] = visit.Health;
            if (!path.TryPeek(out var parent))
                return visit.Health;
            parent.Health = parent.Health.Or(visit.Health);
        }
    }

    private async ValueTask<Visit> EnterAsync(ManifestPointer node, CancellationToken cancellationToken)
    {
        var visit = new Visit(node, await OfPackAsync(node, cancellationToken));

        // A manifest that leads back to itself is not followed for ever.
        known[KeyOf(node)] = visit.Health;
        try
        {
            await ManifestWalk.ReadChildrenAsync(vault.Manifests, node, visit.Children, cancellationToken);
        }
        catch (StoreException failure) when (failure.IsDamage)
        {
            visit.Health = visit.Health with { IsDamaged = true };
        }

        return visit;
    }

    private async ValueTask<Health> OfPackAsync(ManifestPointer pointer, CancellationToken cancellationToken)
    {
        var pack = pointer.Slot.PackSeq;
        if (vault.Log.State.Collection.IsSwept(pack))
        {
            try
            {
                pack = (await vault.Packs.ResolveAsync(pointer.Slot, cancellationToken)).PackSeq;
            }
            catch (StoreException failure) when (failure.IsDamage)
            {
                return new(true, Never);
            }
        }

        var isThere = vault.PackSet.Contains(pointer.Content, pack);
        if (!isThere && !vault.Log.State.Collection.IsSwept(pack))
            missing[pack] = pointer.Content;
        var line = ledger.GetValueOrDefault(pack);
        return new(!isThere || vault.Log.State.Quarantine.Contains(pack), line.IsDamaged ? Never : line.DigestAt);
    }

    private static (uint PackSeq, ushort Ordinal, ManifestKind Kind, int Level) KeyOf(ManifestPointer node) =>
        (node.Slot.PackSeq, node.Slot.Ordinal, node.Kind, node.Level);

    private readonly record struct Health(bool IsDamaged, long Oldest)
    {
        public static Health Best => new(false, long.MaxValue);

        public Health Or(Health other) => new(IsDamaged || other.IsDamaged, Math.Min(Oldest, other.Oldest));
    }

    private sealed class Visit(ManifestPointer node, Health health)
    {
        public ManifestPointer Node => node;

        public Health Health { get; set; } = health;

        public List<ManifestPointer> Children { get; } = [];

        public int Next { get; set; }
    }
}
