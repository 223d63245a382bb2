using System.Collections.Concurrent;
using Strongroom.Store.Blobs;
using Strongroom.Store.Collection;
using Strongroom.Store.Images;
using Strongroom.Store.Journals;
using Strongroom.Store.Log;
using Strongroom.Store.Manifests;
using Strongroom.Store.Packs;
using Strongroom.Store.Streams;

namespace Strongroom.Store;

/// <summary>One backup's writing: images, streams and trees, then one commit. They may be written concurrently; commit comes after them.</summary>
/// <remarks>A failure other than of the commit itself ends the session: what it wrote is garbage that a collection removes. Disposing without commit does the same.</remarks>
public sealed partial class StoreSession : IAsyncDisposable, ISessionChunks
{
    private const int DataLanes = 2;
    private readonly VaultStore vault;
    private readonly ClaimLease lease;
    private readonly CancellationTokenSource life = new();
    private readonly ConcurrentDictionary<ChunkId, Slot> pending = [];
    private readonly PackLane[] dataLanes;
    private readonly PackLane nodeLane;
    private readonly ConcurrentDictionary<ImageRef, byte> written = [];
    private readonly ConcurrentDictionary<StreamRef, byte> writtenStreams = [];
    private readonly ConcurrentDictionary<TreeRef, byte> writtenTrees = [];
    private readonly SessionCounters counters = new();
    private readonly ReuseCheck reuse;
    private int nextLane;
    private volatile bool hasFailed;
    private volatile bool isCommitted;

    internal StoreSession(VaultStore vault)
    {
        this.vault = vault;
        lease = vault.Claim();
        dataLanes = [.. Enumerable.Range(0, DataLanes).Select(_ => new PackLane(vault, PackContent.Data, pending, Claims, life.Token, () => FlushJournalsAsync(vault.Options.JournalLeaves)))];
        nodeLane = new(vault, PackContent.Nodes, null, Claims, life.Token);
        reuse = new(vault.Packs, vault.Options.ReadBackEvery);
        pump = new(() => new(this, vault.Packs.Ring.IdKey, vault.Options.Workers));
        gear = new(() => GearTable.Derive(vault.Packs.Ring));
    }

    /// <summary>What was done so far.</summary>
    public SessionStatistics Statistics => counters.ToStatistics();

    SessionCounters ISessionChunks.Counters => counters;

    private CommitClaims Claims => lease.Claims;

    /// <summary>Stores an image. With a parent only what differs from it takes room.</summary>
    /// <exception cref="StoreException">NotFound: no live snapshot holds <paramref name="parent"/>; back up without it. Full, Io, Corrupt, InvalidRequest.</exception>
    public async Task<ImageRef> WriteImageAsync(
        IImageSource source, ImageRef? parent, IProgress<SessionProgress>? progress, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(source);
        RequireUsable();
        if (source.LengthBytes < 0)
            throw new StoreException(StoreErrorKind.InvalidRequest, "The source's length is negative.");

        // A manifest that no live snapshot holds may point to packs that are gone already.
        if (parent is { } image && !vault.Log.State.Snapshots.Holds(image))
            throw new StoreException(StoreErrorKind.NotFound, "The parent image is not in the vault any more. Run the backup again without a parent.");
        if (parent is { } shared)
            Claims.AddParent(state => state.Snapshots.Keeps(shared));
        try
        {
            var journal = await OpenJournalAsync(source, parent, cancellationToken);
            var resume = journal is null ? null : new ImageResume(new LeafResume(journal, this, TryRelyOnAsync), (leaf, token) => NoteAsync(journal, leaf, token));
            var writer = new ImageWriter(vault.Manifests, this, source, parent, vault.Options.Workers, resume, progress);
            var result = await writer.WriteAsync(cancellationToken);
            written[result] = 0;
            return result;
        }
        catch
        {
            hasFailed = true;
            throw;
        }
    }

    /// <summary>Makes everything durable and then the snapshot visible.</summary>
    /// <remarks>
    /// May be repeated when only the last step failed (Io, Full): whether the snapshot became visible is then found out first. Cancellation
    /// has no effect once the snapshot may be visible.
    /// </remarks>
    /// <exception cref="StoreException">Conflict: what the backup relies on was removed meanwhile; run it again.</exception>
    public async Task<Snapshot> CommitAsync(SnapshotDraft draft, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(draft);
        SnapshotPayload.Validate(draft);
        await vault.Log.RefreshAsync(cancellationToken);
        if (vault.Find(draft.Id) is { } committed)
            return committed;
        RequireUsable();
        try
        {
            // Step 1: chunks. Step 2: nodes, which point to chunks. Step 3: the log entry, which points to nodes.
            await Task.WhenAll(dataLanes.Select(lane => lane.FinishAsync(cancellationToken)));
            await nodeLane.FinishAsync(cancellationToken);
        }
        catch
        {
            hasFailed = true;
            throw;
        }

        if (vault.Log.Damage.Count > 0)
            await RequirePacksAsync(cancellationToken);
        await vault.Log.AppendAsync(LogEntryType.Commit, now => Decide(draft, now), cancellationToken);
        isCommitted = true;
        await RemoveJournalsAsync();
        return vault.Find(draft.Id) ?? throw new StoreException(StoreErrorKind.Conflict, $"The snapshot {draft.Id} was deleted by another writer.");
    }

