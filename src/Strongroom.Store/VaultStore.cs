using System.Collections.Concurrent;
using Strongroom.Store.Caching;
using Strongroom.Store.Collection;
using Strongroom.Store.Images;
using Strongroom.Store.Index;
using Strongroom.Store.Log;
using Strongroom.Store.Manifests;
using Strongroom.Store.Packs;
using Strongroom.Store.Scrub;

namespace Strongroom.Store;

/// <summary>A vault: a deduplicating, compressing, encrypting, verifying store of disk images, streams and trees of files. Thread-safe.</summary>
/// <remarks>Any number of processes, on any machines, may have the same vault open, and back up, restore and collect at the same time.</remarks>
public sealed partial class VaultStore : IAsyncDisposable
{
    private readonly PackNumbers numbers;
    private const long OwnReadCacheBytes = 16 << 20;
    private readonly FrameCodecPool codecs;
    private readonly ChunkReads chunkReads;
    private readonly SemaphoreSlim collecting = new(1, 1);
    private readonly SemaphoreSlim listing = new(1, 1);
    private readonly ConcurrentDictionary<ClaimLease, byte> leases = [];
    private HashSet<uint> covered = [];
    private long listedAt = -1;
    private DateTimeOffset listedTime;

    private VaultStore(IBlobBackend backend, VaultKeys keys, VaultLog log, VaultGovernance governance, VaultStoreOptions options)
    {
        Governance = governance;
        Options = options;
        Keys = keys;
        Log = log;
        codecs = new();
        numbers = new(log, GreatestPackSeq);
        Relocations = new(log, backend, keys.Ring);
        Packs = new(backend, keys.Ring, codecs) { Relocations = Relocations, Suspects = new() { Quarantined = () => log.State.Quarantine.Packs } };
        Manifests = new(Packs, options.CachedNodes);
        chunkReads = new(Packs, options.ReadCache ?? new(OwnReadCacheBytes));
        PackSet = new();
        Retention = new(this);
        Index = new(
            Packs,
            options.IndexBufferRecords,
            IsDedupPack);
    }

    /// <summary>The vault's own id, the same for ever.</summary>
    public Guid VaultId => Packs.Ring.VaultId;

    /// <summary>The keys that open the vault, and changing them.</summary>
    public VaultKeys Keys { get; }

    /// <summary>Deletion, locks and policy.</summary>
    public VaultGovernance Governance { get; }

    /// <summary>All live snapshots at this moment, in no order; deleted ones that can be brought back are in <see cref="VaultGovernance.SoftDeleted"/>.</summary>
    public IReadOnlyCollection<Snapshot> Snapshots => Log.State.Snapshots.Live;

    /// <summary>What the vault holds.</summary>
    public StoreStatistics Statistics => new(PackSet.Count, PackSet.LengthBytes, Index.Count, Snapshots.Count);

    internal VaultStoreOptions Options { get; }

    internal VaultLog Log { get; }

    internal PackReader Packs { get; }

    internal ManifestReader Manifests { get; }

    internal DedupIndex Index { get; }

    internal PackSet PackSet { get; }

    internal Relocations Relocations { get; }

    /// <summary>A live snapshot, or null.</summary>
    public Snapshot? Find(SnapshotId id) => Log.State.Snapshots.Find(id);

    /// <summary>A snapshot that the caller knows to have been committed.</summary>
    /// <exception cref="StoreException">NotFound: it was deleted. Corrupt: the log has lost the entry that committed it.</exception>
    public Snapshot Require(SnapshotId id)
    {
        if (Find(id) is { } snapshot)
            return snapshot;
        if (Log.State.Snapshots.IsDeleted(id))
            throw new StoreException(StoreErrorKind.NotFound, "The recovery point was deleted from the vault. List the recovery points again.");
        var why = Log.Damage.Count > 0 ? $" ({Log.Damage[0]})" : "";
        throw new StoreException(
            StoreErrorKind.Corrupt,
            $"The vault's log has lost the entry of this recovery point{why}, snapshot {id}. Restore it from a copy of the vault's folder. "
            + "Other recovery points are not affected; run a verification of the vault to be sure of them.");
    }

    /// <summary>Begins a backup. Many sessions may be open.</summary>
    public async Task<StoreSession> OpenSessionAsync(CancellationToken cancellationToken)
    {
        // What another process changed: a key that does not open the vault any more makes no backups, and new packs use the newest data key.
        await Log.RefreshAsync(cancellationToken);
        await Keys.FollowAsync(cancellationToken);
        if (Log.LastForeignWrite > Volatile.Read(ref listedAt))
            await LearnPacksAsync(cancellationToken);
        Packs.Suspects.SetMoved(await Relocations.FindMovedToAsync(Log.State.Quarantine.Packs, cancellationToken));
        return new(this);
    }

