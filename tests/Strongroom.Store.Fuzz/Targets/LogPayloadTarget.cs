using System.Buffers.Binary;
using Strongroom.Store.Log;
using Strongroom.Store.Packs;

namespace Strongroom.Store.Fuzz.Targets;

/// <summary>An entry that says what the input says, applied after a GENESIS and a COMMIT. Input: type u16, payload.</summary>
/// <remarks>Whatever it says, a checkpoint of what comes of it must lead another reader to the same.</remarks>
internal sealed class LogPayloadTarget : FuzzTarget
{
    private const long Sequence = 3;
    private static readonly byte[] Salt = new byte[LogEntry.SaltLengthBytes];
    private static readonly DateTimeOffset Time = DateTimeOffset.UnixEpoch.AddYears(56);
    private static readonly SnapshotId Known = new(new Guid(Harness.Bytes(8, 16)));
    private static readonly (byte[] Bytes, LogEntry Entry) Genesis = Seal(1, LogEntryType.Genesis, new byte[32], [.. Harness.Ring.VaultId.ToByteArray(true), 1, 0, 0, 0]);
    private static readonly (byte[] Bytes, LogEntry Entry) Commit = Seal(2, LogEntryType.Commit, Genesis.Entry.Hash, SnapshotPayload.Format(Draft(Known), Time));

    public override string Name => "log-payload";

    /// <summary>Every type of entry, and a checkpoint whose sections all say something.</summary>
    public override IEnumerable<byte[]> Seeds
    {
        get
        {
            var seeds = Payloads().ToList();
            var state = Before();
            foreach (var (type, payload) in seeds.Where(seed => seed.Type is not (LogEntryType.Erase or LogEntryType.Purge or LogEntryType.Commit)))
                state.Apply(Entry(type, payload));
            return [.. seeds.Append((LogEntryType.Checkpoint, state.FormatCheckpoint())).Select(seed => (byte[])[(byte)seed.Item1, (byte)((int)seed.Item1 >> 8), .. seed.Item2])];
        }
    }

    public override void Run(byte[] input)
    {
        if (input.Length < 2)
            throw StoreException.Corrupt("Too short for this harness");
        var type = (LogEntryType)BinaryPrimitives.ReadUInt16LittleEndian(input);
        var payload = input[2..];

        // What the log itself looks into goes the long way, through an authentic log.
        if (type is LogEntryType.Checkpoint or LogEntryType.Void)
            Open(type, payload);
        else
            RequireSameFromCheckpoint(Entry(type, payload));
    }

    private static IEnumerable<(LogEntryType Type, byte[] Payload)> Payloads()
    {
        var packs = PackRangeSet.Of([(3u, 4u), (9u, 9u)]);
        yield return (LogEntryType.Commit, SnapshotPayload.Format(Draft(new(new Guid(Harness.Bytes(9, 16)))), Time));
        yield return (LogEntryType.Reserve, new PayloadWriter().UInt32(1).UInt32(1024).ToArray());
        yield return (LogEntryType.Tombstone, new TombstoneEntry(Known, Time, Time.AddDays(14)).Format());
        yield return (LogEntryType.Undelete, new PayloadWriter().Guid(Known.Value).ToArray());
        yield return (LogEntryType.Lock, new LockEntry(Known, Time.AddDays(30), true).Format());
        yield return (LogEntryType.Purge, new PurgeEntry(Time, false, [Known]).Format());
        yield return (LogEntryType.Policy, PolicyState.Format(new VaultPolicy { SoftDeleteDays = 14, MinimumRetentionDays = 7, Immutability = Immutability.Unlocked }));
        yield return (LogEntryType.Clock, ClockState.Format(Time));
        yield return (LogEntryType.Erase, new PayloadWriter().Int64(Time.ToUnixTimeMilliseconds()).ToArray());
        yield return (LogEntryType.Void, new PayloadWriter().UInt32(1).Int64(2).Raw(new byte[32]).ToArray());
        yield return (LogEntryType.Condemn, new CondemnPayload(1, 0, packs).Format());
        yield return (LogEntryType.Sweep, new SweepPayload(1, packs, PackRangeSet.Of([(20u, 21u)]), 5, [1]).Format());
        yield return (LogEntryType.Sweep, new SweepPayload(2, PackRangeSet.Of([]), PackRangeSet.Of([(30u, 31u)]), 6, []).Format());
        yield return (LogEntryType.Condemn, new CondemnPayload(2, 0, PackRangeSet.Of([(40u, 41u)])).Format());
        yield return (LogEntryType.Quarantine, new PayloadWriter().Ranges(packs).ToArray());
        yield return (LogEntryType.Release, new PayloadWriter().Ranges(PackRangeSet.Of([(4u, 4u)])).ToArray());
        yield return (LogEntryType.Accept, new AcceptPayload(Time, 5000, [(1, 1)], [new(new Guid(Harness.Bytes(10, 16)))], [1]).Format());
        yield return (LogEntryType.Key, new PayloadWriter().UInt32(2).Raw(new byte[32]).UInt32(2).ToArray());
    }

