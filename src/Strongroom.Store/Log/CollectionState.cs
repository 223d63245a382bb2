using System.Collections.Concurrent;
using Strongroom.Store.Collection;
using Strongroom.Store.Packs;

namespace Strongroom.Store.Log;

/// <summary>What is condemned now.</summary>
/// <param name="Sequence">The CONDEMN entry.</param>
/// <param name="Time">Its time.</param>
/// <param name="MarkedAt">The head at which its maker marked.</param>
/// <param name="Packs">The packs.</param>
internal sealed record Condemnation(long Sequence, DateTimeOffset Time, long MarkedAt, PackRangeSet Packs);

/// <summary>Which packs are condemned, gone or moved, as CONDEMN and SWEEP say. Changed under the log's lock; may be read at any time.</summary>
internal sealed class CollectionState : ILogConcern
{
    private readonly PackRangeSet swept = new();
    private volatile PackRangeSet relocated = new();
    private readonly ConcurrentDictionary<long, PackRangeSet> undeleted = [];
    private readonly ConcurrentDictionary<RelocationTableId, PackRangeSet> tables = [];
    private volatile Condemnation? condemned;
    private ulong doubtfulBelow;
    private long lastCommit;
    private long lastSweep;

    public ushort Section => 4;

    /// <summary>The newest CONDEMN while it is not swept: only it counts.</summary>
    public Condemnation? Condemned => condemned;

    /// <summary>Relocation tables that are in force, with the packs that each replaces.</summary>
    public IReadOnlyDictionary<RelocationTableId, PackRangeSet> Tables => tables;

    /// <summary>The same tables, oldest first: names are random in part, and what is done must not depend on how they hash.</summary>
    public IEnumerable<RelocationTableId> TablesInOrder => tables.Keys.OrderBy(table => table.CondemnSequence);

    /// <summary>SWEEPs whose packs may still be in the storage. Deleting them again is harmless: a number is never used twice.</summary>
    public IReadOnlyDictionary<long, PackRangeSet> Undeleted => undeleted;

    /// <summary>True for a pack that a SWEEP took: it may still be there, but nothing may refer to it anew.</summary>
    public bool IsSwept(uint packSeq) => swept.Contains(packSeq);

    /// <summary>True for a pack that may be swept, as far as this process can tell: an entry that it cannot read may have said so.</summary>
    /// <remarks>Nothing may refer to it anew, even while it is in the storage: whoever swept it may be about to delete it.</remarks>
    public bool IsDoubtful(uint packSeq) => packSeq < Volatile.Read(ref doubtfulBelow);

    /// <summary>True for a pack that deduplication may refer to, as far as the log says.</summary>
    public bool IsUsable(uint packSeq) => !swept.Contains(packSeq) && !IsDoubtful(packSeq) && condemned?.Packs.Contains(packSeq) != true;

    /// <summary>True for a swept pack whose live chunks lie elsewhere.</summary>
    public bool IsRelocated(uint packSeq) => relocated.Contains(packSeq);

    /// <summary>The table that says where the live chunks of a swept pack lie now, or null. The newest, should there be several.</summary>
    public RelocationTableId? TableOf(uint packSeq)
    {
        if (!relocated.Contains(packSeq))
            return null;
        RelocationTableId? newest = null;
        foreach (var (table, packs) in tables)
        {
            if (packs.Contains(packSeq) && (newest is not { } other || table.CondemnSequence > other.CondemnSequence))
                newest = table;
        }

        return newest;
    }

    /// <summary>The fence. A SWEEP holds only while its CONDEMN is the newest, and what it was decided from still is all there is.</summary>
    public bool MaySweep(long condemnSequence, long reconciledTo) =>
        condemned?.Sequence == condemnSequence && lastCommit <= reconciledTo && lastSweep <= reconciledTo;

