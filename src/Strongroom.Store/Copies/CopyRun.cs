using System.Collections.Concurrent;
using Strongroom.Store.Blobs;
using Strongroom.Store.Collection;
using Strongroom.Store.Index;
using Strongroom.Store.Keys;
using Strongroom.Store.Packs;
using Strongroom.Store.Scrub;

namespace Strongroom.Store.Copies;

/// <summary>One run of <see cref="VaultCopy"/>.</summary>
internal sealed class CopyRun(IBlobBackend from, IBlobBackend to, CopyOptions options, IProgress<CopyProgress>? progress)
{
    private const int Attempts = 16;
    private const int SmallLengthBytes = 1 << 20;
    private readonly ConcurrentDictionary<string, byte> problems = [];
    private Guid vaultId;
    private int blobsCopied;
    private long bytesCopied;
    private long bytesSettled;
    private int packsPresent;
    private int blobsRemoved;

    public async Task<CopyReport> RunAsync(CancellationToken cancellationToken)
    {
        vaultId = await VaultBirth.ReadAsync(from, cancellationToken);
        await RequireOwnTargetAsync(cancellationToken);
        await to.RemoveLeftoversAsync(cancellationToken);
        await to.SyncAsync("log/", cancellationToken);
        var log = new LogCopy(from, to);
        await log.RequireSameBranchAsync(cancellationToken);
        var head = await CopyPacksAsync(log, cancellationToken);
        await CopyFolderAsync(SegmentFormat.Folder, cancellationToken);
        await CopyKeysAsync(cancellationToken);
        foreach (var problem in await log.CopyAsync(head, Count, cancellationToken))
            problems[problem] = 0;
        await CopyBirthAsync(cancellationToken);

        // From here the target's log says that these are not needed.
        await RemoveExtraAsync(KeyFolder.Prefix, _ => true, cancellationToken, needsAll: true);
        await RemoveExtraAsync(SegmentFormat.Folder, _ => true, cancellationToken);
        if (options.MayRemove is { } mayRemove)
        {
            foreach (var folder in (string[])[PackFormat.FolderOf(PackContent.Data), PackFormat.FolderOf(PackContent.Nodes)])
                await RemoveExtraAsync(folder, name => PackFormat.ParseName(name) is { } pack && mayRemove(pack), cancellationToken);
        }

        return new(blobsCopied, bytesCopied, packsPresent, blobsRemoved, [.. problems.Keys.Order(StringComparer.Ordinal)]);
    }

    /// <summary>A target that is no vault yet may hold the beginning of this copy, but nothing of another vault.</summary>
    private async Task RequireOwnTargetAsync(CancellationToken cancellationToken)
    {
        if (await VaultStore.ExistsAsync(to, cancellationToken))
        {
            if (await VaultBirth.ReadAsync(to, cancellationToken) != vaultId)
                throw NotOwn();
            return;
        }

        await foreach (var key in to.ListAsync(KeyFolder.Prefix, cancellationToken))
        {
            if (!KeyFolder.IsOf(key.Name, vaultId))
                throw NotOwn();
        }

        foreach (var content in (PackContent[])[PackContent.Data, PackContent.Nodes])
        {
            await foreach (var pack in to.ListAsync(PackFormat.FolderOf(content), cancellationToken))
            {
                var header = new byte[PackFormat.HeaderLengthBytes];
                if (await to.ReadAsync(pack.Name, 0, header, cancellationToken) != header.Length || PackFormat.VaultIdOf(header) != vaultId)
                    throw NotOwn();
                break;
            }
        }
    }

    private static StoreException NotOwn() =>
        new(StoreErrorKind.AlreadyExists, "The target of the copy holds another vault. Nothing was changed there; choose an empty place, or the copy of this vault.");