    private static SnapshotDraft Draft(SnapshotId id) => new()
    {
        Id = id,
        ItemId = "vm",
        Images = [new(0, "disk", new ImageRef(1 << 20, 1, Harness.SlotOf(1)))],
        Streams = [new("dump", new StreamRef(100_000, 0, Harness.SlotOf(2)))],
        Trees = [new("/etc", new TreeRef(new StreamRef(400, 0, Harness.SlotOf(3))))],
        Configuration = "{}"u8.ToArray(),
    };

    private static (byte[] Bytes, LogEntry Entry) Seal(long sequence, LogEntryType type, byte[] previous, byte[] payload) =>
        LogEntry.Seal(Harness.Ring, sequence, type, previous, Guid.Empty, Salt, Time, payload);

    private static LogEntry Entry(LogEntryType type, byte[] payload) => new(Sequence, type, Commit.Entry.Hash, Guid.Empty, Time, payload, new byte[32]);

    private static VaultState Before()
    {
        var state = new VaultState();
        state.Apply(Genesis.Entry);
        state.Apply(Commit.Entry);
        return state;
    }

    private static void RequireSameFromCheckpoint(LogEntry entry)
    {
        var state = Before();
        state.Apply(entry);
        var checkpoint = state.FormatCheckpoint();

        // As opening does: the commits that a checkpoint names, then the checkpoint.
        var other = new VaultState();
        foreach (var commit in VaultState.CommitsOf(Entry(LogEntryType.Checkpoint, checkpoint)))
            other.Apply(commit == Commit.Entry.Sequence ? Commit.Entry : entry);
        other.Apply(Entry(LogEntryType.Checkpoint, checkpoint));
        if (!other.FormatCheckpoint().AsSpan().SequenceEqual(checkpoint))
            throw new InvalidOperationException("The checkpoint does not say what the entries said.");
        if (state.Breaches.Count > 0)
            throw StoreException.Corrupt(state.Breaches[0].What);
    }

    private static void Open(LogEntryType type, byte[] payload)
    {
        var backend = Harness.Backend(LogEntry.NameOf(1), Genesis.Bytes);
        _ = Finish(backend.PutIfAbsentAsync(LogEntry.NameOf(2), Commit.Bytes, CancellationToken.None));
        _ = Finish(backend.PutIfAbsentAsync(LogEntry.NameOf(Sequence), Seal(Sequence, type, Commit.Entry.Hash, payload).Bytes, CancellationToken.None));
        using var log = Finish(VaultLog.OpenAsync(backend, Harness.Ring, TimeProvider.System, CancellationToken.None));
        if (log.Damage.Count > 0)
            throw StoreException.Corrupt(log.Damage[0]);
    }
}
