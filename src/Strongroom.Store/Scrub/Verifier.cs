using System.Collections.Concurrent;
using Strongroom.Store.Manifests;
using Strongroom.Store.Packs;

namespace Strongroom.Store.Scrub;

/// <summary>Checks the log's chain, every pack, and that every live snapshot finds all it needs at the place it says.</summary>
internal sealed class Verifier(VaultStore vault, bool readData, IProgress<long>? progress)
{
    private readonly List<VerifyProblem> problems = [];
    private readonly ConcurrentDictionary<uint, string> damagedPacks = [];
    private readonly HashSet<uint> present = [];
    private readonly HashSet<(uint PackSeq, ushort Ordinal, ManifestKind Kind, int Level)> sound = [];
    private long bytesRead;

    /// <summary>What is known of packs in quarantine, for their problems' texts; others get a text of ours.</summary>
    public IReadOnlyDictionary<uint, string> Known { get; init; } = new Dictionary<uint, string>();

    /// <summary>Manifest nodes that were read; those of which all is sound once, however many snapshots share them. Memory: about 30 bytes a node.</summary>
    public long Nodes { get; private set; }

    public async Task<VerifyReport> RunAsync(CancellationToken cancellationToken)
    {
        vault.Manifests.Clear();
        await vault.Log.RefreshAsync(cancellationToken);
        problems.AddRange(vault.Log.Damage.Select(what => new VerifyProblem(what, [])));
        var snapshots = vault.Log.State.Snapshots.AllLive.ToList();
        var packs = await vault.RefreshPacksAsync(cancellationToken);
        present.UnionWith(packs.Select(pack => pack.PackSeq));
        var limits = new ParallelOptions
        {
            MaxDegreeOfParallelism = vault.Options.Workers,
            CancellationToken = cancellationToken,
            TaskScheduler = TaskScheduler.Current,
        };
        await Parallel.ForEachAsync(packs, limits, (pack, stop) => VerifyPackAsync(pack.Content, pack.PackSeq, stop));
        AddQuarantined();
        await VerifyTablesAsync(cancellationToken);
        await VerifySnapshotsAsync(snapshots, cancellationToken);
        return new(snapshots.Count, packs.Count, bytesRead, problems);
    }

    private async ValueTask VerifyPackAsync(PackContent content, uint packSeq, CancellationToken cancellationToken)
    {
        try
        {
            var read = await new PackCheck(vault.Packs, content, packSeq).RunAsync(readData, cancellationToken);
            var total = Interlocked.Add(ref bytesRead, read);
            progress?.Report(total);
        }
        catch (StoreException failure) when (failure.IsDamage)
        {
            // A collection may have removed it meanwhile, in this process or another.
            await vault.Log.RefreshAsync(cancellationToken);
            if (!vault.Log.State.Collection.IsSwept(packSeq))
                damagedPacks[packSeq] = failure.What;
        }
    }

    /// <summary>Damage that a scrub found is damage, though the manifests and directories do not show it; only every chunk that was read now speaks against it.</summary>
    private void AddQuarantined()
    {
        foreach (var pack in vault.Log.State.Quarantine.Packs.Numbers)
        {
            if (vault.Log.State.Collection.IsSwept(pack))
                continue;
            if (Known.TryGetValue(pack, out var what))
                damagedPacks[pack] = what;
            else if (!present.Contains(pack))
                damagedPacks[pack] = $"Pack {pack:x8} is missing";
            else if (!readData)
                damagedPacks.TryAdd(pack, $"Pack {pack:x8} is in quarantine, because a scrub found it damaged");
        }
    }

    private async Task VerifySnapshotsAsync(List<Snapshot> snapshots, CancellationToken cancellationToken)
    {
        var touched = new Dictionary<string, HashSet<SnapshotId>>();
        foreach (var message in damagedPacks.Values)
            touched.TryAdd(message, []);
        foreach (var snapshot in snapshots)
        {
            // One that was purged meanwhile may have lost everything, and nobody misses it.
            if (!vault.Log.State.Snapshots.IsLive(snapshot.Id))
                continue;
            foreach (var root in ManifestPointer.RootsOf(snapshot))
            {
                try
                {
                    await VerifyManifestAsync(snapshot, root, touched, cancellationToken);
                }
                catch (StoreException failure) when (failure.IsDamage)
                {
                    Touch(touched, failure.What, snapshot);
                }
            }
        }

        foreach (var (what, ids) in touched)
        {
            var isOfSnapshots = ids.Count > 0;
            ids.RemoveWhere(id => !vault.Log.State.Snapshots.IsLive(id));
            if (ids.Count > 0 || !isOfSnapshots)
                problems.Add(new(what, ids));
        }
    }

