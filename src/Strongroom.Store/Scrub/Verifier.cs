using System.Security.Cryptography;
using Strongroom.Store.Images;
using Strongroom.Store.Manifests;
using Strongroom.Store.Packs;

namespace Strongroom.Store.Scrub;

/// <summary>Checks the log's chain, every pack, and that every live snapshot finds all it needs at the place it says.</summary>
internal sealed class Verifier(VaultStore vault, bool readData, IProgress<long>? progress)
{
    private const int ReadLengthBytes = 1 << 20;
    private readonly List<VerifyProblem> problems = [];
    private readonly Dictionary<uint, string> damagedPacks = [];
    private readonly HashSet<uint> present = [];
    private long bytesRead;

    public async Task<VerifyReport> RunAsync(CancellationToken cancellationToken)
    {
        vault.Tree.Clear();
        problems.AddRange(vault.Log.Damage.Select(what => new VerifyProblem(what, [])));
        await vault.Log.RefreshAsync(cancellationToken);
        var snapshots = vault.Snapshots.ToList();
        var packs = await vault.RefreshPacksAsync(cancellationToken);
        present.UnionWith(packs.Select(pack => pack.PackSeq));
        foreach (var pack in packs)
            await VerifyPackAsync(pack.Content, pack.PackSeq, cancellationToken);
        await VerifyTablesAsync(cancellationToken);
        await VerifySnapshotsAsync(snapshots, cancellationToken);
        return new(snapshots.Count, packs.Count, bytesRead, problems);
    }

    private async Task VerifyPackAsync(PackContent content, uint packSeq, CancellationToken cancellationToken)
    {
        try
        {
            // Not from caches here and where a pack was not listed: they would hide what happened on the disk meanwhile.
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
            // A collection may have removed it meanwhile, in this process or another.
            await vault.Log.RefreshAsync(cancellationToken);
            if (!vault.Log.State.Collection.IsSwept(packSeq))
                damagedPacks[packSeq] = failure.Message;
        }
    }

    private async Task VerifyDigestAsync(PackContent content, uint packSeq, CancellationToken cancellationToken)
    {
        var name = PackFormat.NameOf(content, packSeq);
        var trailer = await vault.Packs.ReadTrailerAsync(content, packSeq, cancellationToken);
        var length = trailer.DirectoryOffsetBytes + (long)trailer.DirectoryLengthBytes + 24;
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = System.Buffers.ArrayPool<byte>.Shared.Rent(ReadLengthBytes);
        try
        {
            for (var offset = 0L; offset < length;)
            {
                var read = await vault.Packs.Backend.ReadAsync(
                    name, offset, buffer.AsMemory(0, (int)Math.Min(ReadLengthBytes, length - offset)), cancellationToken);
                if (read == 0)
                    throw StoreException.Corrupt($"Pack {packSeq:x8} is cut short");
                hash.AppendData(buffer.AsSpan(0, read));
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
            throw StoreException.Corrupt($"Pack {packSeq:x8} does not match its SHA-256");
    }

    private async Task VerifySnapshotsAsync(List<Snapshot> snapshots, CancellationToken cancellationToken)
    {
        var touched = new Dictionary<string, HashSet<SnapshotId>>();
        foreach (var message in damagedPacks.Values)
            touched.TryAdd(message, []);
        foreach (var snapshot in snapshots)
        {
            // One that was deleted meanwhile may have lost everything, and nobody misses it.
            if (vault.Find(snapshot.Id) is null)
                continue;
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

        foreach (var (what, ids) in touched)
        {
            var isOfSnapshots = ids.Count > 0;
            ids.RemoveWhere(id => vault.Find(id) is null);
            if (ids.Count > 0 || !isOfSnapshots)
                problems.Add(new(what, ids));
        }
    }

    private async Task VerifyManifestAsync(
        Snapshot snapshot, ManifestPointer root, Dictionary<string, HashSet<SnapshotId>> touched, CancellationToken cancellationToken)
    {
        // A walk of its own for each root: a shared node that is damaged must count for every snapshot that uses it.
        var walk = new ManifestWalk(vault.Tree);
        await foreach (var pointer in walk.VisitAsync(root, cancellationToken))
        {
            // The flags of a slot that points to a node are the node's, and no directory knows them.
            var slot = pointer.IsData ? pointer.Slot : pointer.Slot with { Flags = 0 };
            if (await FindProblemAsync(pointer.Content, slot, cancellationToken) is null)
                continue;

            // Another process may have moved it since the log was read.
            await vault.Log.RefreshAsync(cancellationToken);
            if (await FindProblemAsync(pointer.Content, slot, cancellationToken) is { } problem)
                Touch(touched, problem, snapshot);
        }
    }

    private async ValueTask<string?> FindProblemAsync(PackContent content, Slot slot, CancellationToken cancellationToken)
    {
        try
        {
            slot = await vault.Packs.ResolveAsync(slot, cancellationToken);
            if (damagedPacks.TryGetValue(slot.PackSeq, out var message))
                return message;
            PackReader.RequireWhole(slot);
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
        foreach (var id in vault.Log.State.Collection.Tables.Keys)
        {
            try
            {
                await (await vault.Relocations.OpenAsync(id, cancellationToken)).VerifyAsync(cancellationToken);
            }
            catch (StoreException failure) when (failure.IsDamage)
            {
                if (vault.Log.State.Collection.Tables.ContainsKey(id))
                    problems.Add(new(failure.Message, []));
            }
        }
    }

    private static void Touch(Dictionary<string, HashSet<SnapshotId>> touched, string what, Snapshot snapshot)
    {
        if (!touched.TryGetValue(what, out var ids))
            touched[what] = ids = [];
        ids.Add(snapshot.Id);
    }
}
