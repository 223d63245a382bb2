using Strongroom.Store.Log;

namespace Strongroom.Store.Tests.Log;

public sealed class PurgedIdTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void The_newest_purged_ids_are_remembered_and_the_oldest_forgotten_also_from_a_checkpoint()
    {
        var ids = Enumerable.Range(1, SnapshotState.GreatestPurged + 10).Select(i => new SnapshotId(new Guid(i, 0, 0, new byte[8]))).ToArray();
        var state = new VaultState();
        state.Apply(Entry(1, LogEntryType.Purge, new PurgeEntry(Now, false, ids[..20]).Format()));
        state.Apply(Entry(2, LogEntryType.Purge, new PurgeEntry(Now, false, ids[..20]).Format()));
        state.Apply(Entry(3, LogEntryType.Purge, new PurgeEntry(Now, false, ids[20..^5]).Format()));
        AssertForgotten(state, ids, 5);

        var later = new VaultState();
        var checkpoint = state.FormatCheckpoint();
        Assert.InRange(checkpoint.Length, SnapshotState.GreatestPurged * 16, (SnapshotState.GreatestPurged * 16) + 1000);
        later.Apply(Entry(4, LogEntryType.Checkpoint, checkpoint));
        AssertForgotten(later, ids, 5);
        foreach (var one in (VaultState[])[state, later])
        {
            one.Apply(Entry(5, LogEntryType.Purge, new PurgeEntry(Now, false, ids[^5..]).Format()));
            AssertForgotten(one, ids, 10);
        }
    }

    private static void AssertForgotten(VaultState state, SnapshotId[] ids, int count)
    {
        Assert.DoesNotContain(ids[..count], state.Snapshots.IsDeleted);
        Assert.All(ids[count..(SnapshotState.GreatestPurged + count)].Chunk(4096), some => Assert.True(Array.TrueForAll(some, state.Snapshots.IsDeleted)));
    }

    private static LogEntry Entry(long sequence, LogEntryType type, byte[] payload) =>
        new(sequence, type, new byte[32], Guid.Empty, Now, payload, new byte[32]);
}
