using System.Collections.Concurrent;
using Strongroom.Store.Manifests;
using Strongroom.Store.Packs;

namespace Strongroom.Store.Scrub;

/// <summary>Checks the log's chain, every pack, and that every live snapshot finds all it needs at the place it says.</summary>
internal sealed class Verifier(VaultStore vault, bool readData, IProgress<long>? progress)
{
    private readonly List<VerifyProblem> problems = [];
    private readonly ConcurrentDictionary<uint, string> damagedPacks = [];
    private long bytesRead;

    public async Task<VerifyReport> RunAsync(CancellationToken cancellationToken)
    {
        vault.Tree.Clear();
        problems.AddRange(vault.Log.Damage.Select(what => new VerifyProblem(what, [])));
        var snapshots = vault.Log.State.Snapshots.AllLive.ToList();
        var packs = vault.PackSet.ToList();
        var limits = new ParallelOptions { MaxDegreeOfParallelism = vault.Options.Workers, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(packs, limits, (pack, stop) => VerifyPackAsync(pack.Content, pack.PackSeq, stop));
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
            damagedPacks[packSeq] = failure.Message;
        }
    }

    private async Task VerifySnapshotsAsync(List<Snapshot> snapshots, CancellationToken cancellationToken)
    {
        var touched = new Dictionary<string, HashSet<SnapshotId>>();
        foreach (var message in damagedPacks.Values)
            touched.TryAdd(message, []);
        foreach (var snapshot in snapshots)
        {
            foreach (var root in ManifestPointer.RootsOf(snapshot))
            {
                try
                {
                    await VerifyManifestAsync(snapshot, root, touched, cancellationToken);
                }
                catch (StoreException failure) when (failure.IsDamage)
                {
                    Touch(touched, failure.Message, snapshot);
                }
            }
        }

        problems.AddRange(touched.Select(problem => new VerifyProblem(problem.Key, problem.Value)));
    }

    private async Task VerifyManifestAsync(
        Snapshot snapshot, ManifestPointer root, Dictionary<string, HashSet<SnapshotId>> touched, CancellationToken cancellationToken)
    {
        // A walk of its own for each root: a shared node that is damaged must count for every snapshot that uses it.
        var walk = new ManifestWalk(vault.Tree);
        await foreach (var pointer in walk.VisitAsync(root, cancellationToken))
        {
            // The flags of a slot that points to a node are the node's, and no directory knows them.
            var content = pointer.Content;
            var slot = pointer.IsData ? pointer.Slot : pointer.Slot with { Flags = 0 };
            if (damagedPacks.TryGetValue(slot.PackSeq, out var message))
            {
                Touch(touched, message, snapshot);
                continue;
            }

            if (!vault.PackSet.Contains(content, slot.PackSeq))
            {
                Touch(touched, $"Pack {slot.PackSeq:x8} is missing", snapshot);
                continue;
            }

            var directory = await vault.Packs.GetDirectoryAsync(content, slot.PackSeq, cancellationToken);
            if (slot.Ordinal >= directory.Length || directory[slot.Ordinal].ToSlot(slot.PackSeq, slot.Ordinal) != slot)
                Touch(touched, $"A manifest points to a place in pack {slot.PackSeq:x8} that holds something else", snapshot);
        }
    }

    private static void Touch(Dictionary<string, HashSet<SnapshotId>> touched, string what, Snapshot snapshot)
    {
        if (!touched.TryGetValue(what, out var ids))
            touched[what] = ids = [];
        ids.Add(snapshot.Id);
    }
}
