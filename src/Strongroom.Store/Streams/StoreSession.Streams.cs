using Strongroom.Store.Packs;
using Strongroom.Store.Streams;

namespace Strongroom.Store;

public sealed partial class StoreSession
{
    private readonly Lazy<ChunkPump> pump;
    private readonly Lazy<ulong[]> gear;

    /// <summary>Stores a string of bytes of any length, read to its end. What the vault holds already takes no room, wherever it lies in the stream.</summary>
    /// <param name="source">Read once, in order, not disposed. Its exceptions pass through and fail the session.</param>
    /// <param name="parent">An earlier state, whose manifest is shared where it is the same. It saves no reading.</param>
    /// <param name="progress">Reported about once a MiB, with the length of the image 0.</param>
    /// <param name="cancellationToken">Fails the session.</param>
    /// <exception cref="StoreException">NotFound: no live snapshot holds <paramref name="parent"/>; back up without it. Full, Io, Corrupt.</exception>
    public async Task<StreamRef> WriteStreamAsync(
        Stream source, StreamRef? parent, IProgress<SessionProgress>? progress, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(source);
        RequireUsable();
        if (parent is { } stream && !vault.Log.State.Snapshots.Holds(stream))
            throw new StoreException(StoreErrorKind.NotFound, "The parent stream is not in the vault any more. Run the backup again without a parent.");
        if (parent is { } shared)
            Claims.AddParent(state => state.Snapshots.Keeps(shared));
        try
        {
            var known = parent is { } earlier
                ? await ParentNodes.OfAsync(vault.Manifests, earlier, packSeq => HasPack(new(PackContent.Nodes, packSeq)), cancellationToken)
                : null;
            var manifest = new StreamManifest(this, vault.Packs.Ring.NodeKey, known);
            await using var backup = new StreamBackup(pump.Value, gear.Value, manifest, GearChunker.GreatestLengthBytes);
            while (await source.ReadAsync(backup.Room, cancellationToken) is var count and > 0)
            {
                await backup.AdvanceAsync(count, cancellationToken);
                progress?.Report(counters.ToProgress(0));
            }

            var result = await backup.FinishAsync(cancellationToken);
            progress?.Report(counters.ToProgress(0));
            writtenStreams[result] = 0;
            return result;
        }
        catch
        {
            hasFailed = true;
            throw;
        }
    }
}
