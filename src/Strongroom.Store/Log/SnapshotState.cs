using System.Collections.Concurrent;

namespace Strongroom.Store.Log;

/// <summary>Which snapshots there are, as COMMIT and TOMBSTONE say. Changed under the log's lock; may be read at any time.</summary>
internal sealed class SnapshotState : ILogConcern
{
    public const ushort SectionNumber = 1;
    private readonly ConcurrentDictionary<SnapshotId, Snapshot> live = [];
    private readonly ConcurrentDictionary<SnapshotId, byte> deleted = [];

    public ushort Section => SectionNumber;

    /// <summary>Snapshots that are committed and not deleted. Safe for concurrent reading.</summary>
    public IReadOnlyCollection<Snapshot> Live => (IReadOnlyCollection<Snapshot>)live.Values;

    public Snapshot? Find(SnapshotId id) => live.GetValueOrDefault(id);

    /// <summary>True when a TOMBSTONE said so. Safe for concurrent calls.</summary>
    public bool IsDeleted(SnapshotId id) => deleted.ContainsKey(id);

    /// <summary>True when a live snapshot has the image. Safe for concurrent calls.</summary>
    public bool Holds(ImageRef image) => live.Values.Any(snapshot => snapshot.Images.Any(disk => disk.Image == image));

    public bool Holds(StreamRef stream) => live.Values.Any(snapshot => snapshot.Streams.Any(item => item.Stream == stream));

    public bool Holds(TreeRef tree) => live.Values.Any(snapshot => snapshot.Trees.Any(item => item.Tree == tree));

    public bool TryApply(LogEntry entry)
    {
        switch (entry.Type)
        {
            case LogEntryType.Commit:
                var snapshot = SnapshotPayload.Parse(entry);
                live[snapshot.Id] = snapshot;
                return true;
            case LogEntryType.Tombstone:
                var id = new SnapshotId(new PayloadReader(entry.Payload).Guid());
                live.TryRemove(id, out _);
                deleted[id] = 0;
                return true;
            default:
                return false;
        }
    }

    public void WriteSection(PayloadWriter target)
    {
        var sequences = live.Values.Select(snapshot => snapshot.LogSequence).Order().ToArray();
        target.UInt32((uint)sequences.Length);
        foreach (var sequence in sequences)
            target.Int64(sequence);
        target.UInt32((uint)deleted.Count);
        foreach (var id in deleted.Keys)
            target.Guid(id.Value);
    }

    public void ReadSection(ref PayloadReader source)
    {
        // The commits themselves are read from the entries that the section names.
        _ = ReadCommits(ref source);
        var ids = source.Count(16);
        for (var i = 0; i < ids; i++)
            deleted[new SnapshotId(source.Guid())] = 0;
    }

    /// <summary>The sequence numbers at the beginning of the section.</summary>
    public static long[] ReadCommits(ref PayloadReader source)
    {
        var sequences = new long[source.Count(8)];
        for (var i = 0; i < sequences.Length; i++)
            sequences[i] = source.Int64();
        return sequences;
    }
}