    private async Task VerifyManifestAsync(
        Snapshot snapshot, ManifestPointer root, Dictionary<string, HashSet<SnapshotId>> touched, CancellationToken cancellationToken)
    {
        // What is wrong counts for every snapshot that uses it, so only what is sound is passed over the next time.
        var unsound = new HashSet<(uint PackSeq, ushort Ordinal, ManifestKind Kind, int Level)>();
        var path = new Stack<Visit>();
        var isSound = await IsSoundAsync(snapshot, root, touched, cancellationToken);
        if (!root.IsData && !sound.Contains(KeyOf(root)))
            path.Push(await EnterAsync(root, isSound, cancellationToken));
        while (path.TryPeek(out var visit))
        {
            if (visit.Next < visit.Children.Count)
            {
                var child = visit.Children[visit.Next++];
                isSound = await IsSoundAsync(snapshot, child, touched, cancellationToken);
                if (child.IsData || sound.Contains(KeyOf(child)) || unsound.Contains(KeyOf(child)))
                    visit.IsSound &= isSound && (child.IsData || !unsound.Contains(KeyOf(child)));
                else
                    path.Push(await EnterAsync(child, isSound, cancellationToken));
                continue;
            }

            path.Pop();
            (visit.IsSound ? sound : unsound).Add(KeyOf(visit.Node));
            if (path.TryPeek(out var parent))
                parent.IsSound &= visit.IsSound;
        }
    }

    private async ValueTask<Visit> EnterAsync(ManifestPointer node, bool isSound, CancellationToken cancellationToken)
    {
        var visit = new Visit(node) { IsSound = isSound };
        Nodes++;
        await ManifestWalk.ReadChildrenAsync(vault.Manifests, node, visit.Children, cancellationToken);
        visit.Children.RemoveAll(child => child.Slot.IsHole);
        return visit;
    }

    private async ValueTask<bool> IsSoundAsync(
        Snapshot snapshot, ManifestPointer pointer, Dictionary<string, HashSet<SnapshotId>> touched, CancellationToken cancellationToken)
    {
        // The flags of a slot that points to a node are the node's, and no directory knows them.
        var slot = pointer.IsData ? pointer.Slot : pointer.Slot.Chunk;
        if (await FindProblemAsync(pointer.Content, slot, cancellationToken) is null)
            return true;

        // Another process may have moved it since the log was read.
        await vault.Log.RefreshAsync(cancellationToken);
        if (await FindProblemAsync(pointer.Content, slot, cancellationToken) is not { } problem)
            return true;
        Touch(touched, problem, snapshot);
        return false;
    }

    private async ValueTask<string?> FindProblemAsync(PackContent content, Slot slot, CancellationToken cancellationToken)
    {
        try
        {
            slot = await vault.Packs.ResolveAsync(slot, cancellationToken);
            if (damagedPacks.TryGetValue(slot.PackSeq, out var message))
                return message;
            if (present.Add(slot.PackSeq))
                vault.Packs.Forget(slot.PackSeq);
            var directory = await vault.Packs.GetDirectoryAsync(content, slot.PackSeq, cancellationToken);
            return slot.Ordinal < directory.Length && directory[slot.Ordinal].ToSlot(slot.PackSeq, slot.Ordinal) == slot
                ? null
                : $"A manifest points to a place in pack {slot.PackSeq:x8} that holds something else";
        }
        catch (StoreException failure) when (failure.Kind == StoreErrorKind.NotFound)
        {
            present.Remove(slot.PackSeq);
            return $"Pack {slot.PackSeq:x8} is missing";
        }
    }

    /// <summary>A damaged table costs the chunks that it leads to: the snapshots that need them are found by their manifests.</summary>
    private async Task VerifyTablesAsync(CancellationToken cancellationToken)
    {
        foreach (var id in vault.Log.State.Collection.TablesInOrder)
        {
            try
            {
                await (await vault.Relocations.OpenAsync(id, cancellationToken)).VerifyAsync(cancellationToken);
            }
            catch (StoreException failure) when (failure.IsDamage)
            {
                if (vault.Log.State.Collection.Tables.ContainsKey(id))
                    problems.Add(new(failure.What, []));
            }
        }
    }

    private static void Touch(Dictionary<string, HashSet<SnapshotId>> touched, string what, Snapshot snapshot)
    {
        if (!touched.TryGetValue(what, out var ids))
            touched[what] = ids = [];
        ids.Add(snapshot.Id);
    }

    private static (uint PackSeq, ushort Ordinal, ManifestKind Kind, int Level) KeyOf(ManifestPointer node) =>
        (node.Slot.PackSeq, node.Slot.Ordinal, node.Kind, node.Level);

    private sealed class Visit(ManifestPointer node)
    {
        public ManifestPointer Node => node;

        public bool IsSound { get; set; }

        public List<ManifestPointer> Children { get; } = [];

        public int Next { get; set; }
    }
}
