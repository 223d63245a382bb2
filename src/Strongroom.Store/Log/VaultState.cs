namespace Strongroom.Store.Log;

/// <summary>What the log says, replayed: a row of concerns that each take the entries that are theirs. Changed under the log's lock.</summary>
internal sealed class VaultState
{
    private readonly List<LogBreach> breaches = [];
    private readonly ILogConcern[] concerns;
    private long lastTime;

    public VaultState()
    {
        Policy = new(breaches);
        Snapshots = new(Policy, breaches);
        Keys = new(Snapshots, Policy, breaches);
        Losses = new(breaches);
        concerns = [Snapshots, PackNumbers, Collection, Keys, Policy, Clock, Quarantine, Losses];
    }

    /// <summary>Entries that broke the vault's rules, which no honest writer's do; they were not obeyed. Without those that somebody took note of (ACCEPT).</summary>
    public IReadOnlyList<LogBreach> Breaches => breaches;

    public PolicyState Policy { get; }

    public ClockState Clock { get; } = new();

    public SnapshotState Snapshots { get; }

    public PackNumberState PackNumbers { get; } = new();

    public CollectionState Collection { get; } = new();

    public KeyState Keys { get; }

    public QuarantineState Quarantine { get; } = new();

    public LossState Losses { get; }

    /// <summary>The time of the newest entry. Safe to read at any time.</summary>
    public DateTimeOffset LastTime => DateTimeOffset.FromUnixTimeMilliseconds(Volatile.Read(ref lastTime));

    public void Apply(LogEntry entry)
    {
        Volatile.Write(ref lastTime, Math.Max(lastTime, entry.Time.ToUnixTimeMilliseconds()));
        var isTaken = entry.Type is LogEntryType.Genesis or LogEntryType.Void;
        if (entry.Type == LogEntryType.Checkpoint)
        {
            ApplyCheckpoint(entry);
            isTaken = true;
        }

        // Every concern is asked: an entry may concern several.
        foreach (var concern in concerns)
            isTaken |= concern.TryApply(entry);
        if (!isTaken)
        {
            throw new StoreException(
                StoreErrorKind.Unsupported, $"Log entry {entry.Sequence} is of type {(int)entry.Type}, which a newer Strongroom wrote. Use that version.");
        }
    }

    public byte[] FormatCheckpoint()
    {
        var payload = new PayloadWriter().UInt32((uint)concerns.Length);
        foreach (var concern in concerns)
        {
            var section = new PayloadWriter();
            concern.WriteSection(section);
            payload.UInt32(concern.Section).Bytes(section.ToArray());
        }

        return payload.ToArray();
    }

    /// <summary>The COMMIT entries that a checkpoint names.</summary>
    public static long[] CommitsOf(LogEntry checkpoint)
    {
        var source = new PayloadReader(checkpoint.Payload);
        var count = source.Count(8);
        for (var i = 0; i < count; i++)
        {
            var isSnapshots = source.UInt32() == SnapshotState.SectionNumber;
            var section = new PayloadReader(source.Bytes());
            if (isSnapshots)
                return SnapshotState.ReadCommits(ref section);
        }

        throw StoreException.Corrupt($"The checkpoint in log entry {checkpoint.Sequence} does not say which snapshots there are");
    }

    private void ApplyCheckpoint(LogEntry entry)
    {
        var source = new PayloadReader(entry.Payload);
        var count = source.Count(8);
        for (var i = 0; i < count; i++)
        {
            var number = source.UInt32();
            var section = new PayloadReader(source.Bytes());
            var concern = Array.Find(concerns, one => one.Section == number) ?? throw new StoreException(
                StoreErrorKind.Unsupported, $"The checkpoint in log entry {entry.Sequence} has a section {number}, which a newer Strongroom wrote. Use that version.");
            concern.ReadSection(ref section);
        }
    }
}