    /// <summary>Copies packs and relocation tables until the target has all that the log up to the returned entry needs.</summary>
    private async Task<long> CopyPacksAsync(LogCopy log, CancellationToken cancellationToken)
    {
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            // The log is looked at first: what it names up to here is durable already. So must the log itself be: what a power cut took from the
            // source afterwards would make another branch of the copy.
            await from.SyncAsync("log/", cancellationToken);
            var head = await log.FindHeadAsync(cancellationToken);
            (bytesSettled, packsPresent) = (0, 0);
            var vanished = 0;
            await CopyFolderAsync(RelocationTableId.Folder, cancellationToken);
            var packs = new List<(PackContent Content, uint PackSeq, BlobInfo Blob)>();
            foreach (var content in (PackContent[])[PackContent.Nodes, PackContent.Data])
            {
                await foreach (var blob in from.ListAsync(PackFormat.FolderOf(content), cancellationToken))
                {
                    if (PackFormat.ParseName(blob.Name) is { } packSeq)
                        packs.Add((content, packSeq, blob));
                }
            }

            var total = packs.Sum(pack => pack.Blob.LengthBytes);
            var present = await ListAsync(to, PackFormat.FolderOf(PackContent.Nodes), cancellationToken);
            foreach (var (name, length) in await ListAsync(to, PackFormat.FolderOf(PackContent.Data), cancellationToken))
                present[name] = length;
            var limits = new ParallelOptions
            {
                MaxDegreeOfParallelism = options.Parallelism,
                CancellationToken = cancellationToken,
                TaskScheduler = TaskScheduler.Current,
            };
            await Parallel.ForEachAsync(packs, limits, async (pack, stop) =>
            {
                if (!await CopyPackAsync(pack.Content, pack.PackSeq, pack.Blob, present, stop))
                    Interlocked.Increment(ref vanished);
                progress?.Report(new(Interlocked.Add(ref bytesSettled, pack.Blob.LengthBytes), total));
            });

            // A collection of the source may have taken what the log needs up to the head that was seen; then there is a later one.
            if (vanished == 0 && !await log.HasSweepSinceAsync(head, cancellationToken))
                return head;
        }

