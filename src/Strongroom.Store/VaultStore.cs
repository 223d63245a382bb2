using System.Collections.Concurrent;
using Strongroom.Store.Collection;
using Strongroom.Store.Governance;
using Strongroom.Store.Images;
using Strongroom.Store.Index;
using Strongroom.Store.Keys;
using Strongroom.Store.Log;
using Strongroom.Store.Manifests;
using Strongroom.Store.Packs;
using Strongroom.Store.Scrub;

namespace Strongroom.Store;

/// <summary>A vault: a deduplicating, compressing, encrypting, verifying store of disk images, streams and trees of files. Thread-safe.</summary>
/// <remarks>Any number of processes, on any machines, may have the same vault open, and back up, restore and collect at the same time.</remarks>
public sealed partial class VaultStore : IAsyncDisposable
{
    /// <summary>Pack numbers that a process reserves first; twice as many each further time. Most processes write few packs, and numbers are 32 bits.</summary>
    private const uint FirstReservation = 16;
    private static readonly TimeSpan SignOfLife = TimeSpan.FromHours(1);
    private readonly SemaphoreSlim reservation = new(1, 1);
    private readonly FrameCodecPool codecs;
    private readonly SemaphoreSlim collecting = new(1, 1);
    private readonly SemaphoreSlim listing = new(1, 1);
    private readonly ConcurrentDictionary<ClaimLease, byte> leases = [];
    private HashSet<uint> covered = [];
    private long listedAt = -1;
    private uint nextPackSeq;
    private uint reservedEnd;
    private uint nextReservation = FirstReservation;

    private VaultStore(IBlobBackend backend, VaultKeys keys, VaultLog log, VaultGovernance governance, VaultStoreOptions options)
    {
        Governance = governance;
        Options = options;
        Keys = keys;
        Log = log;
        codecs = new();
        Relocations = new(log, backend, keys.Ring);
        Packs = new(backend, keys.Ring, codecs) { Relocations = Relocations, Suspects = new() { Quarantined = () => log.State.Quarantine.Packs } };
        Manifests = new(Packs, options.CachedNodes);
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

    /// <summary>True when a vault is in the backend.</summary>
    public static async Task<bool> ExistsAsync(IBlobBackend backend, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(backend);
        return await backend.GetLengthAsync(VaultBirth.Name, cancellationToken) is not null;
    }

    /// <summary>Makes a vault and opens it.</summary>
    /// <exception cref="StoreException">AlreadyExists when one is there; Corrupt when one is there that lost its vault.json.</exception>
    public static async Task<VaultStore> CreateAsync(
        IBlobBackend backend, IKeyEncryptionKey kek, VaultStoreOptions options, TimeProvider time, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(backend);
        ArgumentNullException.ThrowIfNull(kek);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(time);
        if (await ExistsAsync(backend, cancellationToken))
            throw AlreadyExists();
        await RequireVacantAsync(backend, cancellationToken);

        // Step 1: keys, under a name of this vault's own, so that the leftovers of a creation that died do no harm.
        var ring = KeyRing.Generate(Guid.NewGuid());
        await VaultKeys.CreateAsync(backend, ring, kek, cancellationToken);

        // Step 2: the birth certificate. From here the vault exists. The log's first entry follows at opening.
        if (!await VaultBirth.TryWriteAsync(backend, ring.VaultId, time.GetUtcNow(), cancellationToken))
            throw AlreadyExists();
        return await OpenAsync(backend, kek, options, time, cancellationToken);
    }

    /// <summary>Opens a vault.</summary>
    /// <exception cref="StoreException">NotFound, WrongKey, Corrupt, Unsupported, Io.</exception>
    public static async Task<VaultStore> OpenAsync(
        IBlobBackend backend, IKeyEncryptionKey kek, VaultStoreOptions options, TimeProvider time, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(backend);
        ArgumentNullException.ThrowIfNull(kek);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(time);
        options.Validate();
        var vaultId = await VaultBirth.ReadAsync(backend, cancellationToken);
        var keys = await VaultKeys.OpenAsync(backend, vaultId, kek, cancellationToken);
        await backend.RemoveLeftoversAsync(cancellationToken);
        var log = await VaultLog.OpenAsync(backend, keys.Ring, time, cancellationToken);
        var clock = new ClockGuard(time, options.GuardsClock, log.State.Clock, backend);
        var vault = new VaultStore(backend, keys, log, new(log, clock), options);
        try
        {
            vault.covered = await vault.Index.LoadAsync(cancellationToken);
            await vault.RefreshPacksAsync(cancellationToken);
            vault.covered = [];
            await vault.RequireBeginningAsync(cancellationToken);
            await keys.JoinAsync(log, vault.Governance, options.AcceptsOlderKeys, cancellationToken);
            return vault;
        }
        catch
        {
            await vault.DisposeAsync();
            throw;
        }
    }

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
            await RefreshPacksAsync(cancellationToken);
        Packs.Suspects.SetMoved(await Relocations.FindMovedToAsync(Log.State.Quarantine.Packs, cancellationToken));
        return new(this);
    }