    /// <summary>Ends the session. Without a commit nothing of it is visible.</summary>
    public async ValueTask DisposeAsync()
    {
        if (life.IsCancellationRequested)
            return;
        if (!isCommitted && !journals.IsEmpty)
            await LeaveJournalsAsync();
        await life.CancelAsync();
        try
        {
            foreach (var lane in (PackLane[])[.. dataLanes, nodeLane])
            {
                await lane.AbandonAsync();
                lane.Dispose();
            }

            foreach (var journal in journals)
                journal.Dispose();
            if (pump.IsValueCreated)
                pump.Value.Dispose();
        }
        finally
        {
            // Whatever happened above: packs that are never given back would never be collected.
            if (isCommitted || journals.IsEmpty)
                lease.Dispose();
            else
                lease.End(vault.Log.Now);
            life.Dispose();
        }
    }

    bool ISessionChunks.HasDoubts => vault.Packs.Suspects.Any;

    bool ISessionChunks.IsDoubtful(Slot chunk) =>
        vault.Packs.Suspects.Contains(chunk.PackSeq) || !vault.HasPack(PackContent.Data, chunk.PackSeq);

    async ValueTask<bool> ISessionChunks.CanReuseAsync(Slot chunk, int rawLengthBytes, CancellationToken cancellationToken) =>
        vault.HasPack(PackContent.Data, chunk.PackSeq) && await reuse.IsSoundAsync(chunk, rawLengthBytes, cancellationToken);

    async ValueTask<Slot?> ISessionChunks.FindDataAsync(ChunkId id, int rawLengthBytes, CancellationToken cancellationToken)
    {
        if (pending.TryGetValue(id, out var slot))
            return slot;
        if (await vault.Index.FindAsync(id, cancellationToken) is not { } found || !await reuse.IsSoundAsync(found, rawLengthBytes, cancellationToken))
            return null;
        Claims.AddPack(found.PackSeq);
        return found;
    }

    async ValueTask<Slot> ISessionChunks.StoreDataAsync(
        ChunkId id, ReadOnlyMemory<byte> raw, ChunkWorkspace workspace, CancellationToken cancellationToken)
    {
        if (await ((ISessionChunks)this).FindDataAsync(id, raw.Length, cancellationToken) is { } found)
        {
            counters.AddDeduplicated(raw.Length);
            return found;
        }

        var lane = dataLanes[(uint)Interlocked.Increment(ref nextLane) % DataLanes];
        var slot = await lane.AppendAsync(id, workspace.Encode(raw), cancellationToken);
        counters.AddNew(raw.Length);
        counters.AddStored(slot.StoredLengthBytes);
        return slot;
    }

    async ValueTask<Slot> ISessionChunks.StoreNodeAsync(ReadOnlyMemory<byte> node, CancellationToken cancellationToken)
    {
        using var workspace = new ChunkWorkspace();
        var id = ChunkId.Compute(vault.Packs.Ring.NodeKey, node.Span);
        var slot = await nodeLane.AppendAsync(id, workspace.Encode(node), cancellationToken);
        counters.AddStored(slot.StoredLengthBytes);
        return slot;
    }

    /// <summary>A second line: entries that cannot be read may have said that packs are gone. What they may concern is refused by number already.</summary>
    private async Task RequirePacksAsync(CancellationToken cancellationToken)
    {
        foreach (var packSeq in Claims.Packs)
        {
            if (vault.PackSet.Find(packSeq) is not { } pack
                || await BlobCopy.FindLengthBytesAsync(vault.Packs.Backend, PackFormat.NameOf(pack.Content, packSeq), cancellationToken) is null)
            {
                throw new StoreException(
                    StoreErrorKind.Conflict,
                    $"The backup cannot be committed: the vault's log is damaged, and pack {packSeq:x8}, which the backup relies on, is gone. Run the backup again.");
            }
        }
    }

    private byte[]? Decide(SnapshotDraft draft, DateTimeOffset now)
    {
        var state = vault.Log.State;
        if (state.Snapshots.Find(draft.Id) is not null)
            return null;
        if (state.Snapshots.IsDeleted(draft.Id))
            throw new StoreException(StoreErrorKind.Conflict, $"The snapshot {draft.Id} was committed and deleted before. Commit under a new id.");
        if (Claims.WhyNot(state) is { } why)
            throw new StoreException(StoreErrorKind.Conflict, $"The backup cannot be committed: {why}. Run the backup again.");
        if (draft.Images.FirstOrDefault(disk => !written.ContainsKey(disk.Image) && !state.Snapshots.Keeps(disk.Image)) is { } stranger)
            throw new StoreException(StoreErrorKind.InvalidRequest, $"The image of '{stranger.Name}' was not written by this session and no live snapshot holds it.");
        if (draft.Streams.FirstOrDefault(item => !writtenStreams.ContainsKey(item.Stream) && !state.Snapshots.Keeps(item.Stream)) is { } stream)
            throw new StoreException(StoreErrorKind.InvalidRequest, $"The stream '{stream.Name}' was not written by this session and no live snapshot holds it.");
        if (draft.Trees.FirstOrDefault(item => !writtenTrees.ContainsKey(item.Tree) && !state.Snapshots.Keeps(item.Tree)) is { } tree)
            throw new StoreException(StoreErrorKind.InvalidRequest, $"The tree '{tree.Name}' was not written by this session and no live snapshot holds it.");
        return SnapshotPayload.Format(draft, now);
    }

    private void RequireUsable()
    {
        ObjectDisposedException.ThrowIf(life.IsCancellationRequested, this);
        if (hasFailed)
            throw new StoreException(StoreErrorKind.InvalidRequest, "The session has failed before. Open a new one and run the backup again.");
        if (isCommitted)
            throw new StoreException(StoreErrorKind.InvalidRequest, "The session has been committed. Open a new one.");
    }
}