        throw new StoreException(StoreErrorKind.Conflict, "The source of the copy is collected again and again. Copy it when it is less busy.");
    }

    /// <summary>False when the source has the pack no more.</summary>
    private async ValueTask<bool> CopyPackAsync(
        PackContent content, uint packSeq, BlobInfo pack, Dictionary<string, long> present, CancellationToken cancellationToken)
    {
        try
        {
            if (present.TryGetValue(pack.Name, out var length))
            {
                if (length == pack.LengthBytes || await IsWholeAsync(to, content, packSeq, cancellationToken))
                {
                    Interlocked.Increment(ref packsPresent);
                    return true;
                }
            }

            try
            {
                await WritePackAsync(content, packSeq, pack, present, cancellationToken);
            }
            catch (StoreException failure) when (failure.Kind == StoreErrorKind.Corrupt)
            {
                // Memory and cables err, too; a pack is left out only when it is wrong twice.
                await WritePackAsync(content, packSeq, pack, present, cancellationToken);
            }

            return true;
        }
        catch (StoreException failure) when (failure.Kind == StoreErrorKind.NotFound)
        {
            return false;
        }
        catch (StoreException failure) when (failure.Kind == StoreErrorKind.Corrupt)
        {
            problems[failure.What] = 0;
            return true;
        }
    }

    private async Task WritePackAsync(
        PackContent content, uint packSeq, BlobInfo pack, Dictionary<string, long> present, CancellationToken cancellationToken)
    {
        await using var writer = await to.CreateAsync(pack.Name, cancellationToken);
        await PackDigest.CheckAsync(from, content, packSeq, vaultId, data => writer.AppendAsync(data, cancellationToken), cancellationToken);
        if (present.ContainsKey(pack.Name))
            await to.DeleteAsync(pack.Name, cancellationToken);
        if (await writer.CommitAsync(cancellationToken))
            Count(pack.LengthBytes);
        else if (!await IsWholeAsync(to, content, packSeq, cancellationToken))
            throw Meddled();
    }

    private async Task<bool> IsWholeAsync(IBlobBackend backend, PackContent content, uint packSeq, CancellationToken cancellationToken)
    {
        try
        {
            await PackDigest.CheckAsync(backend, content, packSeq, vaultId, null, cancellationToken);
            return true;
        }
        catch (StoreException failure) when (failure.IsDamage)
        {
            return false;
        }
    }

    private static StoreException Meddled() => new(StoreErrorKind.Conflict, "Somebody writes to the target of the copy. Stop that, then copy again.");

    /// <summary>Copies key generations until none was replaced meanwhile: the log names one of those that are there.</summary>
    private async Task CopyKeysAsync(CancellationToken cancellationToken)
    {
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            if (await CopyFolderAsync(KeyFolder.Prefix, cancellationToken))
                return;
        }

        throw new StoreException(StoreErrorKind.Conflict, "The keys of the copy's source change again and again. Copy it when they do not.");
    }

    /// <summary>Copies what the target lacks; false when something vanished meanwhile, which was replaced.</summary>
    private async Task<bool> CopyFolderAsync(string folder, CancellationToken cancellationToken)
    {
        var isWhole = true;
        var present = await ListAsync(to, folder, cancellationToken);
        foreach (var name in (await ListAsync(from, folder, cancellationToken)).Keys.Where(name => !present.ContainsKey(name)))
        {
            try
            {
                if (await BlobCopy.CopyAsync(from, to, name, cancellationToken) is { } length)
                    Count(length);
                else if (await to.GetLengthAsync(name, cancellationToken) is null)
                    throw Meddled();
            }
            catch (StoreException failure) when (failure.Kind == StoreErrorKind.NotFound)
            {
                // Index segments and key generations are replaced, relocation tables dropped.
                isWhole = false;
            }
            catch (StoreException failure) when (failure.Kind == StoreErrorKind.Corrupt)
            {
                problems[failure.What] = 0;
            }
        }

        return isWhole;
    }

    private async Task CopyBirthAsync(CancellationToken cancellationToken)
    {
        var birth = await BlobCopy.ReadTwiceAsync(from, VaultBirth.Name, SmallLengthBytes, cancellationToken)
            ?? throw new StoreException(StoreErrorKind.NotFound, "The source of the copy was removed meanwhile.");
        if (await to.PutIfAbsentAsync(VaultBirth.Name, birth, cancellationToken))
            Count(birth.Length);
        else if (!await VaultStore.ExistsAsync(to, cancellationToken))
            throw Meddled();
    }

    /// <param name="folder">Where.</param>
    /// <param name="mayRemove">What.</param>
    /// <param name="cancellationToken">What was removed is gone.</param>
    /// <param name="needsAll">Nothing goes while the target lacks what took its place: the source may have changed since it was copied.</param>
    private async Task RemoveExtraAsync(string folder, Func<string, bool> mayRemove, CancellationToken cancellationToken, bool needsAll = false)
    {
        var kept = await ListAsync(from, folder, cancellationToken);
        var theirs = await ListAsync(to, folder, cancellationToken);

        // An empty folder in the source is a loss rather than a change.
        if (kept.Count == 0 || (needsAll && !kept.Keys.All(theirs.ContainsKey)))
            return;
        foreach (var name in theirs.Keys.Where(name => !kept.ContainsKey(name) && mayRemove(name)))
        {
            if (await to.DeleteAsync(name, cancellationToken))
                blobsRemoved++;
        }
    }

    private static async Task<Dictionary<string, long>> ListAsync(IBlobBackend backend, string folder, CancellationToken cancellationToken)
    {
        var found = new Dictionary<string, long>(StringComparer.Ordinal);
        await foreach (var blob in backend.ListAsync(folder, cancellationToken))
            found[blob.Name] = blob.LengthBytes;
        return found;
    }

    private void Count(long lengthBytes)
    {
        Interlocked.Increment(ref blobsCopied);
        Interlocked.Add(ref bytesCopied, lengthBytes);
    }
}
