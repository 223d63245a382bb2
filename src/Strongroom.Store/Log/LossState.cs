namespace Strongroom.Store.Log;

/// <summary>Damage to the log that somebody took for good, as ACCEPT says. Changed under the log's lock; may be read at any time.</summary>
/// <param name="breaches">All concerns' together; those that ACCEPT names leave it, and no checkpoint was made over them before.</param>
internal sealed class LossState(List<LogBreach> breaches) : ILogConcern
{
    private volatile IReadOnlyList<(long First, long Last)> accepted = [];

    public ushort Section => 20;

    public bool IsAccepted(long first, long last) => accepted.Any(range => range.First <= first && last <= range.Last);

    public bool TryApply(LogEntry entry)
    {
        if (entry.Type != LogEntryType.Accept)
            return false;
        var payload = AcceptPayload.Parse(entry);
        accepted = [.. accepted, .. payload.Entries];
        breaches.RemoveAll(breach => payload.Breaches.Contains(breach.Sequence));
        return true;
    }

    public void WriteSection(PayloadWriter target)
    {
        target.UInt32((uint)accepted.Count);
        foreach (var (first, last) in accepted)
            target.Int64(first).Int64(last);
    }

    public void ReadSection(ref PayloadReader source)
    {
        var ranges = new (long First, long Last)[source.Count(16)];
        for (var i = 0; i < ranges.Length; i++)
            ranges[i] = (source.Int64(), source.Int64());
        accepted = ranges;
    }
}

/// <summary>Damage to the log: entries that cannot be read.</summary>
/// <param name="First">The first of them.</param>
/// <param name="Last">The last of them.</param>
/// <param name="What">What is wrong.</param>
/// <param name="IsStray">True for a file far beyond the log's end: it is no entry, so nothing of the log is lost with it.</param>
internal sealed record LogDamage(long First, long Last, string What, bool IsStray = false);

/// <summary>An entry that breaks the vault's rules, and was not obeyed.</summary>
/// <param name="Sequence">Its number.</param>
/// <param name="What">What it wants, and why that cannot be.</param>
internal sealed record LogBreach(long Sequence, string What);

/// <summary>ACCEPT: what damaged entries said is given up.</summary>
/// <param name="At">The writer's clock, by which locks count.</param>
/// <param name="NextPackSeq">Numbers below it may have been reserved by an entry that is given up.</param>
/// <param name="Entries">The first and the last of each run of entries.</param>
/// <param name="Snapshots">Snapshots that the log has lost.</param>
/// <param name="Breaches">Entries that were not obeyed because they break the rules; somebody took note of them.</param>
internal sealed record AcceptPayload(
    DateTimeOffset At, uint NextPackSeq, IReadOnlyList<(long First, long Last)> Entries, IReadOnlyList<SnapshotId> Snapshots, IReadOnlyList<long> Breaches)
{
    public byte[] Format()
    {
        var payload = new PayloadWriter().Int64(At.ToUnixTimeMilliseconds()).UInt32(NextPackSeq).UInt32((uint)Entries.Count);
        foreach (var (first, last) in Entries)
            payload.Int64(first).Int64(last);
        payload.UInt32((uint)Snapshots.Count);
        foreach (var id in Snapshots)
            payload.Guid(id.Value);
        payload.UInt32((uint)Breaches.Count);
        foreach (var breach in Breaches)
            payload.Int64(breach);
        return payload.ToArray();
    }

    public static AcceptPayload Parse(LogEntry entry)
    {
        var source = new PayloadReader(entry.Payload);
        var at = source.Time();
        var nextPackSeq = source.UInt32();
        var entries = new (long First, long Last)[source.Count(16)];
        for (var i = 0; i < entries.Length; i++)
        {
            entries[i] = (source.Int64(), source.Int64());
            if (entries[i].First < 1 || entries[i].Last < entries[i].First || entries[i].Last >= entry.Sequence)
                throw StoreException.Corrupt("A log entry's payload is malformed");
        }

        var ids = new SnapshotId[source.Count(16)];
        for (var i = 0; i < ids.Length; i++)
            ids[i] = new(source.Guid());
        var breaches = new long[source.Count(8)];
        for (var i = 0; i < breaches.Length; i++)
        {
            breaches[i] = source.Int64();
            if (breaches[i] >= entry.Sequence)
                throw StoreException.Corrupt("A log entry's payload is malformed");
        }

        return new(at, nextPackSeq, entries, ids, breaches);
    }

    public bool Names(long sequence) => Entries.Any(range => range.First <= sequence && sequence <= range.Last);
}