    /// <summary>True for a table that is not in force and never will be, seen from a log that was read up to <paramref name="head"/>.</summary>
    public bool IsStray(RelocationTableId table, long head) =>
        table.CondemnSequence <= head && table.CondemnSequence != condemned?.Sequence && !tables.ContainsKey(table);

    /// <summary>True when a SWEEP followed the entry: then relocations may have changed what is live.</summary>
    public bool IsSweptSince(long sequence) => lastSweep > sequence;

    /// <summary>An entry cannot be read; it may have swept any pack of a number below this.</summary>
    public void Doubt(ulong below) => Volatile.Write(ref doubtfulBelow, Math.Max(doubtfulBelow, below));

    public bool TryApply(LogEntry entry)
    {
        switch (entry.Type)
        {
            case LogEntryType.Commit:
                lastCommit = entry.Sequence;
                return true;
            case LogEntryType.Condemn:
                Condemn(entry);
                return true;
            case LogEntryType.Sweep:
                Sweep(entry);
                return true;
            default:
                return false;
        }
    }

    public void WriteSection(PayloadWriter target)
    {
        target.Byte(condemned is null ? (byte)0 : (byte)1);
        if (condemned is { } now)
            target.Int64(now.Sequence).Int64(now.Time.ToUnixTimeMilliseconds()).Int64(now.MarkedAt).Ranges(now.Packs);
        target.UInt32((uint)undeleted.Count);
        foreach (var (sweep, packs) in undeleted.OrderBy(one => one.Key))
            target.Int64(sweep).Ranges(packs);
        target.UInt32((uint)tables.Count);
        foreach (var (table, packs) in tables.OrderBy(one => one.Key.CondemnSequence))
            target.Int64(table.CondemnSequence).Int64((long)table.Attempt).Ranges(packs);
    }

    public void ReadSection(ref PayloadReader source)
    {
        condemned = source.Byte() == 0 ? null : new(source.Int64(), source.Time(), source.Int64(), source.Ranges());
        var sweeps = source.Count(12);
        for (var i = 0; i < sweeps; i++)
            AddSwept(source.Int64(), source.Ranges());
        var count = source.Count(20);
        for (var i = 0; i < count; i++)
        {
            var table = new RelocationTableId(source.Int64(), (ulong)source.Int64());
            tables[table] = source.Ranges();
            swept.UnionWith(tables[table].Ranges);
        }

        relocated = PackRangeSet.Of(tables.Values.SelectMany(packs => packs.Ranges));
    }

    private void Condemn(LogEntry entry)
    {
        var payload = CondemnPayload.Parse(entry);
        condemned = new(entry.Sequence, entry.Time, payload.MarkedAt, payload.Packs);
        foreach (var sweep in undeleted.Keys.Where(sweep => sweep <= payload.DeletedThrough))
            undeleted.TryRemove(sweep, out _);
    }

    private void Sweep(LogEntry entry)
    {
        var payload = SweepPayload.Parse(entry);
        lastSweep = entry.Sequence;
        var packs = PackRangeSet.Of(payload.Dead.Ranges.Concat(payload.Relocated.Ranges));
        if (!payload.Relocated.IsEmpty)
            tables[new(payload.CondemnSequence, payload.Attempt)] = payload.Relocated;

        // In this order: whoever sees that a pack was swept finds where its chunks lie.
        relocated = PackRangeSet.Of(tables.Values.SelectMany(table => table.Ranges));
        AddSwept(entry.Sequence, packs);
        foreach (var table in tables.Keys.Where(table => payload.DroppedTables.Contains(table.CondemnSequence)))
            tables.TryRemove(table, out _);
        relocated = PackRangeSet.Of(tables.Values.SelectMany(table => table.Ranges));
        if (condemned?.Sequence == payload.CondemnSequence)
            condemned = null;
    }

    private void AddSwept(long sweep, PackRangeSet packs)
    {
        undeleted[sweep] = packs;
        swept.UnionWith(packs.Ranges);
    }
}
