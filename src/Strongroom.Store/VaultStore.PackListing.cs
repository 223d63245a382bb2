using System.Collections.Concurrent;
using Strongroom.Store.Blobs;
using Strongroom.Store.Packs;

namespace Strongroom.Store;

/// <summary>How a vault learns which packs are there.</summary>
public sealed partial class VaultStore
{
    /// <summary>So many numbers are asked for one by one, and one more for each <see cref="PacksPerProbe"/> packs that a listing would go through.</summary>
    private const int LeastProbes = 16;
    private const int PacksPerProbe = 128;
    private const int ProbesAtOnce = 16;
    private static readonly PackContent[] Contents = [PackContent.Nodes, PackContent.Data];

    /// <summary>Lists the packs in the storage, and learns those of other processes. What a SWEEP took is not among them.</summary>
    internal async Task<IReadOnlyList<PackInfo>> RefreshPacksAsync(CancellationToken cancellationToken)
    {
        await listing.WaitAsync(cancellationToken);
        try
        {
            return await ListPacksAsync(cancellationToken);
        }
        finally
        {
            listing.Release();
        }
    }

    /// <summary>Learns the packs that other processes have written since the last look. What it costs depends on what they wrote, and not on what the vault holds.</summary>
    private async Task LearnPacksAsync(CancellationToken cancellationToken)
    {
        await listing.WaitAsync(cancellationToken);
        try
        {
            // Before the numbers: what is reserved or committed later is looked at the next time.
            var (head, time) = (Log.Head, Log.State.LastTime);
            if (head <= Volatile.Read(ref listedAt))
                return;
            var budget = LeastProbes + (PackSet.Count / PacksPerProbe);
            var numbers = Log.State.PackNumbers.ReservedByWritersHeardSince(listedTime, Log.WriterId).Numbers
                .Where(pack => PackSet.Find(pack) is null && !Log.State.Collection.IsSwept(pack))
                .Take(budget + 1)
                .ToList();

            // What cannot be read may have reserved any number.
            if (numbers.Count > budget || Log.Unreadable > 0)
            {
                await ListPacksAsync(cancellationToken);
                return;
            }

            var found = new ConcurrentBag<PackInfo>();
            await Parallel.ForEachAsync(
                numbers.SelectMany(pack => Contents.Select(content => (Pack: pack, Content: content))),
                new ParallelOptions { MaxDegreeOfParallelism = ProbesAtOnce, CancellationToken = cancellationToken, TaskScheduler = TaskScheduler.Current },
                async (one, token) =>
                {
                    if (await BlobCopy.FindLengthBytesAsync(Packs.Backend, PackFormat.NameOf(one.Content, one.Pack), token) is { } length)
                        found.Add(new(one.Pack, one.Content, length));
                });
            await TakePacksAsync([.. found.OrderBy(pack => pack.PackSeq)], head, time, cancellationToken);
        }
        finally
        {
            listing.Release();
        }
    }

    private async Task<List<PackInfo>> ListPacksAsync(CancellationToken cancellationToken)
    {
        var (head, time) = (Log.Head, Log.State.LastTime);
        var found = new List<PackInfo>();
        foreach (var content in Contents)
        {
            await foreach (var blob in Packs.Backend.ListAsync(PackFormat.FolderOf(content), cancellationToken))
            {
                if (PackFormat.ParseName(blob.Name) is { } packSeq && !Log.State.Collection.IsSwept(packSeq))
                    found.Add(new(packSeq, content, blob.LengthBytes));
            }
        }

        await TakePacksAsync(found, head, time, cancellationToken);
        return found;
    }

    private async Task TakePacksAsync(List<PackInfo> found, long head, DateTimeOffset time, CancellationToken cancellationToken)
    {
        var added = found.Where(pack => PackSet.Find(pack.PackSeq) is null).ToList();

        // A writer that was killed may have left packs that are there, but would not be after a power cut: nothing may rely on them yet.
        foreach (var content in Contents)
            await PackFolders.SyncAsync(Packs.Backend, content, added.Where(pack => pack.Content == content).Select(pack => pack.PackSeq), cancellationToken);

        // All of them first: segments may merge while directories are loaded, and drop what is not of a known pack.
        foreach (var pack in added)
            PackSet.Add(pack.Content, pack.PackSeq, pack.LengthBytes);
        foreach (var pack in added.Where(pack => pack.Content == PackContent.Data && !covered.Contains(pack.PackSeq)))
            await LoadDirectoryAsync(pack.PackSeq, cancellationToken);

        foreach (var pack in PackSet.ToList().Where(pack => Log.State.Collection.IsSwept(pack.PackSeq)))
            PackSet.Remove(pack.PackSeq);
        listedTime = time;
        Volatile.Write(ref listedAt, head);
    }
}