    /// <summary>Opens an image for random reads.</summary>
    public async Task<ImageReader> OpenImageAsync(ImageRef image, CancellationToken cancellationToken)
    {
        RequireLive(image);
        if (!image.Root.IsHole)
            await Manifests.ReadNodeAsync(image.Root, image.Height, cancellationToken);
        return new(Manifests, image, Options.CachedChunksPerReader);
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
    /// <param name="mustBeLive">Every snapshot that the caller still counts on. The log alone cannot tell that its last entries were removed; this tells it.</param>
    /// <param name="options">When packs go, and how much is compacted.</param>
    /// <param name="cancellationToken">What was removed until then stays removed; the next collection goes on.</param>
    /// <exception cref="StoreException">Corrupt: the log is damaged, or has lost one of <paramref name="mustBeLive"/>, or a live snapshot's manifest
    /// cannot be read; nothing more was removed. Conflict: one of them was deleted meanwhile, or other processes keep changing the vault. Io.</exception>
    public async Task<CollectReport> CollectAsync(
        IReadOnlyCollection<SnapshotId> mustBeLive, CollectOptions options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(mustBeLive);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        await collecting.WaitAsync(cancellationToken);
        try
        {
            return await new Collector(this, mustBeLive, options).RunAsync(cancellationToken);
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

    /// <summary>Checks that every live snapshot can be restored.</summary>
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
        reservation.Dispose();
        collecting.Dispose();
        Retention.Dispose();
        listing.Dispose();
        codecs.Dispose();
        return default;
    }

    /// <summary>A number that no other pack of this vault has or will have.</summary>
    internal async ValueTask<uint> AllocatePackSeqAsync(CancellationToken cancellationToken)
    {
        await reservation.WaitAsync(cancellationToken);
        try
        {
            // Numbers that an entry that cannot be read may have swept are given up.
            if (nextPackSeq != reservedEnd && !Log.State.Collection.IsDoubtful(nextPackSeq))
            {
                await ShowLifeAsync(cancellationToken);
            }
            else
            {
                var (first, count) = (0u, nextReservation);
                await Log.AppendAsync(
                    LogEntryType.Reserve,
                    _ =>
                    {
                        // Not below a pack that is there, nor in what an entry that cannot be read may have reserved: a damaged log must not
                        // lead to a second pack of that number.
                        var greatest = GreatestPackSeq();
                        if (greatest > uint.MaxValue - count - 1)
                            throw StoreException.Corrupt($"No pack can follow number {greatest:x8}: if no server wrote it, move that file out of the vault");
                        first = (uint)greatest + 1;
                        return new PayloadWriter().UInt32(first).UInt32(count).ToArray();
                    },
                    cancellationToken);
                nextPackSeq = first;
                reservedEnd = first + count;
                nextReservation = Math.Min(count * 2, PackNumberState.GreatestReservation);
            }

            return nextPackSeq++;
        }
        finally
        {
            reservation.Release();
        }
    }

    /// <summary>False when a pack that a manifest points to is lost: what it held is stored anew as long as a source still has it.</summary>
    internal bool HasPack(PackContent content, uint packSeq) =>
        PackSet.Contains(content, packSeq) || Log.State.Collection.IsRelocated(packSeq);

    /// <summary>Claims that collections of this process spare.</summary>
    internal ClaimLease Claim()
    {
        var lease = new ClaimLease(ended => leases.TryRemove(ended, out _));
        leases[lease] = 0;
        return lease;
    }

    /// <summary>Packs that sessions of this process have written or refer to.</summary>
    internal HashSet<uint> PacksInUse() => PacksInUse(TimeSpan.Zero);

    /// <summary>Lists the packs in the storage, and learns those of other processes. What a SWEEP took is not among them.</summary>
    internal async Task<IReadOnlyList<PackInfo>> RefreshPacksAsync(CancellationToken cancellationToken)
    {
        await listing.WaitAsync(cancellationToken);
        try
        {
            var head = Log.Head;
            var found = new List<PackInfo>();
            foreach (var content in (PackContent[])[PackContent.Nodes, PackContent.Data])
            {
                await foreach (var blob in Packs.Backend.ListAsync(PackFormat.FolderOf(content), cancellationToken))
                {
                    if (PackFormat.ParseName(blob.Name) is { } packSeq && !Log.State.Collection.IsSwept(packSeq))
                        found.Add(new(packSeq, content, blob.LengthBytes));
                }
            }

            var added = found.Where(pack => PackSet.Find(pack.PackSeq) is null).ToList();

            // A writer that was killed may have left packs that are there, but would not be after a power cut: nothing may rely on them yet.
            if (added.Count > 0)
            {
                foreach (var content in (PackContent[])[PackContent.Nodes, PackContent.Data])
                    await Packs.Backend.SyncAsync(PackFormat.FolderOf(content), cancellationToken);
            }

            // All of them first: segments may merge while directories are loaded, and drop what is not of a known pack.
            foreach (var pack in added)
                PackSet.Add(pack.Content, pack.PackSeq, pack.LengthBytes);
            foreach (var pack in added.Where(pack => pack.Content == PackContent.Data && !covered.Contains(pack.PackSeq)))
                await LoadDirectoryAsync(pack.PackSeq, cancellationToken);

            foreach (var pack in PackSet.ToList().Where(pack => Log.State.Collection.IsSwept(pack.PackSeq)))
                PackSet.Remove(pack.PackSeq);
            Volatile.Write(ref listedAt, head);
            return found;
        }
        finally
        {
            listing.Release();
        }
    }

    internal async Task<List<RelocationTableId>> ListTablesAsync(CancellationToken cancellationToken)
    {
        var tables = new List<RelocationTableId>();
        await foreach (var blob in Packs.Backend.ListAsync(RelocationTableId.Folder, cancellationToken))
        {
            if (RelocationTableId.TryParse(blob.Name, out var table))
                tables.Add(table);
        }

        return tables;
    }

    /// <summary>A slow backup would look dead to collections of other processes, which then take its packs.</summary>
    private async ValueTask ShowLifeAsync(CancellationToken cancellationToken)
    {
        if (Log.Now - Log.LastOwnTime >= SignOfLife)
            await Log.AppendAsync(LogEntryType.Reserve, _ => new PayloadWriter().UInt32(0).UInt32(0).ToArray(), cancellationToken);
    }

    internal async ValueTask PackSealedAsync(
        PackContent content, uint packSeq, long lengthBytes, IReadOnlyList<PackEntry> entries, CancellationToken cancellationToken)
    {
        PackSet.Add(content, packSeq, lengthBytes);
        if (content == PackContent.Data)
            await Index.PublishAsync(packSeq, entries, cancellationToken);
    }

    private static StoreException AlreadyExists() =>
        new(StoreErrorKind.AlreadyExists, "A vault is here already. Open it, or choose an empty place.");

    /// <summary>Where a log or packs lie without their vault.json, it was lost; another in its place would shut out the right one when it comes back.</summary>
    private static async Task RequireVacantAsync(IBlobBackend backend, CancellationToken cancellationToken)
    {
        foreach (var folder in (string[])["log/", PackFormat.FolderOf(PackContent.Data), PackFormat.FolderOf(PackContent.Nodes)])
        {
            await foreach (var blob in backend.ListAsync(folder, cancellationToken))
                throw StoreException.Corrupt($"vault.json is missing though '{blob.Name}' is there: restore that file from a copy of the vault");
        }
    }

    private void RequireLive(ImageRef image)
    {
        if (!Log.State.Snapshots.Holds(image))
            throw new StoreException(StoreErrorKind.NotFound, "No live snapshot holds this image. List the recovery points again.");
    }

    private async Task LoadDirectoryAsync(uint packSeq, CancellationToken cancellationToken)
    {
        try
        {
            await Index.PublishAsync(packSeq, await Packs.GetDirectoryAsync(PackContent.Data, packSeq, cancellationToken), cancellationToken);
        }
        catch (StoreException failure) when (failure.IsDamage)
        {
            // A damaged pack offers nothing for deduplication: the next backup stores its chunks anew. Verification reports it.
        }
    }

    /// <summary>A log without a beginning is new, or lost; lost is told by packs, and must not lead to their collection.</summary>
    private async Task RequireBeginningAsync(CancellationToken cancellationToken)
    {
        if (Log.Head > 0)
            return;

        // Another process may have begun it since the log was read, and may have packs already.
        await Log.RefreshAsync(cancellationToken);
        if (Log.Head > 0)
            return;
        if (PackSet.Count > 0)
            throw StoreException.Corrupt("The vault's log (log/) is missing though packs are there: restore that folder from a copy of the vault");
        await Log.AppendAsync(
            LogEntryType.Genesis,
            _ => Log.Head > 0 ? null : new PayloadWriter().Guid(VaultId).UInt32(Packs.Ring.CurrentEpoch).ToArray(),
            cancellationToken);
    }
}
