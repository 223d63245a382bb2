using System.IO.Hashing;
using Strongroom.Store.Manifests;
using Strongroom.Store.Packs;

namespace Strongroom.Store.Scrub;

/// <summary>Checks the log's chain, every pack, and that every live snapshot finds all it needs at the place it says.</summary>
internal sealed class Verifier(VaultStore vault, bool readData, IProgress<long>? progress)
{
    private const int ReadLengthBytes = 1 << 20;
    private readonly List<VerifyProblem> problems = [];
    private readonly Dictionary<uint, string> damagedPacks = [];
    private long bytesRead;

    public async Task<VerifyReport> RunAsync(CancellationToken cancellationToken)
    {
        vault.Tree.Clear();
        problems.AddRange(vault.Log.Damage.Select(what => new VerifyProblem(what, [])));
        var snapshots = vault.Snapshots.ToList();
        var packs = vault.PackSet.ToList();
        foreach (var pack in packs)
            await VerifyPackAsync(pack.Content, pack.PackSeq, cancellationToken);
        await VerifySnapshotsAsync(snapshots, cancellationToken);
        return new(snapshots.Count, packs.Count, bytesRead, problems);
    }

    private async Task VerifyPackAsync(PackContent content, uint packSeq, CancellationToken cancellationToken)
    {
        try
        {
            // Not from caches: they would hide what happened on the disk meanwhile.
            vault.Packs.Forget(packSeq);
            var directory = await vault.Packs.GetDirectoryAsync(content, packSeq, cancellationToken);
            if (!readData)
                return;
            await VerifyDigestAsync(content, packSeq, cancellationToken);
            for (var i = 0; i < directory.Length; i++)
            {
                var raw = System.Buffers.ArrayPool<byte>.Shared.Rent(directory[i].RawLengthBytes);
                try
                {
                    await vault.Packs.ReadChunkAsync(
                        content, directory[i].ToSlot(packSeq, i), raw.AsMemory(0, directory[i].RawLengthBytes), cancellationToken);
                }
                finally
                {
                    System.Buffers.ArrayPool<byte>.Shared.Return(raw);
                }
            }
        }
        catch (StoreException failure) when (failure.IsDamage)
        {
            damagedPacks[packSeq] = failure.Message;
        }
    }

    private async Task VerifyDigestAsync(PackContent content, uint packSeq, CancellationToken cancellationToken)
    {
        var name = PackFormat.NameOf(content, packSeq);
        var trailer = await vault.Packs.ReadTrailerAsync(content, packSeq, cancellationToken);
        var length = trailer.DigestedLengthBytes;
        var hash = new XxHash128();
        var buffer = System.Buffers.ArrayPool<byte>.Shared.Rent(ReadLengthBytes);
        try
        {
            for (var offset = 0L; offset < length;)
            {
                var read = await vault.Packs.Backend.ReadAsync(
                    name, offset, buffer.AsMemory(0, (int)Math.Min(ReadLengthBytes, length - offset)), cancellationToken);
                if (read == 0)
                    throw StoreException.Corrupt($"Pack {packSeq:x8} is cut short");
                hash.Append(buffer.AsSpan(0, read));
                offset += read;
                bytesRead += read;
                progress?.Report(bytesRead);
            }
        }
        finally
        {
            System.Buffers.ArrayPool<byte>.Shared.Return(buffer);
        }

        if (!hash.GetHashAndReset().AsSpan().SequenceEqual(trailer.Digest))
            throw StoreException.Corrupt($"Pack {packSeq:x8} does not match its digest");
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