    /// <summary>Opens an image for random reads.</summary>
    public async Task<ImageReader> OpenImageAsync(ImageRef image, CancellationToken cancellationToken)
    {
        RequireLive(image);
        if (!image.Root.IsHole)
            await Manifests.ReadNodeAsync(image.Root, image.Height, cancellationToken);
        return new(Manifests, image, chunkReads, readsAhead: true);
    }

    /// <summary>Writes an image to a sink: in the order of packs, in parallel, every byte verified, no zeros.</summary>
    /// <param name="image">What to restore.</param>
    /// <param name="sink">Where to.</param>
    /// <param name="bytesDone">Bytes of the image settled so far, holes included; called concurrently, about once a MiB, the last time with the image's length.</param>
    /// <param name="cancellationToken">Leaves the sink with a part of the image.</param>
    public async Task<RestoreStatistics> RestoreAsync(
        ImageRef image, IImageSink sink, IProgress<long>? bytesDone, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(sink);
        RequireLive(image);
        using var restore = new ImageRestore(Manifests, image, sink, Options.Workers, bytesDone);
        return await restore.RunAsync(cancellationToken);
    }

    /// <summary>Deletes a snapshot as the vault's policy says (<see cref="VaultGovernance.DeleteAsync"/>); its room comes back with a collection. False when it was not there: repeating is harmless.</summary>
    public Task<bool> DeleteSnapshotAsync(SnapshotId id, CancellationToken cancellationToken) => Governance.DeleteAsync(id, cancellationToken);

    /// <summary>Removes packs that no live snapshot needs, while backups, restores and other collections go on.</summary>
    /// <param name="mustBeLive">Every snapshot that the caller still counts on. The log alone cannot tell that its last entries were removed; this tells it.
    /// Null where the caller keeps no list: then a log that lost its end is taken for whole.</param>
    /// <param name="options">When packs go, and how much is compacted.</param>
    /// <param name="cancellationToken">What was removed until then stays removed; the next collection goes on.</param>
    /// <exception cref="StoreException">Corrupt: the log is damaged, or has lost one of <paramref name="mustBeLive"/>, or a live snapshot's manifest
    /// cannot be read; nothing more was removed. Conflict: one of them was deleted meanwhile, or other processes keep changing the vault. Io.</exception>
    public async Task<CollectReport> CollectAsync(
        IReadOnlyCollection<SnapshotId>? mustBeLive, CollectOptions options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        await collecting.WaitAsync(cancellationToken);
        try
        {
            return await new Collector(this, mustBeLive ?? [], options).RunAsync(cancellationToken);
        }
        finally
        {
            collecting.Release();
        }
    }

    /// <summary>Finds what the live snapshots reach, and changes nothing: the part of a collection that takes the time.</summary>
    internal async Task<Marker> MarkAsync(CancellationToken cancellationToken)
    {
        await Log.RefreshAsync(cancellationToken);
        var marker = new Marker(Manifests, Log.State.Collection, Relocations, Options.Workers);
        await marker.MarkAsync(Log.State.Snapshots.AllLive, cancellationToken);
        return marker;
    }

    /// <summary>Checks that every live snapshot can be restored. Packs in quarantine are damage, but those of which every chunk was read now and is whole.</summary>
    /// <param name="readData">Also read, hash, decrypt and identify every chunk; otherwise manifests and directories only.</param>
    /// <param name="bytes">Bytes of packs read so far.</param>
    /// <param name="cancellationToken">Ends the check without a report.</param>
    public async Task<VerifyReport> VerifyAsync(bool readData, IProgress<long>? bytes, CancellationToken cancellationToken)
    {
        return await new Verifier(this, readData, bytes).RunAsync(cancellationToken);
    }

    /// <summary>Closes the vault. Sessions and readers must be disposed before.</summary>
    public ValueTask DisposeAsync()
    {
        Log.Dispose();
        ((IDisposable)Keys).Dispose();
        Index.Dispose();
        numbers.Dispose();
        collecting.Dispose();
        Retention.Dispose();
        listing.Dispose();
        chunkReads.Dispose();
        codecs.Dispose();
        return default;
    }

    private void RequireLive(ImageRef image)
    {
        if (!Log.State.Snapshots.Holds(image))
            throw new StoreException(StoreErrorKind.NotFound, "No live snapshot holds this image. List the recovery points again.");
    }
}
