using Strongroom.Store.Packs;

namespace Strongroom.Store.Log;

/// <summary>Which pack numbers are taken and by whom, as RESERVE says, and when each writer was last heard. Changed under the log's lock; may be read at any time.</summary>
internal sealed class PackNumberState : ILogConcern
{
    /// <summary>A writer that was silent for so long counts as gone, whatever a collection's grace is.</summary>
    public static readonly TimeSpan LongestSilence = TimeSpan.FromDays(30);

    /// <summary>So many numbers a RESERVE takes at most.</summary>
    public const uint GreatestReservation = 1024;

    private readonly Lock gate = new();
    private readonly Dictionary<Guid, DateTimeOffset> heard = [];
    private readonly List<(uint First, uint Last, Guid Writer)> reserved = [];

    public ushort Section => 2;

    public uint NextPackSeq { get; private set; } = 1;

    /// <summary>Packs that writers reserved of which something was heard after <paramref name="since"/>: they may be part of a session under way.</summary>
    public PackRangeSet ReservedByWritersHeardSince(DateTimeOffset since, Guid except)
    {
        lock (gate)
        {
            return PackRangeSet.Of(reserved
                .Where(one => one.Writer != except && heard.TryGetValue(one.Writer, out var at) && at > since)
                .Select(one => (one.First, one.Last)));
        }
    }

    public bool TryApply(LogEntry entry)
    {
        if (entry.Type == LogEntryType.Checkpoint)
            return false;
        lock (gate)
            heard[entry.WriterId] = entry.Time;
        if (entry.Type == LogEntryType.Accept)
        {
            NextPackSeq = Math.Max(NextPackSeq, AcceptPayload.Parse(entry).NextPackSeq);
            return true;
        }

        if (entry.Type != LogEntryType.Reserve)
            return false;
        var source = new PayloadReader(entry.Payload);
        var (first, count) = (source.UInt32(), source.UInt32());

        // Nothing reserved: a sign of life.
        if (count == 0)
            return true;
        if (first > uint.MaxValue - count)
            throw StoreException.Corrupt($"Log entry {entry.Sequence} reserves pack numbers that there are not");
        NextPackSeq = Math.Max(NextPackSeq, first + count);
        lock (gate)
        {
            reserved.Add((first, first + count - 1, entry.WriterId));
            Forget(entry.Time - LongestSilence);
        }

        return true;
    }

    public void WriteSection(PayloadWriter target)
    {
        target.UInt32(NextPackSeq).UInt32((uint)heard.Count);
        foreach (var (writer, at) in heard.OrderBy(one => one.Key))
            target.Guid(writer).Int64(at.ToUnixTimeMilliseconds());
        target.UInt32((uint)reserved.Count);
        foreach (var (first, last, writer) in reserved)
            target.UInt32(first).UInt32(last).Guid(writer);
    }

    public void ReadSection(ref PayloadReader source)
    {
        NextPackSeq = Math.Max(NextPackSeq, source.UInt32());
        lock (gate)
        {
            // What a process says or meets in a later checkpoint it knows already: all of it takes the place of what is here.
            heard.Clear();
            reserved.Clear();
            var writers = source.Count(24);
            for (var i = 0; i < writers; i++)
                heard[source.Guid()] = source.Time();
            var reservations = source.Count(24);
            for (var i = 0; i < reservations; i++)
                reserved.Add((source.UInt32(), source.UInt32(), source.Guid()));
        }
    }

    private void Forget(DateTimeOffset before)
    {
        foreach (var writer in heard.Where(one => one.Value < before).Select(one => one.Key).ToList())
            heard.Remove(writer);
        reserved.RemoveAll(one => !heard.ContainsKey(one.Writer));
    }
}
