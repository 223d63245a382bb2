using System.Collections.Concurrent;

namespace Strongroom.Store.Log;

/// <summary>What the log says, replayed. Changed under the log's lock; the snapshots may be read at any time.</summary>
internal sealed class VaultState
{
    private readonly ConcurrentDictionary<SnapshotId, Snapshot> live = [];
    private readonly ConcurrentDictionary<SnapshotId, byte> deleted = [];
    private readonly ConcurrentDictionary<uint, byte> swept = [];

    /// <summary>Snapshots that are committed and not deleted. Safe for concurrent reading.</summary>
    public IReadOnlyCollection<Snapshot> Live => (IReadOnlyCollection<Snapshot>)live.Values;

    public uint NextPackSeq { get; private set; } = 1;

    /// <summary>The last SWEEP that another writer made.</summary>
    public long LastForeignSweep { get; private set; }

    public DateTimeOffset LastTime { get; private set; } = DateTimeOffset.UnixEpoch;

    public Snapshot? Find(SnapshotId id) => live.GetValueOrDefault(id);

    /// <summary>True when a TOMBSTONE said so. Safe for concurrent calls.</summary>
    public bool IsDeleted(SnapshotId id) => deleted.ContainsKey(id);

    /// <summary>True for a pack that a sweep announced as deleted: it may still be there, but nothing may refer to it anew. Safe for concurrent calls.</summary>
    public bool IsSwept(uint packSeq) => swept.ContainsKey(packSeq);

    public bool Holds(ImageRef image) => live.Values.Any(snapshot => snapshot.Images.Any(disk => disk.Image == image));

    public void Apply(LogEntry entry, Guid ownWriterId)
    {
        if (entry.Time > LastTime)
            LastTime = entry.Time;
        var source = new PayloadReader(entry.Payload);
        switch (entry.Type)
        {
            case LogEntryType.Genesis:
            case LogEntryType.Void:
                break;
            case LogEntryType.Reserve:
                NextPackSeq = Math.Max(NextPackSeq, checked(source.UInt32() + source.UInt32()));
                break;
            case LogEntryType.Commit:
                var snapshot = SnapshotPayload.Parse(entry);
                live[snapshot.Id] = snapshot;
                break;
            case LogEntryType.Tombstone:
                var id = new SnapshotId(source.Guid());
                live.TryRemove(id, out _);
                deleted[id] = 0;
                break;
            case LogEntryType.Checkpoint:
                ApplyCheckpoint(source);
                break;
            case LogEntryType.Sweep:
                var count = source.Count(4);
                for (var i = 0; i < count; i++)
                    swept[source.UInt32()] = 0;
                if (entry.WriterId != ownWriterId)
                    LastForeignSweep = entry.Sequence;
                break;
            default:
                throw new StoreException(
                    StoreErrorKind.Unsupported, $"Log entry {entry.Sequence} is of type {(int)entry.Type}, which a newer Strongroom wrote. Use that version.");
        }
    }

    public byte[] FormatCheckpoint()
    {
        var payload = new PayloadWriter().UInt32(NextPackSeq);
        var sequences = live.Values.Select(snapshot => snapshot.LogSequence).Order().ToArray();
        payload.UInt32((uint)sequences.Length);
        foreach (var sequence in sequences)
            payload.Int64(sequence);
        payload.UInt32((uint)deleted.Count);
        foreach (var id in deleted.Keys)
            payload.Guid(id.Value);
        return payload.ToArray();
    }

    /// <summary>The COMMIT entries that a checkpoint names.</summary>
    public static long[] CommitsOf(LogEntry checkpoint)
    {
        var source = new PayloadReader(checkpoint.Payload);
        _ = source.UInt32();
        var sequences = new long[source.Count(8)];
        for (var i = 0; i < sequences.Length; i++)
            sequences[i] = source.Int64();
        return sequences;
    }

    private void ApplyCheckpoint(PayloadReader source)
    {
        NextPackSeq = Math.Max(NextPackSeq, source.UInt32());
        var commits = source.Count(8);
        _ = source.Raw(commits * 8);
        var ids = source.Count(16);
        for (var i = 0; i < ids; i++)
            deleted[new SnapshotId(source.Guid())] = 0;
    }
}
